import { openPair } from '../../engine/pair.js';
import { type Stage, stageOf } from '../../engine/stage.js';
import { DEDUPE_CONSECUTIVE, DEDUPE_CONSECUTIVE_BY } from '../../engine/steps.js';
import { checkFunction } from '../../internal/arguments.js';
import type { NotPromise } from '../not-promise.js';
import { type CallOptions, checkCallOptions, checkStepOptions } from '../step-options.js';

/**
 * Leaves out items that equal the one before them.
 *
 * Contract
 * - Order: kept. Of a series of equals the first passes; the others are counted as deduped.
 * - Holds: the last key, no items.
 * - Backpressure: reads on until an item passes, once one is asked for.
 * - Failure: `key` throwing is dealt with as `onError` says: by default it fails the pipeline, as the cause of a
 *   `StageError`.
 * - Cancel: cancelling downstream cancels upstream with the same reason.
 *
 * @typeParam T - What passes.
 * @typeParam K - The keys.
 * @param key - What to compare items by, with `===` and `NaN` equal to itself. Default: the item itself.
 * @param options - `name` (default `'dedupeConsecutive'`), `onError` for `key` (default `'fail'`), `highWaterMark` (default: none, fused).
 * @returns A stage from `T` to `T`.
 * @throws TypeError `ERR_CORE_ARGUMENT` when `key` is not a function or an option is unknown.
 * @remarks Elsewhere: RxJS `distinctUntilChanged`; Rust `dedup`, `dedup_by_key`; Akka `dropRepeated`; Node –.
 *
 * @example Only the changes
 * ```ts
 * const changes = dedupeConsecutive((reading: { celsius: number }) => reading.celsius);
 * const readings = [{ celsius: 20 }, { celsius: 20 }, { celsius: 21 }];
 * assert.equal((await from(readings).pipeThrough(changes).toArray()).length, 2);
 * ```
 */
export function dedupeConsecutive<T, K = unknown>(
  key?: (item: T, index: number) => NotPromise<K>,
  options: CallOptions<T, unknown> = {},
): Stage<T, T> {
  if (key !== undefined) checkFunction('dedupeConsecutive()', 'key', key);
  if (key === undefined) checkStepOptions('dedupeConsecutive()', options);
  else checkCallOptions('dedupeConsecutive()', options);
  const kind = key === undefined ? DEDUPE_CONSECUTIVE : DEDUPE_CONSECUTIVE_BY;
  const params = key === undefined ? [] : [key];
  return stageOf({ type: 'step', name: 'dedupeConsecutive', ...options, kind, params, weight: 'same' }, openPair);
}
