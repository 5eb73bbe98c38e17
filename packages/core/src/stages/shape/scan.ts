import { openPair } from '../../engine/pair.js';
import { type Stage, stageOf } from '../../engine/stage.js';
import { SCAN } from '../../engine/steps.js';
import { checkFunction, wrongType } from '../../internal/arguments.js';
import type { UseMapAsyncForPromises } from '../not-promise.js';
import { type CallOptions, checkCallOptions } from '../step-options.js';

/**
 * Folds the items into a state and passes on the state after each of them.
 *
 * Contract
 * - Order: kept. One item out for each item in; the seed itself is not passed on.
 * - Holds: the state, no items.
 * - Backpressure: reads an item only when one is asked for.
 * - Failure: `fn` throwing is dealt with as `onError` says: by default it fails the pipeline, as the cause of a
 *   `StageError`.
 * - Cancel: cancelling downstream cancels upstream with the same reason.
 *
 * @typeParam I - What comes in.
 * @typeParam S - The state, and what goes out.
 * @param fn - Is given the state, the item and its index, from 0; gives the next state.
 * @param seed - The state before the first item; each run starts from the same value.
 * @param options - `name` (default `'scan'`), `onError` (default `'fail'`), `highWaterMark` (default: none, fused).
 * @returns A stage from `I` to `S`.
 * @throws TypeError `ERR_CORE_ARGUMENT` when `fn` is not a function, `seed` is left out or an option is unknown.
 * @remarks Elsewhere: RxJS `scan`; Rust `scan`; Akka `scan`, which gives the seed first; Node –.
 *
 * @example A running sum
 * ```ts
 * const sums = scan((sum: number, n: number) => sum + n, 0);
 * assert.deepEqual(await from([1, 2, 3]).pipeThrough(sums).toArray(), [1, 3, 6]);
 * ```
 */
export function scan<I, S>(
  fn: (state: S, item: I, index: number) => S | UseMapAsyncForPromises,
  seed: S,
  options: CallOptions<I, NoInfer<S>> = {},
): Stage<I, S> {
  checkFunction('scan()', 'fn', fn);
  // biome-ignore lint/complexity/noArguments: a seed may be undefined, but not left out.
  if (arguments.length < 2) throw wrongType('scan()', 'seed', seed, 'given: the state before the first item');
  checkCallOptions('scan()', options);
  const spec = { name: 'scan', ...options, kind: SCAN, params: [fn], seed };
  return stageOf({ type: 'step', ...spec, weight: 'same' }, openPair);
}
