import type { ErrorPolicy, Stage } from '@millrace/core';
import { checkOptions, checkPolicy, edgeMark } from '@millrace/core/authoring';
import { encoding } from '../stream/encoding.js';
import { LineWriter } from './line-writer.js';

/** How NDJSON is encoded. */
export interface NdjsonEncodeOptions<T = unknown> {
  /**
   * What happens to a record that has no form in JSON (`undefined`, a function, a BigInt, a cycle): `'fail'`, `'skip'`,
   * `deadLetter(writable)`, which gets the record, or `fallback(fn)`, which gives another to encode in its place; one that
   * can't be encoded either fails the run. There is no `retry`: the record is as bad the next time. Default: `'fail'`.
   */
  readonly onError?: ErrorPolicy<NoInfer<T>, unknown> | undefined;
  /** What the stage is called in errors, plans and figures. Default: `'ndjson.encode'`. */
  readonly name?: string | undefined;
  /** How many records may wait before the stage. Default: 256; behind a batch, as many as have 256 members. */
  readonly highWaterMark?: number | QueuingStrategy<NoInfer<T>> | undefined;
  /** What a record weighs: makes `highWaterMark` one of weight. Default: every record counts as one. */
  readonly size?: ((record: NoInfer<T>) => number) | undefined;
}

/**
 * Turns records into chunks of bytes: one line of JSON for each.
 *
 * A chunk has the records that are there at the moment, at most 256, and about 64 KiB; it does not wait to be filled.
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
 * @remarks Elsewhere: RxJS –; Rust `serde_json::to_writer`; Akka `EntityStreamingSupport.json`; Node –.
 *
 * @example Lines of records
 * ```ts
 * import { from } from '@millrace/core';
 * const chunks = await from([{ id: 1 }, { id: 2 }]).pipeThrough(ndjson.encode()).toArray();
 * assert.equal(await new Blob(chunks).text(), '{"id":1}\n{"id":2}\n');
 * ```
 *
 * @example Another record for one that JSON has no form for
 * ```ts
 * import { fallback, from } from '@millrace/core';
 * const asText = fallback((_error, record) => String(record));
 * const chunks = await from([1, 2n]).pipeThrough(ndjson.encode({ onError: asText })).toArray();
 * assert.equal(await new Blob(chunks).text(), '1\n"2"\n');
 * ```
 *
 * @see https://github.com/ndjson/ndjson-spec
 */
export function encode<T = unknown>(options: NdjsonEncodeOptions<T> = {}): Stage<T, Uint8Array<ArrayBuffer>> {
  const where = 'ndjson.encode()';
  checkOptions(where, options, ['onError', 'name', 'highWaterMark', 'size']);
  const { onError = 'fail', name = 'ndjson.encode' } = options;
  const mark = edgeMark(where, options);
  checkPolicy(where, onError);
  return encoding<T>({ name, mark, onError }, () => new LineWriter());
}
