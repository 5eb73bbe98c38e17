import type { Stage } from '@millrace/core';
import { checkCount, checkOptions, checkPolicy, edgeMark, outOfRange } from '@millrace/core/authoring';
import { checkSchema, type StandardSchema } from '../standard-schema.js';
import { type DecodingPolicy, decoding } from '../stream/decoding.js';
import { ItemReader } from './item-reader.js';

/**
 * How a sequence of CBOR items is decoded.
 *
 * @typeParam T - The records.
 */
export interface CborDecodeOptions<T = unknown> {
  /** The most bytes that a record may have, 1 or more. Default: 1,048,576. */
  readonly maxRecordBytes?: number | undefined;
  /** How deep arrays, maps and tags may be nested, 1 to 512. Default: 64. */
  readonly maxDepth?: number | undefined;
  /**
   * What integers of 64 bits become: `'bigint'`, also where they are small, so that what is written as a BigInt is read as
   * one; or `'number'`, where one beyond 2^53 is an error. Default: `'bigint'`.
   */
  readonly int64?: 'bigint' | 'number' | undefined;
  /**
   * What each record must be: a Standard Schema that answers at once; what it makes of a record is the record. Default: records
   * are not checked.
   */
  readonly schema?: StandardSchema<T> | undefined;
  /**
   * What happens to a record whose end is known and that cannot be decoded, or is not what the schema says: `'fail'`, `'skip'`,
   * `deadLetter(writable)` or `fallback(fn)`, which gives a record in its place, that the schema is not asked about. Both get
   * its bytes. There is no `retry`: the same bytes are as bad the next time. Default: `'fail'`.
   */
  readonly onError?: DecodingPolicy<NoInfer<T>> | undefined;
  /** What the stage is called in errors, plans and figures. Default: `'cbor.decode'`. */
  readonly name?: string | undefined;
  /** How many chunks may wait before the stage. Default: 1. */
  readonly highWaterMark?: number | QueuingStrategy<Uint8Array> | undefined;
  /** What a chunk weighs: makes `highWaterMark` one of bytes. Default: every chunk counts as one. */
  readonly size?: ((chunk: Uint8Array) => number) | undefined;
}

/**
 * Turns chunks of bytes into records: one from each item of a CBOR sequence.
 *
 * Maps become plain objects, byte strings `Uint8Array`, tagged dates, big integers, sets, maps (tag 259) and typed arrays what they
 * stand for; other tags an object with `tag` and `value`. A key `__proto__` becomes `__proto_` and changes no prototype.
 *
 * Contract
 * - Order: kept, however the bytes are split into chunks.
 * - Holds: one chunk, and at most `maxRecordBytes` of an item whose end is yet to come.
 * - Backpressure: decodes as many records as are asked for; takes the next chunk when all items of this one are handed on.
 * - Failure: an item that is cut short at the end of the stream, has text that is no UTF-8, a private tag or a value without a
 *   form in JavaScript, or that the schema refuses, fails the run behind the records before it, or is skipped, dead-lettered or replaced on its own.
 *   One that is not well-formed or beyond a limit always fails the run, since where the next one begins is unknown. The `cause` is a
 *   {@link CodecError} with `byteOffset` and `recordIndex`.
 * - Cancel: cancels upstream with the same reason; the chunk at hand is counted as abandoned.
 *
 * @typeParam T - The records; they are what this says only where there is a `schema`.
 * @param options - `maxRecordBytes` (default 1,048,576), `maxDepth` (default 64), `int64` (default `'bigint'`), `schema` (default
 *   none), `onError` (default `'fail'`), `highWaterMark` (default 1) with `size`, `name`.
 * @returns A stage from `Uint8Array` to `T`.
 * @throws TypeError, RangeError `ERR_CORE_ARGUMENT` for options that make no sense.
 * @remarks Elsewhere: RxJS –; Rust `ciborium::from_reader`; Akka –; Node –.
 *
 * @example Records of bytes that are split anywhere
 * ```ts
 * import { from } from '@millrace/core';
 * const chunks = [Uint8Array.of(0xa1, 0x62, 0x69), Uint8Array.of(0x64, 0x01, 0xf5)];
 * assert.deepEqual(await from(chunks).pipeThrough(cbor.decode()).toArray(), [{ id: 1 }, true]);
 * ```
 *
 * @see https://www.rfc-editor.org/rfc/rfc8742
 */
export function decode<T = unknown>(options: CborDecodeOptions<T> = {}): Stage<Uint8Array, T> {
  const where = 'cbor.decode()';
  checkOptions(where, options, [
    'maxRecordBytes',
    'maxDepth',
    'int64',
    'schema',
    'onError',
    'name',
    'highWaterMark',
    'size',
  ]);
  const { maxRecordBytes = 1_048_576, maxDepth = 64, int64 = 'bigint', onError = 'fail' } = options;
  const { schema, name = 'cbor.decode' } = options;
  const mark = edgeMark(where, options);
  checkCount(where, 'maxRecordBytes', maxRecordBytes, 1);
  checkCount(where, 'maxDepth', maxDepth, 1);
  // The decoder below nests calls.
  if (maxDepth > 512) throw outOfRange(where, 'maxDepth', maxDepth, 'at most 512');
  if (int64 !== 'bigint' && int64 !== 'number') throw outOfRange(where, 'int64', int64, '"bigint" or "number"');
  checkSchema(where, schema);
  checkPolicy(where, onError);
  return decoding<T>(
    { name, mark, onError },
    () => new ItemReader({ maxRecordBytes, maxDepth, int64, schema }) as never,
  );
}
