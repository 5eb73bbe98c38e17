/**
 * What a synchronous function may return: anything but a promise.
 *
 * The compiler's message for one that does names `mapAsync()`, which is for such functions.
 *
 * @typeParam O - What it returns.
 */
export type NotPromise<O> = O extends PromiseLike<unknown> ? 'use mapAsync() for a function that returns a promise' : O;

declare const NEVER: unique symbol;

/**
 * Nothing is of this type. It stands beside a type that a promise is not assignable to anyway, so that the compiler's
 * message names `mapAsync()`: decide, or unfold, what it has made.
 */
export interface UseMapAsyncForPromises {
  readonly [NEVER]: never;
}
