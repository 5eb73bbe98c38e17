import { openPair } from '../../engine/pair.js';
import { type Stage, stageOf } from '../../engine/stage.js';
import { TAP } from '../../engine/steps.js';
import { checkFunction } from '../../internal/arguments.js';
import type { NotPromise } from '../not-promise.js';
import { type CallOptions, checkCallOptions } from '../step-options.js';

/**
 * Shows each item to a function and passes it on as it is.
 *
 * Contract
 * - Order: kept. Every item passes; what `fn` returns is ignored, a promise is not awaited.
 * - Holds: nothing.
 * - Backpressure: reads an item only when one is asked for.
 * - Failure: `fn` throwing is dealt with as `onError` says: by default it fails the pipeline, as the cause of a
 *   `StageError`.
 * - Cancel: cancelling downstream cancels upstream with the same reason.
 *
 * @typeParam T - What passes.
 * @typeParam R - What `fn` returns, which is not looked at.
 * @param fn - Is given the item and its index, from 0.
 * @param options - `name` (default `'tap'`), `onError` (default `'fail'`), `highWaterMark` (default: none, fused).
 * @returns A stage from `T` to `T`.
 * @throws TypeError `ERR_CORE_ARGUMENT` when `fn` is not a function or an option is unknown.
 * @remarks Elsewhere: RxJS `tap`; Rust `inspect`; Akka `wireTap`; Node –.
 *
 * @example Count on the way
 * ```ts
 * let passed = 0;
 * await from(['a', 'b']).pipeThrough(tap(() => passed++)).toArray();
 * assert.equal(passed, 2);
 * ```
 */
export function tap<T, R = void>(
  fn: (item: T, index: number) => NotPromise<R>,
  options: CallOptions<T, unknown> = {},
): Stage<T, T> {
  checkFunction('tap()', 'fn', fn);
  checkCallOptions('tap()', options);
  return stageOf({ type: 'step', name: 'tap', ...options, kind: TAP, params: [fn], weight: 'same' }, openPair);
}
