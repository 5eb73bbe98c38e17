import { openPair } from '../../engine/pair.js';
import { type Stage, stageOf } from '../../engine/stage.js';
import { DROP_WHILE } from '../../engine/steps.js';
import { checkFunction } from '../../internal/arguments.js';
import type { UseMapAsyncForPromises } from '../not-promise.js';
import { type CallOptions, checkCallOptions } from '../step-options.js';

/**
 * Leaves out items as long as a predicate is true, and passes all others.
 *
 * Contract
 * - Order: kept. Items before the first for which the predicate is not true are counted as filtered; that and all behind it
 *   pass, and the predicate is not asked again.
 * - Holds: nothing.
 * - Backpressure: reads on until an item passes, once one is asked for.
 * - Failure: `predicate` throwing is dealt with as `onError` says: by default it fails the pipeline, as the cause of a
 *   `StageError`; so does a promise it returns.
 * - Cancel: cancelling downstream cancels upstream with the same reason.
 * - Checkpoint: whether items pass is part of it.
 *
 * @typeParam T - What passes.
 * @param predicate - Is given the item and its index, from 0.
 * @param options - `name` (default `'dropWhile'`), `onError` (default `'fail'`), `highWaterMark` (default: none, fused).
 * @returns A stage from `T` to `T`.
 * @throws TypeError `ERR_CORE_ARGUMENT` when `predicate` is not a function or an option is unknown.
 * @remarks Elsewhere: RxJS `skipWhile`; Rust `skip_while`; Akka `dropWhile`; Node –.
 *
 * @example Lines behind the comments at the beginning
 * ```ts
 * const lines = from(['# made by hand', 'a', '# not at the beginning']);
 * const body = lines.pipeThrough(dropWhile((line) => line.startsWith('#')));
 * assert.deepEqual(await body.toArray(), ['a', '# not at the beginning']);
 * ```
 */
export function dropWhile<T>(
  predicate: (item: T, index: number) => boolean | UseMapAsyncForPromises,
  options: CallOptions<T, boolean> = {},
): Stage<T, T> {
  checkFunction('dropWhile()', 'predicate', predicate);
  checkCallOptions('dropWhile()', options);
  const spec = { name: 'dropWhile', ...options, kind: DROP_WHILE, params: [predicate] };
  return stageOf({ type: 'step', ...spec, weight: 'same' }, openPair);
}
