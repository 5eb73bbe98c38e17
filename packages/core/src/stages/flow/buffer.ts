import { BufferQueue, type Overflow } from '../../engine/buffer-queue.js';
import { openPair } from '../../engine/pair.js';
import { type Stage, stageOf } from '../../engine/stage.js';
import { checkCount, checkFunction, checkOptions, outOfRange, wrongType } from '../../internal/arguments.js';
import { type EdgeMark, strategyMark } from '../edge-options.js';

export type { Overflow };

/**
 * What a full buffer does, and how its items are weighed.
 *
 * @typeParam T - What passes.
 */
export interface BufferOptions<T = unknown> {
  /** What the stage is called in errors, plans and figures. Default: `'buffer'`. */
  readonly name?: string;
  /**
   * What happens to an item that finds the buffer full: `'block'` does not read it before there is room; `'drop-oldest'`
   * and `'drop-newest'` read on and drop one, counted as dropped; `'fail'` fails the pipeline. Default: `'block'`.
   */
  readonly overflow?: Overflow;
  /**
   * What an item weighs: a finite number of 0 or more, such as its bytes; the buffer then holds so much weight instead of
   * so many items. One that weighs less than 1 counts as 1. Default: every item counts as one.
   */
  readonly size?: (item: T) => number;
}

const OVERFLOWS: readonly Overflow[] = ['block', 'drop-oldest', 'drop-newest', 'fail'];

/**
 * Lets items wait, so that what is before it need not wait for what is behind it.
 *
 * Contract
 * - Order: kept. With an overflow policy that drops, items are missing.
 * - Holds: at most `items` items. With a `size`, items that weigh less than that without the last one; where it drops or
 *   fails, no more than that; and one that is heavier alone.
 * - Backpressure: reads ahead until it is full, from the first time it is asked; with `'block'` it then waits for room. With
 *   a `size` it reads one item at a time.
 * - Failure: with `'fail'`, an item that finds the buffer full fails the pipeline with `ERR_CORE_OVERFLOW`; so does what
 *   `size` throws, and a size that is no finite number of 0 or more, with `ERR_CORE_SIZE`.
 * - Cancel: cancelling downstream cancels upstream with the same reason; what waits is counted as abandoned.
 *
 * @typeParam T - What passes.
 * @param items - How many items may wait, or with a `size` how much they may weigh, 1 or more; or a queuing strategy of
 *   the Streams standard, which says both.
 * @param options - `overflow` (default `'block'`), `size` (default: 1 each), `name` (default `'buffer'`).
 * @returns A stage from `T` to `T`.
 * @throws RangeError `ERR_CORE_ARGUMENT` when `items` is not a whole number of 1 or more.
 * @remarks Elsewhere: RxJS –; Rust `mpsc::channel`; Akka `buffer`; Node `PassThrough`.
 *
 * @example Read ahead of a slow consumer
 * ```ts
 * assert.deepEqual(await from([1, 2, 3]).pipeThrough(buffer(2)).toArray(), [1, 2, 3]);
 * ```
 *
 * @example Read ahead by at most 64 KiB, and the chunk that is read then
 * ```ts
 * const ahead = buffer<Uint8Array>(new ByteLengthQueuingStrategy({ highWaterMark: 65_536 }));
 * const chunks = from([new Uint8Array(40_000), new Uint8Array(40_000)]).pipeThrough(ahead);
 * assert.equal((await chunks.toArray()).length, 2);
 * const texts = buffer(1_000, { size: (text: string) => text.length });
 * assert.deepEqual(await from(['a', 'bc']).pipeThrough(texts).toArray(), ['a', 'bc']);
 * ```
 */
export function buffer<T>(items: number | QueuingStrategy<NoInfer<T>>, options: BufferOptions<T> = {}): Stage<T, T> {
  checkOptions('buffer()', options, ['name', 'overflow', 'size']);
  const { highWaterMark, size } = markOf(items, options);
  checkCount('buffer()', 'items', highWaterMark, 1);
  const { name = 'buffer', overflow = 'block' } = options;
  if (!OVERFLOWS.includes(overflow)) {
    throw outOfRange('buffer()', 'overflow', overflow, OVERFLOWS.map((each) => `"${each}"`).join(', '));
  }
  return stageOf(
    {
      type: 'operator',
      name,
      highWaterMark,
      size,
      inService: overflow === 'block' ? 0 : 1,
      detail: overflow,
      isQueue: true,
      keepsOrder: true,
      carries: true,
      weight: 'same',
      open: (upstream, context) => new BufferQueue(upstream, context, highWaterMark, overflow, size),
    },
    openPair,
  );
}

function markOf(items: number | QueuingStrategy<never>, { size }: BufferOptions<never>): EdgeMark {
  if (size !== undefined) checkFunction('buffer()', 'size', size);
  if (typeof items !== 'object' || items === null) return { highWaterMark: items, size: size as EdgeMark['size'] };
  if (size !== undefined) {
    throw wrongType('buffer()', 'size', size, 'left out beside a queuing strategy, which has its own');
  }
  return strategyMark('buffer()', 'items', items);
}
