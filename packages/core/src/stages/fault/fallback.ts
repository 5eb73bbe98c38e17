import type { ErrorPolicy, FailedItem, Fallback } from '../../engine/rejects.js';
import { checkFunction, outOfRange, wrongType } from '../../internal/arguments.js';

export type { ErrorPolicy, FailedItem, Fallback };

/**
 * Gives another value in place of the one that a stage's function failed to give; the item counts as passed.
 *
 * The value stands for what the function should have given: a result for `map()` and `mapAsync()`, the answer for
 * `filter()`, the next state for `scan()`, the items for `flatMap()`, the name of the branch for `route()`. What `fn` itself throws fails the run.
 *
 * @typeParam I - The items of the stage.
 * @typeParam O - What is given.
 * @param fn - Is given the error, the item and `{ stage, index, attempts }`; may return a promise where the stage's own
 *   function may.
 * @returns A value for the option `onError`.
 * @throws TypeError `ERR_CORE_ARGUMENT` when `fn` is not a function.
 * @remarks Elsewhere: RxJS `catchError`; Rust `unwrap_or_else`; Akka `recover`; Node –.
 *
 * @example Zero for what is not a number
 * ```ts
 * const parsed = map((text: string) => JSON.parse(text) as number, { onError: fallback(() => 0) });
 * assert.deepEqual(await from(['1', 'two', '3']).pipeThrough(parsed).toArray(), [1, 0, 3]);
 * ```
 */
export function fallback<I, O>(fn: (error: unknown, item: I, context: FailedItem) => O): Fallback<I, O> {
  checkFunction('fallback()', 'fn', fn);
  return { fallback: fn };
}

const MUST_BE = '"fail", "skip", deadLetter(writable) or fallback(fn)';

/** Refuses what cannot be the option `onError` of a stage that can fall back. */
export function checkPolicy(where: string, value: unknown): void {
  if (value === 'fail' || value === 'skip') return;
  if (typeof value === 'string') throw outOfRange(where, 'onError', value, MUST_BE);
  const { writable, fallback } = (value ?? {}) as { writable?: unknown; fallback?: unknown };
  if (writable instanceof WritableStream || typeof fallback === 'function') return;
  throw wrongType(where, 'onError', value, MUST_BE);
}
