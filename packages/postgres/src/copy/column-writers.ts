import { type CopyColumn, type DictionaryColumn, isDictionary } from './column-batch.js';
import type { Encoder } from './encoders.js';
import { NUMBER_TYPES, type Numbers, type NumberType } from './number-columns.js';
import { encodeNumber } from './number-encoders.js';
import { CHUNK_BYTES, RowWriter } from './row-writer.js';
import type { Column } from './table.js';

/** Writes the values of one column of one batch, a run of rows at a time: first it says how long they are. */
export interface ColumnWriter {
  /** The bytes of each value with its length; `undefined` where they differ. */
  readonly bytes: number | undefined;
  /**
   * Adds the bytes of the values of rows `from` to `to` to `sizes`, where they differ. Gives the row at which it ended:
   * before `to` where it has enough, or where a value does not fit.
   */
  measure(from: number, to: number, sizes: Uint32Array): number;
  /** Writes them, each at its place in `at`, which moves behind it. Gives the row at which it ended. */
  write(writer: RowWriter, at: Uint32Array, from: number, to: number): number;
  /** What is wrong with the value of a row. */
  problem(row: number): string | undefined;
}

/** Makes the writer of a column. */
export function columnWriter(column: Column, values: CopyColumn): ColumnWriter {
  if (isDictionary(values)) return new DictionaryWriter(column.encode, values);
  if (!isNumbers(values)) return new ValueWriter(column.encode, values);
  const type = NUMBER_TYPES.get(column.type);
  const encode = encodeNumber(column.type, values) ?? column.encode;
  return type === undefined ? new ValueWriter(encode, values) : new NumberWriter(type, encode, values);
}

function isNumbers(values: object): values is Numbers {
  return ArrayBuffer.isView(values) && typeof (values as unknown as ArrayLike<unknown>)[0] === 'number';
}

/** Where values are encoded to learn how long they are. */
function encodeInto(scratch: RowWriter, encode: Encoder, value: unknown): string | undefined {
  if (value === undefined) return 'undefined (must be a value, or null)';
  if (value !== null) return encode(scratch, value);
  scratch.reserve(4);
  scratch.int32(-1);
  return undefined;
}

/** Numbers of a typed array, of one length. */
class NumberWriter implements ColumnWriter {
  readonly bytes: number;
  readonly #type: NumberType;
  readonly #encode: Encoder;
  readonly #values: Numbers;

  constructor(type: NumberType, encode: Encoder, values: Numbers) {
    this.bytes = 4 + type.bytes;
    this.#type = type;
    this.#encode = encode;
    this.#values = values;
  }

  measure(_from: number, to: number): number {
    return to;
  }

  write(writer: RowWriter, at: Uint32Array, from: number, to: number): number {
    return this.#type.loop(this.#values, writer.view, at, from, to);
  }

  problem(row: number): string | undefined {
    return encodeInto(new RowWriter(), this.#encode, this.#values[row]);
  }
}

/** Any values: encoded once, then copied to their rows. */
class ValueWriter implements ColumnWriter {
  readonly bytes: undefined;
  readonly #encode: Encoder;
  readonly #values: ArrayLike<unknown>;
  readonly #scratch = new RowWriter();
  #ends = new Uint32Array(0);

  constructor(encode: Encoder, values: ArrayLike<unknown>) {
    this.#encode = encode;
    this.#values = values;
  }

  measure(from: number, to: number, sizes: Uint32Array): number {
    const scratch = this.#scratch;
    scratch.clear();
    if (this.#ends.length < to - from) this.#ends = new Uint32Array(to - from);
    let row = from;
    for (; row < to && scratch.at < CHUNK_BYTES; row++) {
      const before = scratch.at;
      if (encodeInto(scratch, this.#encode, this.#values[row]) !== undefined) return row;
      this.#ends[row - from] = scratch.at;
      sizes[row - from] = (sizes[row - from] as number) + scratch.at - before;
    }
    return row;
  }

  write(writer: RowWriter, at: Uint32Array, from: number, to: number): number {
    let start = 0;
    for (let index = 0; index < to - from; index++) {
      const end = this.#ends[index] as number;
      const place = at[index] as number;
      writer.copy(this.#scratch, start, end, place);
      at[index] = place + end - start;
      start = end;
    }
    return to;
  }

  problem(row: number): string | undefined {
    return encodeInto(new RowWriter(), this.#encode, this.#values[row]);
  }
}

/** A dictionary: each value that is met is encoded once. */
class DictionaryWriter implements ColumnWriter {
  readonly bytes: undefined;
  readonly #encode: Encoder;
  readonly #column: DictionaryColumn;
  readonly #encoded = new RowWriter();
  /** Where the encoded value of each place ends; 0 for one that was not met. */
  readonly #ends: Uint32Array;
  readonly #starts: Uint32Array;

  constructor(encode: Encoder, column: DictionaryColumn) {
    this.#encode = encode;
    this.#column = column;
    this.#starts = new Uint32Array(column.values.length);
    this.#ends = new Uint32Array(column.values.length);
  }

  measure(from: number, to: number, sizes: Uint32Array): number {
    const { indexes } = this.#column;
    const starts = this.#starts;
    const ends = this.#ends;
    for (let row = from; row < to; row++) {
      const index = indexes[row] as number;
      // An index that is out of range has no end either.
      if (!ends[index] && this.#add(index) !== undefined) return row;
      sizes[row - from] = (sizes[row - from] as number) + (ends[index] as number) - (starts[index] as number);
    }
    return to;
  }

  write(writer: RowWriter, at: Uint32Array, from: number, to: number): number {
    const { indexes } = this.#column;
    for (let row = from; row < to; row++) {
      const index = indexes[row] as number;
      const place = at[row - from] as number;
      const start = this.#starts[index] as number;
      const end = this.#ends[index] as number;
      writer.copy(this.#encoded, start, end, place);
      at[row - from] = place + end - start;
    }
    return to;
  }

  problem(row: number): string | undefined {
    return this.#add(this.#column.indexes[row] as number);
  }

  #add(index: number): string | undefined {
    const { values } = this.#column;
    if (!(index >= 0 && index < values.length && Number.isInteger(index))) {
      return `of an index that is not there (must be a whole number from 0 to ${values.length - 1})`;
    }
    const encoded = this.#encoded;
    const start = encoded.at;
    const problem = encodeInto(encoded, this.#encode, values[index]);
    if (problem !== undefined) return problem;
    this.#starts[index] = start;
    this.#ends[index] = encoded.at;
    return undefined;
  }
}
