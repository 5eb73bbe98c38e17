import { openPair } from '../../engine/pair.js';
import { type Stage, stageOf } from '../../engine/stage.js';
import { DROP } from '../../engine/steps.js';
import { checkCount } from '../../internal/arguments.js';
import { checkStepOptions, type StepOptions } from '../step-options.js';

/**
 * Leaves out the first items and passes all others.
 *
 * Contract
 * - Order: kept. The items left out are counted as filtered.
 * - Holds: nothing.
 * - Backpressure: reads on until an item passes, once one is asked for.
 * - Failure: has none of its own.
 * - Cancel: cancelling downstream cancels upstream with the same reason.
 *
 * @typeParam T - What passes.
 * @param items - How many to leave out, 0 or more.
 * @param options - `name` (default `'drop'`), `highWaterMark` (default: none, fused).
 * @returns A stage from `T` to `T`.
 * @throws RangeError `ERR_CORE_ARGUMENT` when `items` is not a whole number of 0 or more.
 * @remarks Elsewhere: RxJS `skip`; Rust `skip`; Akka `drop`; Node `drop`.
 *
 * @example Leave out a header
 * ```ts
 * assert.deepEqual(await from(['name', 'Ada', 'Grace']).pipeThrough(drop(1)).toArray(), ['Ada', 'Grace']);
 * ```
 */
export function drop<T>(items: number, options: StepOptions = {}): Stage<T, T> {
  checkCount('drop()', 'items', items, 0);
  checkStepOptions('drop()', options);
  const spec = { name: 'drop', ...options, kind: DROP, params: [items] };
  return stageOf({ type: 'step', ...spec, weight: 'same' }, openPair);
}
