import { openPair } from '../../engine/pair.js';
import { type Stage, stageOf } from '../../engine/stage.js';
import { TAKE } from '../../engine/steps.js';
import { checkCount } from '../../internal/arguments.js';
import { checkStepOptions, type StepOptions } from '../step-options.js';

/**
 * Passes the first items and ends.
 *
 * Contract
 * - Order: kept. The stream ends, and the source is closed, with the last of the items; `take(0)` reads nothing.
 * - Holds: nothing.
 * - Backpressure: never asks for more than is left to take; stages before it that read ahead on their own may.
 * - Failure: has none of its own.
 * - Cancel: cancelling downstream cancels upstream with the same reason.
 *
 * @typeParam T - What passes.
 * @param items - How many, 0 or more.
 * @param options - `name` (default `'take'`), `highWaterMark` (default: none, fused).
 * @returns A stage from `T` to `T`.
 * @throws RangeError `ERR_CORE_ARGUMENT` when `items` is not a whole number of 0 or more.
 * @remarks Elsewhere: RxJS `take`; Rust `take`; Akka `take`; Node `take`.
 *
 * @example The first three of endlessly many
 * ```ts
 * assert.deepEqual(await generate((n) => n * n).pipeThrough(take(3)).toArray(), [0, 1, 4]);
 * ```
 */
export function take<T>(items: number, options: StepOptions = {}): Stage<T, T> {
  checkCount('take()', 'items', items, 0);
  checkStepOptions('take()', options);
  const spec = { name: 'take', ...options, kind: TAKE, params: [items] };
  return stageOf({ type: 'step', ...spec, weight: 'same' }, openPair);
}
