import { openPair } from '../../engine/pair.js';
import { type Stage, stageOf } from '../../engine/stage.js';
import { MAP } from '../../engine/steps.js';
import { checkFunction } from '../../internal/arguments.js';
import type { NotPromise } from '../not-promise.js';
import { type CallOptions, checkCallOptions } from '../step-options.js';

/**
 * Replaces each item by what a function makes of it.
 *
 * Contract
 * - Order: kept. One item out for each item in.
 * - Holds: nothing.
 * - Backpressure: reads an item only when one is asked for.
 * - Failure: `fn` throwing is dealt with as `onError` says: by default it fails the pipeline, as the cause of a
 *   `StageError` with the item's index.
 * - Cancel: cancelling downstream cancels upstream with the same reason.
 *
 * @typeParam I - What comes in.
 * @typeParam O - What goes out.
 * @typeParam F - What `onError: fallback(fn)` gives.
 * @param fn - Is given the item and its index, from 0; a function that returns a promise is refused by its type.
 * @param options - `name` (default `'map'`), `onError` (default `'fail'`), `highWaterMark` (default: none, the stage is fused with its neighbours).
 * @returns A stage from `I` to `O`.
 * @throws TypeError `ERR_CORE_ARGUMENT` when `fn` is not a function or an option is unknown.
 * @remarks Elsewhere: RxJS `map`; Rust `map`; Akka `map`; Node `map`.
 *
 * @example Celsius to Fahrenheit
 * ```ts
 * const fahrenheit = map((celsius: number) => (celsius * 9) / 5 + 32);
 * assert.deepEqual(await from([-10, 22.5]).pipeThrough(fahrenheit).toArray(), [14, 72.5]);
 * ```
 */
export function map<I, O, F = never>(
  fn: (item: I, index: number) => NotPromise<O>,
  options: CallOptions<I, F> = {},
): Stage<I, O | F> {
  checkFunction('map()', 'fn', fn);
  checkCallOptions('map()', options);
  return stageOf({ type: 'step', name: 'map', ...options, kind: MAP, params: [fn], weight: 'same' }, openPair);
}
