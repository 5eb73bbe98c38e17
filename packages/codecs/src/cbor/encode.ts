import type { ErrorPolicy, Stage } from '@millrace/core';
import { checkOptions, checkPolicy, edgeMark } from '@millrace/core/authoring';
import { encoding } from '../stream/encoding.js';
import { ItemWriter } from './item-writer.js';

/** How records are encoded as a sequence of CBOR items. */
export interface CborEncodeOptions<T = unknown> {
  /**
   * What happens to a record with a value that has no form in CBOR (a function, a symbol, a cycle): `'fail'`, `'skip'`,
   * `deadLetter(writable)`, which gets the record, or `fallback(fn)`, which gives another to encode in its place; one that
   * can't be encoded either fails the run. There is no `retry`: the record is as bad the next time. Default: `'fail'`.
   */
  readonly onError?: ErrorPolicy<NoInfer<T>, unknown> | undefined;
  /** What the stage is called in errors, plans and figures. Default: `'cbor.encode'`. */
  readonly name?: string | undefined;
  /** How many records may wait before the stage. Default: 256; behind a batch, as many as have 256 members. */
  readonly highWaterMark?: number | QueuingStrategy<NoInfer<T>> | undefined;
  /** What a record weighs: makes `highWaterMark` one of weight. Default: every record counts as one. */
  readonly size?: ((record: NoInfer<T>) => number) | undefined;
}

/**
 * Turns records into chunks of bytes: one item of a CBOR sequence for each, in standard form, which any CBOR library reads.
 *
 * A chunk has the records that are there at the moment, at most 256, and about 64 KiB; it does not wait to be filled. Objects
 * become maps of their own enumerable properties; −0 becomes 0; dates keep their milliseconds up to about the year 100,000.
 *
 * Contract
 * - Order: kept.
 * - Holds: at most 256 records; behind a batch, as many as have 256 members, and one at least.
 * - Backpressure: reads ahead up to `highWaterMark` records; makes one chunk each time it is asked.
 * - Failure: a record that cannot be encoded fails the run behind the chunk of those before it, or is skipped,
 *   dead-lettered or replaced on its own. The `cause` is a {@link CodecError} with `recordIndex`.
 * - Cancel: cancels upstream with the same reason; records not yet in a chunk are counted as abandoned.
 *
 * @typeParam T - The records.
 * @param options - `onError` (default `'fail'`), `highWaterMark` (default 256) with `size`, `name`.
 * @returns A stage from `T` to `Uint8Array`.
 * @throws TypeError, RangeError `ERR_CORE_ARGUMENT` for options that make no sense.
 * @remarks Elsewhere: RxJS –; Rust `ciborium::into_writer`; Akka –; Node –.
 *
 * @example Bytes of records
 * ```ts
 * import { from } from '@millrace/core';
 * const [chunk] = await from([{ id: 1 }]).pipeThrough(cbor.encode()).toArray();
 * assert.deepEqual(chunk, Uint8Array.of(0xa1, 0x62, 0x69, 0x64, 0x01));
 * ```
 *
 * @see https://www.rfc-editor.org/rfc/rfc8742
 */
export function encode<T = unknown>(options: CborEncodeOptions<T> = {}): Stage<T, Uint8Array<ArrayBuffer>> {
  const where = 'cbor.encode()';
  checkOptions(where, options, ['onError', 'name', 'highWaterMark', 'size']);
  const { onError = 'fail', name = 'cbor.encode' } = options;
  const mark = edgeMark(where, options);
  checkPolicy(where, onError);
  return encoding<T>({ name, mark, onError }, () => new ItemWriter());
}
