import { Decoder } from 'cbor-x/decode';
import { CodecError, type CodecErrorCode } from '../codec-error.js';
import { checkRecord, SCHEMA_FAULT, type StandardSchema, type StandardSchemaResult } from '../standard-schema.js';
import { Carry } from '../stream/carry.js';
import type { RecordReader, Rejected, SavedReader } from '../stream/record-reader.js';
import { definite } from './definite.js';
import { ItemScanner, type Problem } from './item-scanner.js';

/** How items of CBOR become records. */
export interface ItemReaderOptions {
  readonly maxRecordBytes: number;
  readonly maxDepth: number;
  readonly int64: 'bigint' | 'number';
  readonly schema?: StandardSchema | undefined;
}

/** Items of the chunk that are decoded, and that the schema has yet to look at. */
interface Unchecked {
  readonly values: readonly unknown[];
  /** Where each ends in the chunk. */
  readonly ends: readonly number[];
  /** Where the next begins. */
  begin: number;
  next: number;
}

/**
 * Reads records from a sequence of CBOR items.
 *
 * The scanner finds the ends of as many items as are asked for; cbor-x decodes them in one call. An item that goes on in the
 * next chunk is carried over, and bytes are added to it as it needs them, so that it is scanned once.
 */
export class ItemReader implements RecordReader<unknown> {
  readonly #scanner: ItemScanner;
  readonly #decoder: Decoder;
  readonly #schema: StandardSchema | undefined;
  #unchecked: Unchecked | undefined;
  readonly #carry = new Carry();
  #chunk: Uint8Array = new Uint8Array(0);
  /** Where the next item begins in the chunk, or where what the carried item needs does. */
  #at = 0;
  /** The byte of the stream at which the chunk begins, and the carried item. */
  #offset = 0;
  #carryOffset = 0;
  #isEnded = false;
  #recordIndex = 0;

  constructor({ maxRecordBytes, maxDepth, int64, schema }: ItemReaderOptions) {
    this.#schema = schema;
    const isNumber = int64 === 'number';
    this.#scanner = new ItemScanner({ maxRecordBytes, maxDepth, refusesUnsafe: isNumber });
    // `int64AsNumber` is missing in the types of cbor-x.
    const options = { useRecords: false, mapsAsObjects: true, copyBuffers: true, int64AsNumber: isNumber };
    this.#decoder = new Decoder(options);
  }

  push(chunk: Uint8Array): void {
    this.#offset += this.#chunk.length;
    this.#chunk = chunk;
    this.#at = 0;
  }

  end(): void {
    this.#isEnded = true;
  }

