import type { CodecErrorCode } from '../codec-error.js';
import { isUtf8 } from './is-utf8.js';

/** What is wrong with an item. */
export interface Problem {
  readonly code: CodecErrorCode;
  readonly what: string;
  /** Whether the end of the item is unknown, and so where the next one begins. */
  readonly isFatal: boolean;
}

/** What the scanner lets pass. */
export interface ScanLimits {
  readonly maxRecordBytes: number;
  readonly maxDepth: number;
  /** Whether 64-bit integers beyond 2^53 are refused, since they are to become numbers. */
  readonly refusesUnsafe: boolean;
}

const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;
const SIMPLE = 7;
const INDEFINITE = 31;
/** Tags to which the decoder gives a meaning of its own, beyond their item: records, packing, sharing, classes. */
const PRIVATE_TAGS: readonly (readonly [number, number])[] = [
  [6, 6],
  [14, 15],
  [27, 29],
  [51, 51],
  [105, 105],
  [216, 255],
  [27_647, 32_767],
  [0xdff9, 0xdfff],
  [0x53687264, 0x53687264],
  [1_811_939_328, 2_147_483_647],
];
const POSITIVE_BIGNUM = 2;
const NEGATIVE_BIGNUM = 3;
/** The decoder takes quadratic time for a big integer. */
const MAX_BIGNUM_BYTES = 1024;

/**
 * Finds where items of CBOR end, without decoding them, and checks that they are well-formed and within limits.
 *
 * It goes on where it stopped when there are more bytes. Levels are kept in arrays, so that nesting costs no stack.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8949
 */
export class ItemScanner {
  readonly #limits: ScanLimits;
  /** By level: what kind of item it is, and how many items are left in it; in an indefinite one, how many there have been. */
  readonly #kind: Uint8Array;
  readonly #items: Float64Array;
  readonly #isIndefinite: Uint8Array;
  #depth = 0;
  /** The level of the big integer that is scanned, 0 for none, and the bytes of it so far. */
  #bignumDepth = 0;
  #bignumBytes = 0;
  /** Where `scan()` came to. */
  at = 0;
  /** How many bytes are missing at least, where `scan()` came to the end of the bytes within an item. */
  missing = 1;
  /** What is wrong with the item. */
  problem: Problem | undefined;
  /** Whether the item has strings of indefinite length. */
  hasPieces = false;

  constructor(limits: ScanLimits) {
    this.#limits = limits;
    this.#kind = new Uint8Array(limits.maxDepth + 1);
    this.#items = new Float64Array(limits.maxDepth + 1);
    this.#isIndefinite = new Uint8Array(limits.maxDepth + 1);
  }

  /** Begins with a new item. */
  begin(): void {
    this.#depth = 0;
    this.#bignumDepth = 0;
    this.problem = undefined;
    this.hasPieces = false;
  }

