import { CodecError, type CodecErrorCode } from '../codec-error.js';
import { checkRecord, SCHEMA_FAULT, type StandardSchema } from '../standard-schema.js';
import { Carry } from '../stream/carry.js';
import type { RecordReader, Rejected, SavedReader } from '../stream/record-reader.js';

const NEWLINE = 10;
/** How many bytes are turned into text at a time. */
const WINDOW_BYTES = 262_144;
/** What a line may have beside its record: a byte order mark and a carriage return. */
const MORE_BYTES = 4;
const BLANK = /^[\t\r ]*$/;
const encoder = new TextEncoder();

/** A line that began in an earlier chunk, or one that is too long before its end has come. */
interface CarriedLine {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly isTooLong: boolean;
}

/**
 * Reads records from lines of JSON.
 *
 * What is behind the last newline of a chunk is carried over; the whole lines before it become text, up to 256 KiB at a time,
 * and records when they are asked for. UTF-8 is only ever cut at a newline, so no text decoder has to keep a state.
 */
export class LineReader implements RecordReader<unknown> {
  readonly #maxRecordBytes: number;
  readonly #schema: StandardSchema | undefined;
  // `fatal`: a record with U+FFFD in it would be silently wrong. `ignoreBOM`: a mark inside the stream is text.
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  readonly #carry = new Carry();
  #carryOffset = 0;
  /** The line before the whole lines of the chunk, and that behind them. */
  #before: CarriedLine | undefined;
  #behind: CarriedLine | undefined;
  /** Whether a line that is too long is passed over up to its newline. */
  #isPassing = false;
  /** The chunk, of which lines from `#at` to `#end` are not text yet; it begins at byte `#offset` of the stream. */
  #chunk: Uint8Array = new Uint8Array(0);
  #offset = 0;
  #at = 0;
  #end = 0;
  /** Up to where lines become text one by one, since some line before it is no UTF-8. */
  #singleUntil = 0;
  /** Whole lines, read up to `#textAt`; the character at `#markAt` is at byte `#markOffset` of the stream. */
  #text = '';
  #textAt = 0;
  #isAscii = true;
  #markAt = 0;
  #markOffset = 0;
  #recordIndex = 0;

  constructor(maxRecordBytes: number, schema?: StandardSchema) {
    this.#maxRecordBytes = maxRecordBytes;
    this.#schema = schema;
  }

