import { BufferQueue, type Overflow } from '../../engine/buffer-queue.js';
import { openPair } from '../../engine/pair.js';
import { type Stage, stageOf } from '../../engine/stage.js';
import { checkCount, checkOptions, outOfRange } from '../../internal/arguments.js';

export type { Overflow };

/** What a full buffer does. */
export interface BufferOptions {
  /** What the stage is called in errors, plans and figures. Default: `'buffer'`. */
  readonly name?: string;
  /**
   * What happens to an item that finds the buffer full: `'block'` does not read it before there is room; `'drop-oldest'`
   * and `'drop-newest'` read on and drop one, counted as dropped; `'fail'` fails the pipeline. Default: `'block'`.
   */
  readonly overflow?: Overflow;
}

const OVERFLOWS: readonly Overflow[] = ['block', 'drop-oldest', 'drop-newest', 'fail'];

/**
 * Lets items wait, so that what is before it need not wait for what is behind it.
 *
 * Contract
 * - Order: kept. With an overflow policy that drops, items are missing.
 * - Holds: at most `items` items.
 * - Backpressure: reads ahead until it is full, from the first time it is asked; with `'block'` it then waits for room.
 * - Failure: with `'fail'`, an item that finds the buffer full fails the pipeline with `ERR_CORE_OVERFLOW`.
 * - Cancel: cancelling downstream cancels upstream with the same reason; what waits is counted as abandoned.
 *
 * @typeParam T - What passes.
 * @param items - How many items may wait, 1 or more.
 * @param options - `overflow` (default `'block'`), `name` (default `'buffer'`).
 * @returns A stage from `T` to `T`.
 * @throws RangeError `ERR_CORE_ARGUMENT` when `items` is not a whole number of 1 or more.
 *
 * @example Read ahead of a slow consumer
 * ```ts
 * assert.deepEqual(await from([1, 2, 3]).pipeThrough(buffer(2)).toArray(), [1, 2, 3]);
 * ```
 */
export function buffer<T>(items: number, options: BufferOptions = {}): Stage<T, T> {
  checkCount('buffer()', 'items', items, 1);
  checkOptions('buffer()', options, ['name', 'overflow']);
  const { name = 'buffer', overflow = 'block' } = options;
  if (!OVERFLOWS.includes(overflow)) {
    throw outOfRange('buffer()', 'overflow', overflow, OVERFLOWS.map((each) => `"${each}"`).join(', '));
  }
  return stageOf(
    {
      type: 'operator',
      name,
      highWaterMark: items,
      inService: overflow === 'block' ? 0 : 1,
      detail: overflow,
      isQueue: true,
      weight: 'same',
      open: (upstream, context) => new BufferQueue(upstream, context, items, overflow),
    },
    openPair,
  );
}
