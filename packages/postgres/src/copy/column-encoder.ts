import { type BatchEncoder, misfit } from './batch-encoder.js';
import { type ColumnBatch, columnsOf } from './column-batch.js';
import { type ColumnWriter, columnWriter } from './column-writers.js';
import { CHUNK_BYTES, type RowWriter } from './row-writer.js';
import type { Target } from './table.js';

/** Rows that are measured at a time. */
const MOST_ROWS = 1024;

/**
 * Writes a batch that is columns: where each row goes is counted first, then a column at a time is written.
 *
 * PERF: 2.5 times as fast as rows and the making of them, and nothing is allocated for a row (ADR 20).
 */
export class ColumnEncoder implements BatchEncoder {
  readonly rowCount: number;
  readonly #target: Target;
  readonly #writers: readonly ColumnWriter[];
  /** First the bytes of each row, then where it is written on. */
  readonly #at = new Uint32Array(MOST_ROWS);
  /** The bytes of a row's values whose length is known beforehand, and of its head. */
  readonly #fixedBytes: number;

  constructor(target: Target, batch: ColumnBatch) {
    const values = columnsOf(target.table, batch, target.columns);
    this.rowCount = batch.rowCount;
    this.#target = target;
    this.#writers = target.columns.map((column, index) => columnWriter(column, values[index] as (typeof values)[0]));
    this.#fixedBytes = this.#writers.reduce((sum, { bytes = 0 }) => sum + bytes, 2);
  }

  encode(writer: RowWriter, from: number): number {
    const sizes = this.#at;
    const end = this.#measure(from, Math.min(this.rowCount, from + MOST_ROWS), CHUNK_BYTES - writer.at);
    let place = writer.at;
    for (let index = 0; index < end - from; index++) place += sizes[index] as number;
    writer.reserve(place - writer.at);
    this.#begin(writer, end - from);
    for (const [index, column] of this.#writers.entries()) {
      const wrote = column.write(writer, this.#at, from, end);
      if (wrote < end) throw this.#misfit(index, wrote);
    }
    writer.at = place;
    return end;
  }

  /** Counts the bytes of each row, of as many rows as fill the room, of one at least; gives the row behind them. */
  #measure(from: number, most: number, room: number): number {
    const sizes = this.#at.fill(this.#fixedBytes);
    let end = most;
    for (const [index, column] of this.#writers.entries()) {
      if (column.bytes !== undefined) continue;
      end = column.measure(from, end, sizes);
      if (end === from) throw this.#misfit(index, from);
    }
    let bytes = 0;
    for (let row = from; row < end; row++) {
      bytes += sizes[row - from] as number;
      if (bytes >= room) return row + 1;
    }
    return end;
  }

  /** Writes the count of columns before each row, and turns sizes into places. */
  #begin(writer: RowWriter, rows: number): void {
    const at = this.#at;
    const { view } = writer;
    let place = writer.at;
    for (let index = 0; index < rows; index++) {
      const bytes = at[index] as number;
      view.setInt16(place, this.#writers.length);
      at[index] = place + 2;
      place += bytes;
    }
  }

  #misfit(index: number, row: number): Error {
    const { table, columns } = this.#target;
    const { name = '' } = columns[index] ?? {};
    const why = this.#writers[index]?.problem(row) ?? 'a value that does not fit';
    return misfit(table, row, `column "${name}" is ${why}`, name);
  }
}
