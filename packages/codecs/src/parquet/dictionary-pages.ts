import type { PageHeader } from 'hyparquet';
// biome-ignore lint/style/noRestrictedImports: hyparquet exports these files, and what is in them nowhere else.
import { readPage } from 'hyparquet/src/column.js';
// biome-ignore lint/style/noRestrictedImports: as above.
import { convert } from 'hyparquet/src/convert.js';
// biome-ignore lint/style/noRestrictedImports: as above.
import { decompressPage } from 'hyparquet/src/datapage.js';
import type { Page } from './pages.js';

/** How hyparquet is told of a column. */
export type ColumnDecoder = Parameters<typeof readPage>[2];

/** A column as its pages have it: a dictionary, and for each row the place of its value there. */
export interface CodedColumn {
  readonly indexes: Uint32Array;
  readonly dictionary: ArrayLike<unknown>;
}

// A dictionary of more entries than this many bits can count is nothing that is worth a way of its own.
const MOST_BITS = 24;

/**
 * Decodes a flat column that is a dictionary and indexes all through, and has a value in each row.
 *
 * PERF: a file with ZSTD in 0.6 of the CPU time that the decoder itself takes, which makes an array for the levels, one for
 * the indexes and one for the values, and looks at each value's nesting (ADR 20).
 *
 * SPEC: Parquet, "Dictionary Encoding" and "Run Length Encoding / Bit-Packing Hybrid".
 *
 * @param bytes - The pages.
 * @param pages - Where they are, from `checkPages()`.
 * @param rowCount - The rows in the pages.
 * @param decoder - How the dictionary is decoded.
 * @returns The column; `undefined` where its pages are of another form.
 * @throws Error where the bytes make no sense.
 */
export function decodeDictionaryPages(
  bytes: ArrayBuffer,
  pages: readonly Page[],
  rowCount: number,
  decoder: ColumnDecoder,
): CodedColumn | undefined {
  const [first, ...rest] = pages;
  if (first?.header.type !== 'DICTIONARY_PAGE' || !rest.every(({ header }) => isCoded(header))) return undefined;
  const reader = { view: new DataView(bytes), offset: first.start };
  const { data } = readPage(reader, first.header, decoder, undefined, undefined, 0);
  const dictionary = convert(data as NonNullable<typeof data>, decoder);
  const indexes = new Uint32Array(rowCount);
  let row = 0;
  for (const { header, start } of rest) {
    const page = new Uint8Array(bytes, start, header.compressed_page_size);
    const end = row + ((header.data_page_header ?? header.data_page_header_v2)?.num_values as number);
    const isWhole = header.type === 'DATA_PAGE' ? readPageV1 : readPageV2;
    if (!isWhole(page, header, decoder, indexes.subarray(row, end))) return undefined;
    row = end;
  }
  for (let at = 0; at < rowCount; at++) {
    if ((indexes[at] as number) >= dictionary.length) throw new RangeError('An index is beyond the dictionary');
  }
  return { indexes, dictionary };
}

function isCoded({ data_page_header: v1, data_page_header_v2: v2 }: PageHeader): boolean {
  const encoding = (v1 ?? v2)?.encoding;
  if (encoding !== 'RLE_DICTIONARY' && encoding !== 'PLAIN_DICTIONARY') return false;
  return v1 === undefined ? v2?.num_nulls === 0 : v1.definition_level_encoding === 'RLE';
}

/** Reads a page into `out`; gives whether it has a value in each row. */
function readPageV1(packed: Uint8Array, header: PageHeader, decoder: ColumnDecoder, out: Uint32Array): boolean {
  const page = decompressPage(packed, header.uncompressed_page_size, decoder.codec, decoder.compressors);
  let at = 0;
  if (decoder.element.repetition_type !== 'REQUIRED') {
    at = 4 + new DataView(page.buffer, page.byteOffset, page.byteLength).getUint32(0, true);
    if (!isAllOnes(page, 4, at, out.length)) return false;
  }
  return readIndexes(page, at, out);
}

function readPageV2(packed: Uint8Array, header: PageHeader, decoder: ColumnDecoder, out: Uint32Array): boolean {
  const { data_page_header_v2: v2, uncompressed_page_size: size } = header;
  const levels = v2?.definition_levels_byte_length ?? 0;
  const values = packed.subarray(levels);
  const isPacked = v2?.is_compressed !== false;
  const page = isPacked ? decompressPage(values, size - levels, decoder.codec, decoder.compressors) : values;
  return readIndexes(page, 0, out);
}

