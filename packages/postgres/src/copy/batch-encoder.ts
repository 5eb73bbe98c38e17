import type { DatabaseErrorDetails } from '../errors.js';
import { DatabaseError } from '../errors.js';
import type { RowWriter } from './row-writer.js';

/** Writes the rows of one batch, a piece at a time. */
export interface BatchEncoder {
  readonly rowCount: number;
  /**
   * Writes rows from `from` on, until there is as much as goes to the server at once; gives the row to go on from. Throws
   * a {@link DatabaseError} where a value does not fit its column.
   */
  encode(writer: RowWriter, from: number): number;
}

/** Makes the error of a value that does not fit; `column` where it is about one. */
export function misfit(table: string, row: number, why: string, column?: string): DatabaseError {
  const message = `Cannot write row ${row} of the batch to table "${table}": ${why}`;
  const details: DatabaseErrorDetails = { table, row, ...(column !== undefined && { column }) };
  return new DatabaseError('ERR_POSTGRES_VALUE', message, details);
}
