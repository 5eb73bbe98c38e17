import { openPair } from '../../engine/pair.js';
import { type Stage, stageOf } from '../../engine/stage.js';
import { STATEFUL_MAP } from '../../engine/steps.js';
import { checkFunction } from '../../internal/arguments.js';
import type { NotPromise } from '../not-promise.js';
import { type CallOptions, checkCallOptions } from '../step-options.js';

/**
 * How items are replaced with the help of a state.
 *
 * @typeParam I - What comes in.
 * @typeParam S - The state: an object that `map` changes.
 * @typeParam O - What goes out.
 * @typeParam F - What `onError: fallback(fn)` gives.
 */
export interface StatefulMapOptions<I, S extends object, O, F = never> extends CallOptions<I, F> {
  /** Makes the state of a run, before its first item. */
  readonly start: () => S;
  /** Is given the state, which it may change, the item and its index, from 0; gives what goes out for it. */
  readonly map: (state: S, item: I, index: number) => NotPromise<O>;
  /** Is given the state at the end, behind the last item; what it gives goes out too, unless it is `undefined`. Default: nothing. */
  readonly flush?: (state: S) => NotPromise<O> | undefined;
}

/**
 * Replaces each item by what a function makes of it and of a state that it changes, and hands on a last item at the end.
 *
 * Where `map` gives arrays and `flatten()` follows, it is a stage of any number of items for each. A state that is a value,
 * such as a sum, is more simply kept by `scan()`.
 *
 * Contract
 * - Order: kept. One item out for each item in, and one more at the end where `flush` gives one, also when no item came; not
 *   when the pipeline fails, is aborted or cancelled, or a stage behind this one ends it.
 * - Holds: the state, no items.
 * - Backpressure: reads an item only when one is asked for.
 * - Failure: `map` or `start` throwing is dealt with as `onError` says: by default it fails the pipeline, as the cause of a
 *   `StageError`. The state stays as it is then. `flush` throwing always fails it, with the number of items as the index.
 * - Cancel: cancelling downstream cancels upstream with the same reason.
 * - Checkpoint: the state is part of it, so it must be a value that the structured clone algorithm takes; `flush` is called
 *   at the end alone. Items that come behind an end, in a run that goes on from there, have a new state.
 *
 * @typeParam I - What comes in.
 * @typeParam S - The state: an object that `map` changes.
 * @typeParam O - What goes out.
 * @typeParam F - What `onError: fallback(fn)` gives.
 * @param options - `start`, `map`, `flush` (default: nothing at the end), `name` (default `'statefulMap'`), `onError` (default
 *   `'fail'`), `highWaterMark` (default: none, fused).
 * @returns A stage from `I` to `O`.
 * @throws TypeError `ERR_CORE_ARGUMENT` when a function is missing or an option is unknown.
 * @remarks Elsewhere: RxJS `scan`, `endWith`; Rust `scan`; Akka `statefulMap`; Node `Transform` with `flush`.
 *
 * @example Lines of a text that was cut anywhere
 * ```ts
 * const lines = statefulMap({
 *   start: () => ({ rest: '' }),
 *   map: (state, text: string) => {
 *     const [...whole] = (state.rest + text).split('\n');
 *     state.rest = whole.pop() ?? '';
 *     return whole;
 *   },
 *   flush: ({ rest }) => (rest === '' ? undefined : [rest]),
 * });
 * const texts = from(['a\nb', 'c\n', 'd']);
 * assert.deepEqual(await texts.pipeThrough(lines).pipeThrough(flatten()).toArray(), ['a', 'bc', 'd']);
 * ```
 */
export function statefulMap<I, S extends object, O, F = never>(
  options: StatefulMapOptions<I, S, O, F>,
): Stage<I, O | F> {
  checkCallOptions('statefulMap()', options, ['start', 'map', 'flush']);
  const { start, map, flush = nothing, ...rest } = options;
  checkFunction('statefulMap()', 'start', start);
  checkFunction('statefulMap()', 'map', map);
  checkFunction('statefulMap()', 'flush', flush);
  const spec = { name: 'statefulMap', ...rest, kind: STATEFUL_MAP, params: [map, start, flush] };
  return stageOf({ type: 'step', ...spec, weight: 'same' }, openPair);
}

const nothing = (): undefined => undefined;
