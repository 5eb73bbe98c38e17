import type { OnError, Stage } from '@millrace/core';
import { checkCount, checkOnError, checkOptions } from '@millrace/core/authoring';
import { decoding } from '../stream/decoding.js';
import { LineReader } from './line-reader.js';

/** How NDJSON is decoded. */
export interface NdjsonDecodeOptions {
  /** The most bytes that a record may have, its line end not counted; 1 or more. Default: 1,048,576. */
  readonly maxRecordBytes?: number | undefined;
  /**
   * What happens to a line that is no JSON, no UTF-8 or too long: `'fail'`, `'skip'` or `deadLetter(writable)`, which gets
   * the bytes of the line, at most `maxRecordBytes` of them. Default: `'fail'`.
   */
  readonly onError?: OnError<Uint8Array> | undefined;
  /** What the stage is called in errors, plans and figures. Default: `'ndjson.decode'`. */
  readonly name?: string | undefined;
  /** How many chunks may wait before the stage. Default: 1. */
  readonly highWaterMark?: number | undefined;
}

/**
 * Turns chunks of bytes into records: one JSON value from each line.
 *
 * Lines end with a newline, with or without a carriage return before it; the last needs no end. Empty lines and a byte order
 * mark at the beginning are passed over. A key `__proto__` becomes a property of its own and changes no prototype.
 *
 * Contract
 * - Order: kept, however the bytes are split into chunks.
 * - Holds: one chunk, and at most `maxRecordBytes` of a line whose end is yet to come.
 * - Backpressure: parses as many records as are asked for; takes the next chunk when all lines of this one are handed on.
 * - Failure: a line that cannot be decoded fails the run behind the records before it, or is skipped or dead-lettered
 *   on its own. The `cause` is a {@link CodecError} with `byteOffset` and `recordIndex`.
 * - Cancel: cancels upstream with the same reason; the chunk at hand is counted as abandoned.
 *
 * @typeParam T - The records; they are not checked.
 * @param options - `maxRecordBytes` (default 1,048,576), `onError` (default `'fail'`), `highWaterMark` (default 1), `name`.
 * @returns A stage from `Uint8Array` to `T`.
 * @throws TypeError, RangeError `ERR_CORE_ARGUMENT` for options that make no sense.
 *
 * @example Records of bytes that are split anywhere
 * ```ts
 * import { from } from '@millrace/core';
 * const chunks = ['{"id":1}\n{"i', 'd":2}\n'].map((text) => new TextEncoder().encode(text));
 * assert.deepEqual(await from(chunks).pipeThrough(ndjson.decode<{ id: number }>()).toArray(), [{ id: 1 }, { id: 2 }]);
 * ```
 *
 * @see https://github.com/ndjson/ndjson-spec
 */
export function decode<T = unknown>(options: NdjsonDecodeOptions = {}): Stage<Uint8Array, T> {
  const where = 'ndjson.decode()';
  checkOptions(where, options, ['maxRecordBytes', 'onError', 'name', 'highWaterMark']);
  const { maxRecordBytes = 1_048_576, onError = 'fail', name = 'ndjson.decode', highWaterMark = 1 } = options;
  checkCount(where, 'maxRecordBytes', maxRecordBytes, 1);
  checkOnError(where, onError);
  return decoding<T>({ name, highWaterMark, onError }, () => new LineReader(maxRecordBytes) as never);
}
