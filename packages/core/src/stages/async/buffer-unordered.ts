import { openPair } from '../../engine/pair.js';
import { type Stage, stageOf } from '../../engine/stage.js';
import { checkCount, checkOptions, kindOf } from '../../internal/arguments.js';
import type { EdgeOptions } from '../edge-options.js';
import { ITEM_POLICY_OPTIONS, type ItemPolicyOptions } from './item-policy.js';
import { concurrentSpec, type ItemContext } from './map-async.js';

/**
 * What `bufferUnordered()` does with tasks that fail, and what it is called.
 *
 * @typeParam T - What a task gives.
 * @typeParam F - What `onError: fallback(fn)` gives.
 */
export interface BufferUnorderedOptions<T, F = never> extends EdgeOptions<Thunk<T>>, ItemPolicyOptions<Thunk<T>, F> {
  /** What the stage is called in errors, plans and figures. Default: `'bufferUnordered'`. */
  readonly name?: string;
}

/** A task that has not begun. */
export type Thunk<T> = (context: ItemContext) => T | PromiseLike<T>;

/**
 * Begins the tasks that come in, up to `concurrency` at once, and passes on their results as they are done.
 *
 * Contract
 * - Order: that of completion.
 * - Holds: at most `concurrency` tasks, results that wait to be handed on included.
 * - Backpressure: begins a task when a slot is free.
 * - Failure: as `onError` says, behind the tries of `retry`, which begin the task again. With `'fail'` the first task that
 *   fails fails the pipeline, after the results before it; later ones are its `others`.
 * - Cancel: aborts `signal`, cancels upstream with the same reason.
 *
 * @typeParam T - What a task gives.
 * @typeParam F - What `onError: fallback(fn)` gives.
 * @param concurrency - How many tasks run at once, 1 or more.
 * @param options - `name` (default `'bufferUnordered'`), `highWaterMark` (default 0) with `size`, and `onError`, `retry`, `timeoutMs` as
 *   `mapAsync()` has them.
 * @returns A stage from tasks to their results.
 * @throws RangeError `ERR_CORE_ARGUMENT` when `concurrency` is not a whole number of 1 or more.
 * @remarks Elsewhere: RxJS `mergeAll`; Rust `buffer_unordered`; Akka `mapAsyncUnordered`; Node –.
 *
 * @see https://docs.rs/futures/latest/futures/stream/trait.StreamExt.html#method.buffer_unordered
 *
 * @example Three tasks, two at a time
 * ```ts
 * const tasks = [1, 2, 3].map((n) => async () => n * n);
 * const squares = await from(tasks).pipeThrough(bufferUnordered(2)).toArray();
 * assert.deepEqual(squares.sort(), [1, 4, 9]);
 * ```
 */
export function bufferUnordered<T, F = never>(
  concurrency: number,
  options: BufferUnorderedOptions<T, F> = {},
): Stage<Thunk<T>, T | Awaited<F>> {
  checkCount('bufferUnordered()', 'concurrency', concurrency, 1);
  checkOptions('bufferUnordered()', options, ['name', 'highWaterMark', 'size', ...ITEM_POLICY_OPTIONS]);
  const call = (thunk: unknown, context: ItemContext): unknown => {
    if (typeof thunk !== 'function')
      throw new TypeError(`the item is ${kindOf(thunk)} (must be a function that begins a task)`);
    return thunk(context);
  };
  return stageOf(concurrentSpec('bufferUnordered', call, { ...options, concurrency, ordered: false }), openPair);
}
