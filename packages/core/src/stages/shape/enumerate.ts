import { openPair } from '../../engine/pair.js';
import { type Stage, stageOf } from '../../engine/stage.js';
import { MAP } from '../../engine/steps.js';
import { checkStepOptions, type StepOptions } from '../step-options.js';

/**
 * Pairs each item with its index, as the `entries()` of an array do.
 *
 * Functions of other stages are given the index anyway: `map((item, index) => …)`.
 *
 * Contract
 * - Order: kept. One pair out for each item in; the index begins at 0 in each run, and goes on behind a checkpoint.
 * - Holds: nothing.
 * - Backpressure: reads an item only when one is asked for.
 * - Failure: has none of its own.
 * - Cancel: cancelling downstream cancels upstream with the same reason.
 *
 * @typeParam T - What comes in.
 * @param options - `name` (default `'enumerate'`), `highWaterMark` (default: none, fused).
 * @returns A stage from `T` to pairs of index and item.
 * @throws TypeError `ERR_CORE_ARGUMENT` when an option is unknown.
 * @remarks Elsewhere: RxJS –; Rust `enumerate`; Akka `zipWithIndex`, the item first; Node –.
 *
 * @example Numbers of lines
 * ```ts
 * const lines = from(['a', 'b']).pipeThrough(enumerate());
 * assert.deepEqual(await lines.toArray(), [[0, 'a'], [1, 'b']]);
 * ```
 */
export function enumerate<T>(options: StepOptions = {}): Stage<T, [index: number, item: T]> {
  checkStepOptions('enumerate()', options);
  const spec = { name: 'enumerate', ...options, kind: MAP, params: [entryOf] };
  return stageOf({ type: 'step', ...spec, weight: 'same' }, openPair);
}

function entryOf(item: unknown, index: number): [number, unknown] {
  return [index, item];
}
