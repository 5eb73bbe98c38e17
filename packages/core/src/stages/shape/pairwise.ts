import type { Stage } from '../../engine/stage.js';
import { compose } from '../compose.js';
import { checkStepOptions, type StepOptions } from '../step-options.js';
import { drop } from './drop.js';
import { scan } from './scan.js';

/**
 * Replaces each item but the first by a pair: the item before it, and itself.
 *
 * Contract
 * - Order: kept. One pair for each item but the first, which is counted as filtered; fewer than two items give nothing.
 * - Holds: the last pair, no items.
 * - Backpressure: reads an item only when one is asked for, and at the beginning one more.
 * - Failure: has none of its own.
 * - Cancel: cancelling downstream cancels upstream with the same reason.
 * - Checkpoint: the last pair is part of it, so items must be values that the structured clone algorithm takes.
 *
 * @typeParam T - What comes in.
 * @param options - `name` (default `'pairwise'`), `highWaterMark` (default: none, fused).
 * @returns A stage from `T` to pairs of `T`.
 * @throws TypeError `ERR_CORE_ARGUMENT` when an option is unknown.
 * @remarks Elsewhere: RxJS `pairwise`; Rust `tuple_windows`; Akka `sliding(2)`; Node –.
 *
 * @example How much each reading is more than the one before
 * ```ts
 * const changes = from([3, 5, 4]).pipeThrough(pairwise()).pipeThrough(map(([before, now]) => now - before));
 * assert.deepEqual(await changes.toArray(), [2, -1]);
 * ```
 */
export function pairwise<T>(options: StepOptions = {}): Stage<T, [previous: T, item: T]> {
  checkStepOptions('pairwise()', options);
  const { name = 'pairwise', ...edge } = options;
  return compose(scan<T, [T, T]>(pairWith, NO_PAIR, edge), drop(1), { name });
}

/** The pair of the first item, which is left out, has nothing before it. */
const NO_PAIR = [undefined, undefined] as [never, never];

function pairWith<T>(pair: readonly [T, T], item: T): [T, T] {
  return [pair[1], item];
}
