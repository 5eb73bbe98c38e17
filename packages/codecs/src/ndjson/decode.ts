import type { Stage } from '@millrace/core';
import { checkCount, checkOptions, checkPolicy, edgeMark } from '@millrace/core/authoring';
import { checkSchema, type StandardSchema } from '../standard-schema.js';
import { type DecodingPolicy, decoding } from '../stream/decoding.js';
import { LineReader } from './line-reader.js';

/**
 * How NDJSON is decoded.
 *
 * @typeParam T - The records.
 */
export interface NdjsonDecodeOptions<T = unknown> {
  /** The most bytes that a record may have, its line end not counted; 1 or more. Default: 1,048,576. */
  readonly maxRecordBytes?: number | undefined;
  /**
   * What each record must be: a Standard Schema that answers at once; what it makes of a record is the record. Default: records
   * are not checked.
   */
  readonly schema?: StandardSchema<T> | undefined;
  /**
   * What happens to a line that is no JSON, no UTF-8, too long or not what the schema says: `'fail'`, `'skip'`,
   * `deadLetter(writable)` or `fallback(fn)`, which gives a record in its place, that the schema is not asked about. Both get
   * the bytes of the line, at most `maxRecordBytes` of them. There is no `retry`: the same bytes are as bad the next time.
   * Default: `'fail'`.
   */
  readonly onError?: DecodingPolicy<NoInfer<T>> | undefined;
  /** What the stage is called in errors, plans and figures. Default: `'ndjson.decode'`. */
  readonly name?: string | undefined;
  /** How many chunks may wait before the stage. Default: 1. */
  readonly highWaterMark?: number | QueuingStrategy<Uint8Array> | undefined;
  /** What a chunk weighs: makes `highWaterMark` one of bytes. Default: every chunk counts as one. */
  readonly size?: ((chunk: Uint8Array) => number) | undefined;
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
 * - Failure: a line that cannot be decoded, or that the schema refuses, fails the run behind the records before it, or is
 *   skipped, dead-lettered or replaced on its own. The `cause` is a {@link CodecError} with `byteOffset` and `recordIndex`.
 * - Cancel: cancels upstream with the same reason; the chunk at hand is counted as abandoned.
 *
 * @typeParam T - The records; they are what this says only where there is a `schema`.
 * @param options - `maxRecordBytes` (default 1,048,576), `schema` (default none), `onError` (default `'fail'`), `highWaterMark` (default 1) with `size`, `name`.
 * @returns A stage from `Uint8Array` to `T`.
 * @throws TypeError, RangeError `ERR_CORE_ARGUMENT` for options that make no sense.
 * @remarks Elsewhere: RxJS –; Rust `serde_json::StreamDeserializer`; Akka `JsonFraming.objectScanner`; Node `readline` with `JSON.parse`.
 *
 * @example Records of bytes that are split anywhere
 * ```ts
 * import { from } from '@millrace/core';
 * const chunks = ['{"id":1}\n{"i', 'd":2}\n'].map((text) => new TextEncoder().encode(text));
 * assert.deepEqual(await from(chunks).pipeThrough(ndjson.decode<{ id: number }>()).toArray(), [{ id: 1 }, { id: 2 }]);
 * ```
 *
 * @example Only records that a schema accepts
 * ```ts
 * import { from } from '@millrace/core';
 * const isFlight = (value: unknown): value is { delay: number } => typeof (value as { delay?: unknown } | null)?.delay === 'number';
 * const schema: StandardSchema<{ delay: number }> = {
 *   '~standard': {
 *     version: 1,
 *     vendor: 'example',
 *     validate: (value) => (isFlight(value) ? { value } : { issues: [{ message: '"delay" must be a number' }] }),
 *   },
 * };
 * const bytes = new TextEncoder().encode('{"delay":5}\n{"delay":"late"}\n{"delay":7}\n');
 * const late = from([bytes]).pipeThrough(ndjson.decode({ schema, onError: 'skip' }));
 * assert.deepEqual(await late.toArray(), [{ delay: 5 }, { delay: 7 }]);
 * ```
 *
 * @example Another record for each line that is none
 * ```ts
 * import { fallback, from } from '@millrace/core';
 * const bytes = new TextEncoder().encode('{"id":1}\noops\n');
 * const none = fallback((_error, line: Uint8Array) => ({ id: 0, bytes: line.length }));
 * const records = from([bytes]).pipeThrough(ndjson.decode<{ id: number; bytes?: number }>({ onError: none }));
 * assert.deepEqual(await records.toArray(), [{ id: 1 }, { id: 0, bytes: 4 }]);
 * ```
 *
 * @see https://github.com/ndjson/ndjson-spec
 */
export function decode<T = unknown>(options: NdjsonDecodeOptions<T> = {}): Stage<Uint8Array, T> {
  const where = 'ndjson.decode()';
  checkOptions(where, options, ['maxRecordBytes', 'schema', 'onError', 'name', 'highWaterMark', 'size']);
  const { maxRecordBytes = 1_048_576, schema, onError = 'fail' } = options;
  const { name = 'ndjson.decode' } = options;
  const mark = edgeMark(where, options);
  checkCount(where, 'maxRecordBytes', maxRecordBytes, 1);
  checkSchema(where, schema);
  checkPolicy(where, onError);
  return decoding<T>({ name, mark, onError }, () => new LineReader(maxRecordBytes, schema) as never);
}
