import { PipelineError } from '@millrace/core';

/** What went wrong, for programs to tell apart. */
export type CodecErrorCode = 'ERR_CODECS_PARQUET';

/** Where bytes could not be decoded, and the error underneath. */
export interface CodecErrorOptions extends ErrorOptions {
  /** Index in the stream of the first byte of what could not be decoded. */
  readonly byteOffset?: number | undefined;
  /** How many records came before the one that could not be decoded. */
  readonly recordIndex?: number | undefined;
}

/**
 * Reports bytes that a decoder cannot turn into records, or a record that an encoder cannot turn into bytes.
 *
 * The message never carries payload data; `cause` is the error underneath, where there is one.
 *
 * @example Tell a broken file from other failures
 * ```ts
 * const error: unknown = new CodecError('ERR_CODECS_PARQUET', 'Cannot read a Parquet file: it has 3 bytes');
 * assert.equal(error instanceof CodecError && error.code, 'ERR_CODECS_PARQUET');
 * ```
 */
export class CodecError extends PipelineError {
  declare readonly code: CodecErrorCode;
  /** Index in the stream of the first byte of what could not be decoded, where that is known. */
  readonly byteOffset: number | undefined;
  /** How many records came before, where that is known. */
  readonly recordIndex: number | undefined;

  /**
   * @param code - The condition, `ERR_CODECS_<CONDITION>`.
   * @param message - What could not be done, what is, and what must be.
   * @param options - `byteOffset`, `recordIndex` and `cause`, where they are known.
   */
  constructor(code: CodecErrorCode, message: string, options: CodecErrorOptions = {}) {
    const { byteOffset, recordIndex, ...rest } = options;
    super(code, message, rest);
    this.name = 'CodecError';
    this.byteOffset = byteOffset;
    this.recordIndex = recordIndex;
  }
}
