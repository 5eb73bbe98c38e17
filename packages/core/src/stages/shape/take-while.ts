import { openPair } from '../../engine/pair.js';
import { type Stage, stageOf } from '../../engine/stage.js';
import { TAKE_WHILE } from '../../engine/steps.js';
import { checkBoolean, checkFunction } from '../../internal/arguments.js';
import type { UseMapAsyncForPromises } from '../not-promise.js';
import { type CallOptions, checkCallOptions } from '../step-options.js';

/**
 * Whether the item that ends the stream belongs to it.
 *
 * @typeParam I - What passes.
 */
export interface TakeWhileOptions<I> extends CallOptions<I, boolean> {
  /** Whether the first item for which the predicate is not true passes too, as the last. Default: `false`. */
  readonly inclusive?: boolean;
}

/**
 * Passes items as long as a predicate is true, and ends.
 *
 * Contract
 * - Order: kept. The first item for which the predicate is not true is counted as filtered, or passes with `inclusive`; with
 *   it the stream ends and the source is closed. The predicate is not asked again.
 * - Holds: nothing.
 * - Backpressure: reads an item only when one is asked for; what was asked for with the item that ends the stream is
 *   counted as abandoned.
 * - Failure: `predicate` throwing is dealt with as `onError` says: by default it fails the pipeline, as the cause of a
 *   `StageError`; so does a promise it returns.
 * - Cancel: cancelling downstream cancels upstream with the same reason.
 * - Checkpoint: whether the stream has ended is part of it.
 *
 * @typeParam I - What comes in.
 * @typeParam O - What goes out: narrower where `predicate` is a type guard.
 * @param predicate - Is given the item and its index, from 0.
 * @param options - `inclusive` (default `false`), `name` (default `'takeWhile'`), `onError` (default `'fail'`), `highWaterMark`
 *   (default: none, fused).
 * @returns A stage from `I` to `I`, or to what the type guard narrows it to.
 * @throws TypeError `ERR_CORE_ARGUMENT` when `predicate` is not a function or an option is wrong.
 * @remarks Elsewhere: RxJS `takeWhile`; Rust `take_while`; Akka `takeWhile`; Node –.
 *
 * @example The powers of two below 100
 * ```ts
 * const powers = generate((n) => 2 ** n).pipeThrough(takeWhile((n) => n < 100));
 * assert.equal(await powers.last(), 64);
 * ```
 *
 * @example Up to the line that says so
 * ```ts
 * const head = takeWhile((line: string) => line !== 'end', { inclusive: true });
 * assert.deepEqual(await from(['a', 'end', 'b']).pipeThrough(head).toArray(), ['a', 'end']);
 * ```
 */
export function takeWhile<I, O extends I>(
  predicate: (item: I, index: number) => item is O,
  options?: TakeWhileOptions<I> & { readonly inclusive?: false },
): Stage<I, O>;
export function takeWhile<I>(
  predicate: (item: I, index: number) => boolean | UseMapAsyncForPromises,
  options?: TakeWhileOptions<I>,
): Stage<I, I>;
export function takeWhile<I>(
  predicate: (item: I, index: number) => boolean | UseMapAsyncForPromises,
  options: TakeWhileOptions<I> = {},
): Stage<I, I> {
  checkFunction('takeWhile()', 'predicate', predicate);
  checkCallOptions('takeWhile()', options, ['inclusive']);
  const { inclusive = false, ...rest } = options;
  checkBoolean('takeWhile()', 'inclusive', inclusive);
  const spec = { name: 'takeWhile', ...rest, kind: TAKE_WHILE, params: [predicate, inclusive] };
  return stageOf({ type: 'step', ...spec, weight: 'same' }, openPair);
}
