import { type BatchEncoder, misfit } from './batch-encoder.js';
import { CHUNK_BYTES, type RowWriter } from './row-writer.js';
import type { Target } from './table.js';

/** A row: a value for each column, by its name. */
export type Row = Readonly<Record<string, unknown>>;

/** Writes a batch that is an array of rows. */
export class RowEncoder implements BatchEncoder {
  readonly #target: Target;
  readonly #rows: readonly Row[];

  constructor(target: Target, rows: readonly Row[]) {
    this.#target = target;
    this.#rows = rows;
  }

  get rowCount(): number {
    return this.#rows.length;
  }

  encode(writer: RowWriter, from: number): number {
    const rows = this.#rows;
    let at = from;
    while (at < rows.length && writer.at < CHUNK_BYTES) {
      this.#row(writer, rows[at] as Row, at);
      at++;
    }
    return at;
  }

  #row(writer: RowWriter, row: Row, at: number): void {
    const { table, columns } = this.#target;
    if (typeof row !== 'object' || row === null) throw misfit(table, at, 'it is not an object (must be a row)');
    writer.reserve(2 + 4 * columns.length);
    writer.int16(columns.length);
    for (const { name, encode } of columns) {
      const value = row[name];
      if (value === null) {
        writer.reserve(4);
        writer.int32(-1);
        continue;
      }
      const problem = value === undefined ? 'undefined (must be a value, or null)' : encode(writer, value);
      if (problem !== undefined) throw misfit(table, at, `column "${name}" is ${problem}`, name);
    }
  }
}
