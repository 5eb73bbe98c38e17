import type { StageContext } from '../engine/context.js';
import type { SinkWriter } from '../engine/drive.js';

export type { SinkWriter };

/** What a sink may use while it is open. */
export type SinkContext = Pick<StageContext, 'name' | 'clock' | 'signal'>;

/**
 * Where items go to: what a package offers for `run()` beside writable streams and functions.
 *
 * @typeParam T - The items.
 *
 * @example A sink that keeps lines in memory
 * ```ts
 * const lines: string[] = [];
 * const memory: Sink<string> = { name: 'memory', open: () => ({ write: (items) => void lines.push(...items) }) };
 * await from(['a', 'b']).run(memory).finished;
 * assert.deepEqual(lines, ['a', 'b']);
 * ```
 */
export interface Sink<T> {
  /** What the sink is called in errors, plans and figures. Default: `'sink'`. */
  readonly name?: string;
  /** How many items may wait before it; with a `size`, how much they may weigh. Default: 64, or 1 where they are batches. */
  readonly highWaterMark?: number;
  /** What an item weighs, as in {@link EdgeOptions}: makes `highWaterMark` one of bytes. Default: every item counts as one. */
  size?(item: T): number;
  /** The most items in one burst, all of them in service until it is written. Default: 1. */
  readonly maxBurst?: number;
  /** Opens the sink for one run. */
  open(context: SinkContext): SinkWriter<T>;
}
