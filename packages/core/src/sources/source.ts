import type { StageContext } from '../engine/context.js';
import { readerSource } from '../engine/reader-source.js';
import type { SourceReader } from '../engine/spec.js';
import { checkFunction, wrongType } from '../internal/arguments.js';
import { Pipeline } from '../pipeline.js';

/** What a source is called, and how it is opened for a run. */
export interface SourceOptions<T> {
  /** What the source is called in errors, plans and figures. */
  readonly name: string;
  /** Opens the source for one run; called when the run is made, so it must not read yet. */
  open(context: StageContext): SourceReader<T>;
}

/**
 * Begins a pipeline with a reader that is asked for bursts: for sources that have several items at hand at a time, or
 * that end a pending read at once when the run drains.
 *
 * @typeParam T - The items.
 * @param options - The name and `open`.
 * @returns A pipeline of the items.
 * @remarks Elsewhere: RxJS `new Observable`; Rust `impl Stream`; Akka `GraphStage`; Node `Readable`.
 *
 * @example Bursts from memory
 * ```ts
 * import { source } from '@millrace/core/authoring';
 * const numbers = source<number>({
 *   name: 'numbers',
 *   open() {
 *     let next = 0;
 *     return { read: (max) => (next < 5 ? Array.from({ length: Math.min(max, 5 - next) }, () => next++) : undefined), close() {} };
 *   },
 * });
 * assert.deepEqual(await numbers.toArray(), [0, 1, 2, 3, 4]);
 * ```
 */
export function source<T>(options: SourceOptions<T>): Pipeline<T> {
  const { name } = options;
  if (typeof name !== 'string' || name === '') throw wrongType('source()', 'name', name, 'what the source is called');
  checkFunction('source()', 'open', options.open);
  const open = (context: StageContext): SourceReader<T> => {
    const reader = options.open(context);
    checkFunction(`source "${name}"`, 'read of what open() gave', reader?.read);
    return reader;
  };
  return new Pipeline<T>(readerSource(name, open));
}