  read(records: unknown[], max: number): Rejected | undefined {
    while (records.length < max) {
      let rejected: Rejected | undefined;
      if (this.#unchecked !== undefined) rejected = this.#checkNext(records, this.#unchecked);
      else if (this.#at === this.#chunk.length && !this.#isCut()) return undefined;
      else rejected = this.#carry.length > 0 ? this.#readCarried(records) : this.#readChunk(records, max);
      if (rejected !== undefined) return rejected;
    }
    return undefined;
  }

  save(): SavedReader {
    return {
      offset: this.#offset + this.#chunk.length,
      recordIndex: this.#recordIndex,
      carry: this.#carry.bytes.slice(),
      carryOffset: this.#carryOffset,
      isPassing: false,
    };
  }

  restore({ offset, recordIndex, carry, carryOffset }: SavedReader): void {
    this.#offset = offset;
    this.#recordIndex = recordIndex;
    this.#carryOffset = carryOffset;
    if (carry.length === 0) return;
    this.#carry.append(carry, 0, carry.length);
    // It comes to the end of the bytes, as it had.
    this.#scanner.begin();
    this.#scanner.scan(carry, 0, 0);
  }

  #isCut(): boolean {
    return this.#isEnded && this.#carry.length > 0;
  }

  /** Adds bytes to the carried item until it is complete or the chunk is used up. */
  #readCarried(records: unknown[]): Rejected | undefined {
    const scanner = this.#scanner;
    if (this.#isCut()) {
      const bytes = this.#carry.take();
      const what = 'the bytes end within it (must be complete)';
      return this.#reject({ code: 'ERR_CODECS_TRUNCATED', what, isFatal: false }, this.#carryOffset, bytes);
    }
    const to = Math.min(this.#chunk.length, this.#at + scanner.missing);
    this.#carry.append(this.#chunk, this.#at, to);
    scanner.missing -= to - this.#at;
    this.#at = to;
    if (scanner.missing > 0) return undefined;
    const bytes = this.#carry.bytes;
    const isComplete = scanner.scan(bytes, 0, scanner.at);
    if (scanner.problem?.isFatal === true || isComplete) {
      const item = this.#carry.take();
      return this.#finish(records, item, this.#carryOffset);
    }
    return undefined;
  }

  /** Decodes the next items of the chunk, as far as they are complete and nothing is wrong with them. */
  #readChunk(records: unknown[], max: number): Rejected | undefined {
    const scanner = this.#scanner;
    const chunk = this.#chunk;
    const begin = this.#at;
    const ends: number[] = [];
    let start = begin;
    let isPlain = true;
    while (isPlain && start < chunk.length && records.length + ends.length < max) {
      scanner.begin();
      if (!scanner.scan(chunk, start, start)) break;
      isPlain = scanner.problem === undefined && !scanner.hasPieces;
      if (!isPlain) break;
      start = scanner.at;
      ends.push(start);
    }
    const rejected = ends.length > 0 ? this.#decode(records, begin, ends) : undefined;
    if (rejected !== undefined) return rejected;
    this.#at = start;
    // What is behind them waits until the schema has looked at them.
    if (start === chunk.length || records.length === max || this.#unchecked !== undefined) return undefined;
    if (scanner.problem?.isFatal !== true && isPlain) {
      this.#carryOffset = this.#offset + start;
      this.#carry.append(chunk, start, chunk.length);
      scanner.at -= start;
      this.#at = chunk.length;
      return undefined;
    }
    const end = scanner.problem?.isFatal === true ? Math.min(scanner.at + 1, chunk.length) : scanner.at;
    this.#at = end;
    return this.#finish(records, chunk.slice(start, end), this.#offset + start);
  }

  /** Decodes the items of the chunk from `begin` on, all at once; one by one where that fails. */
  #decode(records: unknown[], begin: number, ends: readonly number[]): Rejected | undefined {
    const last = ends[ends.length - 1] as number;
    try {
      const values = this.#decoder.decodeMultiple(this.#chunk.subarray(begin, last)) as unknown[];
      if (this.#schema !== undefined) {
        this.#unchecked = { values, ends, begin, next: 0 };
        return undefined;
      }
      for (const value of values) records.push(value);
      this.#recordIndex += values.length;
      return undefined;
    } catch {
      // Which item it was is found below, with its error.
    }
    let start = begin;
    for (const end of ends) {
      this.#at = end;
      const rejected = this.#decodeOne(records, this.#chunk.slice(start, end), this.#offset + start);
      if (rejected !== undefined) return rejected;
      start = end;
    }
    return undefined;
  }

  /** Makes a record of one item, or rejects it. */
  #finish(records: unknown[], item: Uint8Array, offset: number): Rejected | undefined {
    const { problem, hasPieces } = this.#scanner;
    if (problem !== undefined) return this.#reject(problem, offset, item);
    return this.#decodeOne(records, hasPieces ? definite(item) : item, offset);
  }

  #decodeOne(records: unknown[], item: Uint8Array, offset: number): Rejected | undefined {
    let value: unknown;
    try {
      value = this.#decoder.decode(item);
    } catch (cause) {
      const what = 'a value has no form in JavaScript (must be standard CBOR, with text or numbers as keys)';
      return this.#reject({ code: 'ERR_CODECS_CBOR', what, isFatal: false }, offset, item, cause);
    }
    return this.#take(records, value, () => item, offset);
  }

  #checkNext(records: unknown[], unchecked: Unchecked): Rejected | undefined {
    const { values, ends, begin, next } = unchecked;
    const end = ends[next] as number;
    unchecked.next++;
    unchecked.begin = end;
    if (unchecked.next === ends.length) this.#unchecked = undefined;
    return this.#take(records, values[next], () => this.#chunk.slice(begin, end), this.#offset + begin);
  }

  /** Makes a record of a value, if the schema has nothing against it. */
  #take(records: unknown[], value: unknown, item: () => Uint8Array, offset: number): Rejected | undefined {
    let cause: unknown;
    try {
      const result: StandardSchemaResult<unknown> =
        this.#schema === undefined ? { value } : checkRecord(this.#schema, value);
      if (result.issues === undefined) {
        records.push(result.value);
        this.#recordIndex++;
        return undefined;
      }
      cause = result.issues;
    } catch (error) {
      cause = error;
    }
    const fault = { code: 'ERR_CODECS_SCHEMA', what: SCHEMA_FAULT, isFatal: false } as const;
    return this.#reject(fault, offset, item(), cause);
  }

  #reject({ code, what, isFatal }: Problem, byteOffset: number, item: Uint8Array, cause?: unknown): Rejected {
    const recordIndex = this.#recordIndex++;
    const message = `Cannot decode CBOR record ${recordIndex} at byte ${byteOffset}: ${what}`;
    const error = new CodecError(code satisfies CodecErrorCode, message, { byteOffset, recordIndex, cause });
    return { error, item: () => item, isFatal };
  }
}
