/** Codes of the errors that this package makes. Each is listed, with what to do, in the README of the package. */
export type CoreErrorCode = 'ERR_CORE_ARGUMENT';

/** What a {@link PipelineError} can carry besides its code and message. */
export interface PipelineErrorOptions {
  /** The error that led to this one, unchanged. */
  readonly cause?: unknown;
}

/**
 * Reports a condition at run time that a caller may want to catch, by its `code`.
 *
 * @typeParam Code - The codes that the error can have: a union of string literals.
 *
 * @example Tell conditions apart by code
 * ```ts
 * const error = new PipelineError('ERR_SHOP_CLOSED', 'Cannot read orders: the shop is closed', { cause: 'Sunday' });
 * assert.equal(error.code, 'ERR_SHOP_CLOSED');
 * assert.equal(error.cause, 'Sunday');
 * ```
 */
export class PipelineError<Code extends string = string> extends Error {
  override readonly name: string = 'PipelineError';

  /** Stable identification of the condition: `ERR_<PACKAGE>_<CONDITION>`. */
  readonly code: Code;

  /**
   * @param code - Identifies the condition; metrics and logs use it as `error.type`.
   * @param message - For people: `Cannot <action> <what>: <what is> (<what must be>)`.
   * @param options - `cause` (default: none).
   */
  constructor(code: Code, message: string, options?: PipelineErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Makes the error for a wrong argument: a `TypeError` or `RangeError` with `code: 'ERR_CORE_ARGUMENT'`.
 *
 * @typeParam E - The class of the error.
 * @param ErrorClass - `TypeError` for a value of the wrong kind, `RangeError` for one out of bounds.
 * @param message - For people: `Cannot <action> <what>: <what is> (<what must be>)`.
 * @returns The error, to be thrown by the caller, so that the stack starts there.
 *
 * @example Refuse a number out of range
 * ```ts
 * const error = argumentError(RangeError, 'Cannot build a batch: maxItems is 0 (it must be 1 or more)');
 * assert.ok(error instanceof RangeError);
 * assert.equal(error.code, 'ERR_CORE_ARGUMENT');
 * ```
 */
export function argumentError<E extends TypeError | RangeError>(
  ErrorClass: new (message: string) => E,
  message: string,
): E & { readonly code: CoreErrorCode } {
  return Object.assign(new ErrorClass(message), { code: 'ERR_CORE_ARGUMENT' as const });
}