function readIndexes(page: Uint8Array, at: number, out: Uint32Array): boolean {
  const bits = page[at] ?? MOST_BITS + 1;
  if (bits > MOST_BITS) return false;
  // Of one entry: all indexes are 0 already.
  if (bits > 0) readHybrid(page, at + 1, bits, out);
  return true;
}

/** A run: `count` values that are the same, or that are packed one behind the other. */
interface Run {
  isPacked: boolean;
  count: number;
  /** Where its bytes begin. */
  at: number;
}

/** Reads a run's head, a number of up to 5 bytes. */
function readRun(page: Uint8Array, from: number, run: Run): void {
  let head = 0;
  let at = from;
  for (let shift = 0; ; shift += 7) {
    const byte = page[at++];
    if (byte === undefined || shift > 28) throw new RangeError('A run has no end');
    head |= (byte & 127) << shift;
    if (byte < 128) break;
  }
  run.isPacked = (head & 1) === 1;
  run.count = run.isPacked ? (head >>> 1) * 8 : head >>> 1;
  run.at = at;
}

function readHybrid(page: Uint8Array, from: number, bits: number, out: Uint32Array): void {
  const width = (bits + 7) >> 3;
  const run: Run = { isPacked: false, count: 0, at: from };
  let at = from;
  for (let row = 0; row < out.length; ) {
    readRun(page, at, run);
    const count = Math.min(run.count, out.length - row);
    const bytes = run.isPacked ? Math.ceil((count * bits) / 8) : width;
    if (run.at + bytes > page.length) throw new RangeError('A run goes on behind its page');
    if (run.isPacked) unpack(page, run.at, bits, out, row, row + count);
    else out.fill(littleEndian(page, run.at, width), row, row + count);
    at = run.at + (run.isPacked ? (run.count / 8) * bits : width);
    row += count;
  }
}

// Three bytes hold these many bits wherever they begin in the first.
const MOST_BITS_AT_ONCE = 17;

/** Reads `end - start` numbers of `bits` each. PERF: each for itself, where three bytes hold it: twice as fast. */
function unpack(page: Uint8Array, from: number, bits: number, out: Uint32Array, start: number, end: number): void {
  if (bits === 8) {
    out.set(page.subarray(from, from + end - start), start);
    return;
  }
  const mask = (1 << bits) - 1;
  let row = start;
  let bit = 0;
  for (; bits <= MOST_BITS_AT_ONCE && row < end; row++, bit += bits) {
    const at = from + (bit >>> 3);
    // Behind the last byte of the page there is none.
    if (at + 2 >= page.length) break;
    const three = (page[at] as number) | ((page[at + 1] as number) << 8) | ((page[at + 2] as number) << 16);
    out[row] = (three >>> (bit & 7)) & mask;
  }
  for (; row < end; row++, bit += bits) out[row] = bitsAt(page, from, bit, bits);
}

/** Reads a number of up to 24 bits, which may begin anywhere in a byte. */
function bitsAt(page: Uint8Array, from: number, bit: number, bits: number): number {
  let value = 0;
  for (let read = 0; read < bits; ) {
    const inByte = (bit + read) & 7;
    const byte = (page[from + ((bit + read) >>> 3)] as number) >>> inByte;
    value |= byte << read;
    read += 8 - inByte;
  }
  return value & ((1 << bits) - 1);
}

function littleEndian(page: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let byte = 0; byte < width; byte++) value |= (page[at + byte] as number) << (byte * 8);
  return value;
}

/** Whether the definition levels, of one bit each, say that there is a value in each row. */
function isAllOnes(page: Uint8Array, from: number, end: number, rowCount: number): boolean {
  const run: Run = { isPacked: false, count: 0, at: from };
  let at = from;
  for (let rows = 0; rows < rowCount; rows += run.count) {
    if (at >= end) return false;
    readRun(page, at, run);
    const bytes = run.isPacked ? run.count / 8 : 1;
    const full = Math.min(run.count, rowCount - rows) >> 3;
    for (let byte = 0; run.isPacked && byte < full; byte++) if (page[run.at + byte] !== 255) return false;
    const rest = run.isPacked ? 2 ** ((rowCount - rows) % 8) - 1 : 1;
    const last = page[run.at + (run.isPacked ? full : 0)] ?? 0;
    if ((!run.isPacked || full < bytes) && (last & rest) !== rest) return false;
    at = run.at + bytes;
  }
  return true;
}