  /**
   * Scans on from `at` the item that begins at `start`.
   *
   * @returns Whether `at` is behind the item now; if not, bytes are missing, or there is a fatal problem.
   */
  scan(bytes: Uint8Array, start: number, at: number): boolean {
    this.at = at;
    do {
      if (this.at >= bytes.length) return this.#needs(bytes, start, this.at + 1);
      if (!this.#header(bytes, start)) return false;
    } while (this.#depth > 0);
    return this.at - start <= this.#limits.maxRecordBytes || this.#tooLong();
  }

  /** Scans one header and the string behind it; `false` where that is not possible. */
  #header(bytes: Uint8Array, start: number): boolean {
    const begin = this.at;
    const initial = bytes[begin] as number;
    const major = initial >> 5;
    const info = initial & 31;
    if (initial === 0xff) return this.#break();
    if (info > 27 && (info < INDEFINITE || major < BYTES || major === TAG))
      return this.#malformed('an initial byte is reserved');
    const size = info < 24 || info === INDEFINITE ? 0 : 1 << (info - 24);
    const body = begin + 1 + size;
    if (body > bytes.length) return this.#needs(bytes, start, body);
    const isPiece =
      this.#depth > 0 && this.#isIndefinite[this.#depth] === 1 && (this.#kind[this.#depth] as number) < ARRAY;
    if (isPiece && (major !== this.#kind[this.#depth] || info === INDEFINITE))
      return this.#malformed('a string has a piece of another kind');
    const value = size === 0 ? info : argument(bytes, begin + 1, size);
    this.at = body;
    if (info === INDEFINITE) {
      this.hasPieces ||= major < ARRAY;
      return this.#open(major, 0, true);
    }
    if (major === BYTES || major === TEXT) return this.#string(bytes, start, major, value, begin);
    if (major === ARRAY || major === MAP) return this.#container(start, major, value);
    if (major === TAG) {
      return this.#tag(value);
    }
    if (major === SIMPLE && info === 24 && value < 32) return this.#malformed('a simple value is reserved');
    if (size === 8 && major <= NEGATIVE && this.#limits.refusesUnsafe) this.#checkInteger(major, value);
    return this.#close();
  }

  #string(bytes: Uint8Array, start: number, major: number, length: number, begin: number): boolean {
    const end = this.at + length;
    if (end > bytes.length) {
      const from = this.at;
      // The header is read again with the rest of the string.
      this.at = begin;
      return this.#needs(bytes, start, from + length);
    }
    if (end - start > this.#limits.maxRecordBytes) return this.#tooLong();
    if (major === TEXT && !isUtf8(bytes, this.at, end))
      this.#note('ERR_CODECS_UTF8', 'a text is not UTF-8 (must be UTF-8)');
    if (major === BYTES && this.#bignumDepth > 0) this.#checkBignum(length);
    this.at = end;
    return this.#close();
  }

  #container(start: number, major: number, length: number): boolean {
    const items = major === MAP ? length * 2 : length;
    if (this.at + items - start > this.#limits.maxRecordBytes) return this.#tooLong();
    return items === 0 ? this.#close() : this.#open(major, items, false);
  }

  #open(kind: number, items: number, isIndefinite: boolean): boolean {
    if (this.#depth === this.#limits.maxDepth) {
      const what = `it is nested more than ${this.#limits.maxDepth} deep (must be at most maxDepth)`;
      return this.#fail('ERR_CODECS_DEPTH', what);
    }
    this.#depth++;
    this.#kind[this.#depth] = kind;
    this.#items[this.#depth] = items;
    this.#isIndefinite[this.#depth] = isIndefinite ? 1 : 0;
    return true;
  }

  /** Takes note that an item is complete, and with it every level of which it was the last. */
  #close(): true {
    for (; this.#depth > 0; this.#depth--) {
      const depth = this.#depth;
      if (depth < this.#bignumDepth) this.#bignumDepth = 0;
      if (this.#isIndefinite[depth] === 1) {
        this.#items[depth] = (this.#items[depth] as number) + 1;
        return true;
      }
      this.#items[depth] = (this.#items[depth] as number) - 1;
      if ((this.#items[depth] as number) > 0) return true;
    }
    return true;
  }

  #break(): boolean {
    const depth = this.#depth;
    if (depth === 0 || this.#isIndefinite[depth] === 0) return this.#malformed('a break is where nothing can end');
    if (this.#kind[depth] === MAP && (this.#items[depth] as number) % 2 === 1)
      return this.#malformed('a map ends behind a key');
    this.at++;
    this.#depth--;
    return this.#close();
  }

  /** Says that the bytes up to `end` must be there to go on. */
  #needs(bytes: Uint8Array, start: number, end: number): false {
    if (end - start > this.#limits.maxRecordBytes) return this.#tooLong();
    this.missing = end - bytes.length;
    return false;
  }

  #tag(tag: number): boolean {
    if (PRIVATE_TAGS.some(([first, last]) => tag >= first && tag <= last)) {
      this.#note('ERR_CODECS_TAG', `tag ${tag} stands for shared, packed or private data (must be standard CBOR)`);
    }
    if (!this.#open(TAG, 1, false)) return false;
    if (this.#bignumDepth === 0 && (tag === POSITIVE_BIGNUM || tag === NEGATIVE_BIGNUM)) {
      this.#bignumDepth = this.#depth;
      this.#bignumBytes = 0;
    }
    return true;
  }

  #checkBignum(bytes: number): void {
    this.#bignumBytes += bytes;
    if (this.#bignumBytes <= MAX_BIGNUM_BYTES) return;
    this.#note('ERR_CODECS_INTEGER', `an integer has more than ${MAX_BIGNUM_BYTES} bytes (must be at most that)`);
  }

  #checkInteger(major: number, value: number): void {
    if (value < (major === NEGATIVE ? Number.MAX_SAFE_INTEGER : Number.MAX_SAFE_INTEGER + 1)) return;
    this.#note('ERR_CODECS_INTEGER', 'an integer is beyond 2^53 (must be a safe one, or int64 must be "bigint")');
  }

  #tooLong(): false {
    return this.#fail(
      'ERR_CODECS_SIZE',
      `it has more than ${this.#limits.maxRecordBytes} bytes (must be at most maxRecordBytes)`,
    );
  }

  #malformed(what: string): false {
    return this.#fail('ERR_CODECS_CBOR', `${what} (must be well-formed CBOR)`);
  }

  #fail(code: CodecErrorCode, what: string): false {
    this.problem = { code, what, isFatal: true };
    return false;
  }

  #note(code: CodecErrorCode, what: string): void {
    this.problem ??= { code, what, isFatal: false };
  }
}

/** The number behind an initial byte; beyond 2^53 it is not exact, and then too large for whatever it is. */
function argument(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let k = 0; k < size; k++) value = value * 256 + (bytes[at + k] as number);
  return value;
}
