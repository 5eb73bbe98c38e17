import { openPair } from '../../engine/pair.js';
import { type Stage, stageOf } from '../../engine/stage.js';
import { FLAT_MAP } from '../../engine/steps.js';
import { checkFunction } from '../../internal/arguments.js';
import type { UseMapAsyncForPromises } from '../not-promise.js';
import { type CallOptions, checkCallOptions } from '../step-options.js';

/**
 * Unfolds each item into the items of an iterable.
 *
 * Contract
 * - Order: kept. All items of one iterable come before those of the next; strings are refused, not taken apart.
 * - Holds: one input, whose iterable is open; its items are made as they are asked for.
 * - Backpressure: stops in the middle of an iterable when what was asked for is made.
 * - Failure: `fn` throwing is dealt with as `onError` says: by default it fails the pipeline, as the cause of a
 *   `StageError` with the input's index. An iterable that throws while it is walked through always does.
 * - Cancel: closes the open iterator (`return()`), then cancels upstream with the same reason.
 *
 * @typeParam I - What comes in.
 * @typeParam O - What goes out.
 * @typeParam F - What `onError: fallback(fn)` gives.
 * @param fn - Is given the item and its index, from 0; gives an array or another synchronous iterable.
 * @param options - `name` (default `'flatMap'`), `onError` (default `'fail'`), `highWaterMark` (default: 16 where the stage reads from an
 *   asynchronous one, none otherwise); 0 asks for one input at a time, for inputs that are large.
 * @returns A stage from `I` to `O`.
 * @throws TypeError `ERR_CORE_ARGUMENT` when `fn` is not a function or an option is unknown.
 * @remarks Elsewhere: RxJS `concatMap`; Rust `flat_map`; Akka `mapConcat`; Node `flatMap`.
 *
 * @example Words of lines
 * ```ts
 * const words = flatMap((line: string) => line.split(' '));
 * assert.deepEqual(await from(['a b', 'c']).pipeThrough(words).toArray(), ['a', 'b', 'c']);
 * ```
 */
export function flatMap<I, O, F = never>(
  fn: (item: I, index: number) => Iterable<O> | UseMapAsyncForPromises,
  options: CallOptions<I, Iterable<F>> = {},
): Stage<I, O | F> {
  checkFunction('flatMap()', 'fn', fn);
  checkCallOptions('flatMap()', options);
  const spec = { name: 'flatMap', ...options, kind: FLAT_MAP, params: [fn] };
  return stageOf({ type: 'step', ...spec, weight: 'one' }, openPair);
}
