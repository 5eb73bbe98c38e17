import { openPair } from '../../engine/pair.js';
import { type Stage, stageOf } from '../../engine/stage.js';
import { FILTER } from '../../engine/steps.js';
import { checkFunction } from '../../internal/arguments.js';
import type { UseMapAsyncForPromises } from '../not-promise.js';
import { type CallOptions, checkCallOptions } from '../step-options.js';

/**
 * Lets the items pass for which a predicate is true.
 *
 * Contract
 * - Order: kept. Items that do not pass are counted as filtered.
 * - Holds: nothing.
 * - Backpressure: reads on until an item passes, once one is asked for.
 * - Failure: `predicate` throwing is dealt with as `onError` says: by default it fails the pipeline, as the cause of a
 *   `StageError`; so does a promise it returns.
 * - Cancel: cancelling downstream cancels upstream with the same reason.
 *
 * @typeParam I - What comes in.
 * @typeParam O - What goes out: narrower where `predicate` is a type guard.
 * @param predicate - Is given the item and its index, from 0.
 * @param options - `name` (default `'filter'`), `onError` (default `'fail'`), `highWaterMark` (default: none, fused).
 * @returns A stage from `I` to `I`, or to what the type guard narrows it to.
 * @throws TypeError `ERR_CORE_ARGUMENT` when `predicate` is not a function or an option is unknown.
 * @remarks Elsewhere: RxJS `filter`; Rust `filter`; Akka `filter`; Node `filter`.
 *
 * @example Keep what a sensor can have measured
 * ```ts
 * const plausible = filter((celsius: number) => celsius >= -40 && celsius <= 85);
 * assert.deepEqual(await from([22.5, -45, 150]).pipeThrough(plausible).toArray(), [22.5]);
 * ```
 */
export function filter<I, O extends I>(
  predicate: (item: I, index: number) => item is O,
  options?: CallOptions<I, boolean>,
): Stage<I, O>;
export function filter<I>(
  predicate: (item: I, index: number) => boolean | UseMapAsyncForPromises,
  options?: CallOptions<I, boolean>,
): Stage<I, I>;
export function filter<I>(
  predicate: (item: I, index: number) => boolean | UseMapAsyncForPromises,
  options: CallOptions<I, boolean> = {},
): Stage<I, I> {
  checkFunction('filter()', 'predicate', predicate);
  checkCallOptions('filter()', options);
  const spec = { name: 'filter', ...options, kind: FILTER, params: [predicate] };
  return stageOf({ type: 'step', ...spec, weight: 'same' }, openPair);
}
