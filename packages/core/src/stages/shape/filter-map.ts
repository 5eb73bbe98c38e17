import { openPair } from '../../engine/pair.js';
import { type Stage, stageOf } from '../../engine/stage.js';
import { FILTER_MAP } from '../../engine/steps.js';
import { checkFunction } from '../../internal/arguments.js';
import type { NotPromise } from '../not-promise.js';
import { type CallOptions, checkCallOptions } from '../step-options.js';

/**
 * Replaces each item by what a function makes of it, and leaves out those for which it gives `undefined`.
 *
 * Contract
 * - Order: kept. Items for which `fn` gives `undefined` are counted as filtered; `null` passes.
 * - Holds: nothing.
 * - Backpressure: reads on until an item passes, once one is asked for.
 * - Failure: `fn` throwing is dealt with as `onError` says: by default it fails the pipeline, as the cause of a
 *   `StageError`.
 * - Cancel: cancelling downstream cancels upstream with the same reason.
 *
 * @typeParam I - What comes in.
 * @typeParam O - What goes out.
 * @typeParam F - What `onError: fallback(fn)` gives.
 * @param fn - Is given the item and its index, from 0.
 * @param options - `name` (default `'filterMap'`), `onError` (default `'fail'`), `highWaterMark` (default: none, fused).
 * @returns A stage from `I` to `O`.
 * @throws TypeError `ERR_CORE_ARGUMENT` when `fn` is not a function or an option is unknown.
 * @remarks Elsewhere: RxJS –; Rust `filter_map`; Akka `collect`; Node –.
 *
 * @example Keep what parses
 * ```ts
 * const numbers = filterMap((text: string) => (Number.isNaN(Number(text)) ? undefined : Number(text)));
 * assert.deepEqual(await from(['1', 'x', '3']).pipeThrough(numbers).toArray(), [1, 3]);
 * ```
 */
export function filterMap<I, O, F = never>(
  fn: (item: I, index: number) => NotPromise<O> | undefined,
  options: CallOptions<I, F | undefined> = {},
): Stage<I, O | F> {
  checkFunction('filterMap()', 'fn', fn);
  checkCallOptions('filterMap()', options);
  const spec = { name: 'filterMap', ...options, kind: FILTER_MAP, params: [fn] };
  return stageOf({ type: 'step', ...spec, weight: 'same' }, openPair);
}
