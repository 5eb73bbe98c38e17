// The registry's symbol: a worker module may be bundled with a copy of this file of its own.
const TRANSFERRED: unique symbol = Symbol.for('millrace.transferred') as never;

/** A result with what is moved to the main thread, and not copied. Made by {@link transferred}. */
export interface Transferred<T> {
  /** @internal */
  readonly [TRANSFERRED]: { readonly value: T; readonly transfer: readonly Transferable[] };
}

/**
 * Returns a result from a worker's function and moves buffers of it, which the worker loses, without a copy.
 *
 * @typeParam T - The result.
 * @param value - The result, with the buffers in it.
 * @param transfer - The buffers, ports or streams that move.
 * @returns What the function of the worker module returns.
 *
 * @example A worker module that fills a column
 * ```ts
 * import { transferred } from '@millrace/parallel/worker';
 * const squares = (numbers: Float64Array) => {
 *   const result = numbers.map((n) => n * n);
 *   return transferred(result, [result.buffer]);
 * };
 * assert.equal(typeof squares(Float64Array.of(1, 2)), 'object');
 * ```
 */
export function transferred<T>(value: T, transfer: readonly Transferable[]): Transferred<T> {
  return { [TRANSFERRED]: { value, transfer } };
}

/** What a function wrapped with `transferred()`, if it did. */
export function unwrapTransferred(
  result: unknown,
): { readonly value: unknown; readonly transfer: readonly Transferable[] } | undefined {
  if (typeof result !== 'object' || result === null) return undefined;
  return (result as Partial<Transferred<unknown>>)[TRANSFERRED];
}
