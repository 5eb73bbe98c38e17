import { PipelineError } from '@millrace/core';

/** What went wrong, for programs to tell apart; the README says when each comes and what to do. */
export type CodecErrorCode =
  | 'ERR_CODECS_BYTES'
  | 'ERR_CODECS_CBOR'
  | 'ERR_CODECS_DEPTH'
  | 'ERR_CODECS_INTEGER'
  | 'ERR_CODECS_JSON'
  | 'ERR_CODECS_PARQUET'
  | 'ERR_CODECS_SCHEMA'
  | 'ERR_CODECS_SIZE'
  | 'ERR_CODECS_TAG'
  | 'ERR_CODECS_TRUNCATED'
  | 'ERR_CODECS_UTF8'
  | 'ERR_CODECS_VALUE';

/** Where bytes could not be decoded, and the error underneath. */
export interface CodecErrorOptions extends ErrorOptions {
  /** Index in the stream of the first byte of what could not be decoded. */
  readonly byteOffset?: number | undefined;
  /** How many records came before the one that could not be decoded or encoded. */
  readonly recordIndex?: number | undefined;
}

/**
 * Reports bytes that a decoder cannot turn into records, or a record that an encoder cannot turn into bytes.
 *
 * The message never carries payload data; `cause` is the error underneath, where there is one.
 *
 * @example Say where a stream is broken
 * ```ts
 * import { from } from '@millrace/core';
 * const bytes = new TextEncoder().encode('{"id":1}\n{"id":');
 * const error = await from([bytes]).pipeThrough(ndjson.decode()).toArray().catch((reason) => reason.cause);
 * assert.ok(error instanceof CodecError);
 * assert.deepEqual([error.code, error.recordIndex, error.byteOffset], ['ERR_CODECS_JSON', 1, 9]);
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