  push(chunk: Uint8Array): void {
    this.#offset += this.#chunk.length;
    this.#chunk = chunk;
    this.#at = 0;
    this.#singleUntil = 0;
    this.#end = chunk.lastIndexOf(NEWLINE) + 1;
    if (this.#end > 0 && (this.#isPassing || this.#carry.length > 0)) {
      const newline = chunk.indexOf(NEWLINE);
      this.#at = newline + 1;
      if (!this.#isPassing) this.#before = this.#taken(this.#keep(0, newline));
      this.#isPassing = false;
    }
    if (this.#isPassing || this.#keep(this.#end, chunk.length)) return;
    this.#isPassing = true;
    this.#behind = this.#taken(false);
  }

  end(): void {
    if (this.#carry.length > 0) this.#before = this.#taken(true);
  }

  read(records: unknown[], max: number): Rejected | undefined {
    while (records.length < max) {
      let rejected: Rejected | undefined;
      if (this.#textAt < this.#text.length) rejected = this.#readLine(records);
      else if (this.#before !== undefined) rejected = this.#openCarried(this.#before);
      else if (this.#at < this.#end) rejected = this.#openWindow();
      else if (this.#behind !== undefined) rejected = this.#openCarried(this.#behind);
      else return undefined;
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
      isPassing: this.#isPassing,
    };
  }

  restore({ offset, recordIndex, carry, carryOffset, isPassing }: SavedReader): void {
    this.#offset = offset;
    this.#recordIndex = recordIndex;
    this.#carry.append(carry, 0, carry.length);
    this.#carryOffset = carryOffset;
    this.#isPassing = isPassing;
  }

  #readLine(records: unknown[]): Rejected | undefined {
    const text = this.#text;
    const begin = this.#textAt;
    const newline = text.indexOf('\n', begin);
    const end = newline < 0 ? text.length : newline;
    this.#textAt = end + 1;
    if (end === begin) return undefined;
    const line = text.slice(begin, end);
    if (line.length > this.#maxRecordBytes / 3 && this.#isOver(line)) {
      const item = encoder.encode(line.slice(0, this.#maxRecordBytes)).slice(0, this.#maxRecordBytes);
      return this.#reject('ERR_CODECS_SIZE', this.#offsetOf(begin), item);
    }
    let record: unknown;
    try {
      record = JSON.parse(line);
    } catch (cause) {
      if (BLANK.test(line)) return undefined;
      return this.#reject('ERR_CODECS_JSON', this.#offsetOf(begin), encoder.encode(line), cause);
    }
    if (this.#schema !== undefined) return this.#check(this.#schema, record, records, begin, line);
    records.push(record);
    this.#recordIndex++;
    return undefined;
  }

  #check(
    schema: StandardSchema,
    record: unknown,
    records: unknown[],
    begin: number,
    line: string,
  ): Rejected | undefined {
    let cause: unknown;
    try {
      const result = checkRecord(schema, record);
      if (result.issues === undefined) {
        records.push(result.value);
        this.#recordIndex++;
        return undefined;
      }
      cause = result.issues;
    } catch (error) {
      cause = error;
    }
    return this.#reject('ERR_CODECS_SCHEMA', this.#offsetOf(begin), encoder.encode(line), cause);
  }

  #isOver(line: string): boolean {
    const bytes = this.#isAscii ? line.length : encoder.encode(line).length;
    return bytes - (line.endsWith('\r') ? 1 : 0) > this.#maxRecordBytes;
  }

  /** The byte of the stream at which a character begins; asked for in order, so that it costs linear time. */
  #offsetOf(at: number): number {
    this.#markOffset += this.#isAscii ? at - this.#markAt : encoder.encode(this.#text.slice(this.#markAt, at)).length;
    this.#markAt = at;
    return this.#markOffset;
  }

  #openCarried({ bytes, offset, isTooLong }: CarriedLine): Rejected | undefined {
    if (this.#before !== undefined) this.#before = undefined;
    else this.#behind = undefined;
    if (isTooLong) return this.#reject('ERR_CODECS_SIZE', offset, bytes.slice(0, this.#maxRecordBytes));
    return this.#open(bytes, offset) ? undefined : this.#reject('ERR_CODECS_UTF8', offset, bytes);
  }

  /** Makes text of the next lines of the chunk. */
  #openWindow(): Rejected | undefined {
    const chunk = this.#chunk;
    const begin = this.#at;
    const isSingle = begin < this.#singleUntil;
    let end = isSingle ? chunk.indexOf(NEWLINE, begin) + 1 : this.#end;
    if (!isSingle && end - begin > WINDOW_BYTES) {
      const cut = chunk.lastIndexOf(NEWLINE, begin + WINDOW_BYTES);
      end = (cut >= begin ? cut : chunk.indexOf(NEWLINE, begin)) + 1;
    }
    if (this.#open(chunk.subarray(begin, end), this.#offset + begin)) {
      this.#at = end;
    } else if (isSingle) {
      this.#at = end;
      return this.#rejectBytes(begin, end - 1);
    } else {
      this.#singleUntil = end;
    }
    return undefined;
  }

  #rejectBytes(begin: number, end: number): Rejected {
    const isOver = end - begin > this.#maxRecordBytes + MORE_BYTES;
    const item = this.#chunk.slice(begin, isOver ? begin + this.#maxRecordBytes : end);
    return this.#reject(isOver ? 'ERR_CODECS_SIZE' : 'ERR_CODECS_UTF8', this.#offset + begin, item);
  }

  /** Makes text of whole lines; `false` where they are no UTF-8. */
  #open(bytes: Uint8Array, offset: number): boolean {
    try {
      this.#text = this.#decoder.decode(bytes);
    } catch {
      // That they are no UTF-8 is the one thing that it throws.
      return false;
    }
    this.#textAt = offset === 0 && this.#text.startsWith('\uFEFF') ? 1 : 0;
    this.#isAscii = this.#text.length === bytes.length;
    this.#markAt = 0;
    this.#markOffset = offset;
    return true;
  }

  /** Keeps `chunk[from … to)` for later; `false`, with a part of it, where that is more than a record and its line may have. */
  #keep(from: number, to: number): boolean {
    if (from === to) return true;
    if (this.#carry.length === 0) this.#carryOffset = this.#offset + from;
    const room = this.#maxRecordBytes + MORE_BYTES - this.#carry.length;
    const fits = to - from <= room;
    this.#carry.append(this.#chunk, from, fits ? to : from + room);
    return fits;
  }

  #taken(isWhole: boolean): CarriedLine {
    return { bytes: this.#carry.take(), offset: this.#carryOffset, isTooLong: !isWhole };
  }

  #reject(code: CodecErrorCode, byteOffset: number, item: Uint8Array, cause?: unknown): Rejected {
    const recordIndex = this.#recordIndex++;
    const what = WHAT[code] ?? `it has more than ${this.#maxRecordBytes} bytes (must be at most maxRecordBytes)`;
    const message = `Cannot decode NDJSON record ${recordIndex} at byte ${byteOffset}: ${what}`;
    const error = new CodecError(code, message, { byteOffset, recordIndex, cause });
    return { error, item: () => item, isFatal: false };
  }
}

const WHAT: { readonly [code in CodecErrorCode]?: string } = {
  ERR_CODECS_JSON: 'it is not JSON (must be one JSON value on one line)',
  ERR_CODECS_SCHEMA: SCHEMA_FAULT,
  ERR_CODECS_UTF8: 'its bytes are not UTF-8 (must be UTF-8)',
};
