import type { Sink } from '@millrace/core';
import { checkCount, checkMs, checkOptions, wrongType } from '@millrace/core/authoring';
import { isSqlClient, type SqlClient } from '../connection/client.js';
import { CopyWriter } from './copy-writer.js';

/** How rows are written. */
export interface CopyIntoOptions<Row> {
  /** The columns to write, each the name of a property too. Default: the properties of the first row. */
  readonly columns?: readonly (keyof Row & string)[];
  /** What the sink is called in errors, plans and figures. Default: `'copyInto'`. */
  readonly name?: string;
  /** How many items may wait before it. Default: `maxBurst`; 1 where that is 1 and the items are batches. */
  readonly highWaterMark?: number;
  /** The most items in one transaction; for single rows give some thousands. Default: 1, for batches. */
  readonly maxBurst?: number;
  /** How long the server may leave a step without an answer, in milliseconds. Default: 60,000. */
  readonly timeoutMs?: number;
}

/** A sink into a table. */
export interface CopySink<T> extends Sink<T> {
  /** The rows that were stored and committed, by all runs so far. */
  readonly rowsWritten: number;
}

const WHERE = 'copyInto()';

/**
 * Stores rows in a table by binary COPY, one transaction for each batch: the fastest way into PostgreSQL.
 *
 * Contract
 * - Order: kept.
 * - Holds: the batch that is being written, and about 64 KB of it encoded.
 * - Backpressure: takes the next batch when the last one is committed.
 * - Failure: the batch is rolled back whole, and the run fails with a {@link DatabaseError} that names column and row
 *   where it is about one. `ERR_POSTGRES_IN_DOUBT` where the connection broke during the commit.
 * - Cancel: closes the connection at once; a batch that is not committed is rolled back.
 *
 * Opens one connection of its own, with the options of `sql`. The types of the columns are read from the table, and
 * values are checked against them: what does not fit is refused, never converted: bool from booleans; int2, int4, int8
 * from whole numbers and bigints; float4, float8 from numbers; numeric from numbers, bigints and texts; text and enums
 * from strings; date, timestamp, timestamptz from Dates (UTC); uuid from texts; json, jsonb from what JSON can say; bytea
 * from bytes. Other types are refused by name. `null` is NULL; `undefined` is refused.
 *
 * @typeParam Row - A row: an object with a property for each column.
 * @param sql - What `postgres()` returned.
 * @param table - The table, with its schema where needed, written as in the catalog: case counts.
 * @param options - `columns`, `maxBurst` (default 1), `timeoutMs` (default 60,000), `highWaterMark`, `name`.
 * @returns A sink for batches (arrays of rows) or single rows.
 * @throws TypeError or RangeError `ERR_CORE_ARGUMENT` when an argument is wrong.
 *
 * @example Store measurements, a thousand in a transaction
 * ```ts
 * import { batch, from } from '@millrace/core';
 * import { startPostgres } from '@millrace/postgres/embedded';
 * import postgres from 'postgres';
 * const server = await startPostgres();
 * const sql = postgres(server.connection);
 * await sql`create table measurement (sensor text, celsius float8)`;
 * const rows = copyInto<{ sensor: string; celsius: number }>(sql, 'measurement');
 * await from([{ sensor: 'roof', celsius: 22.5 }, { sensor: 'cellar', celsius: 11 }])
 *   .pipeThrough(batch({ maxItems: 1_000 }))
 *   .run(rows).finished;
 * assert.equal(rows.rowsWritten, 2);
 * assert.deepEqual([...(await sql`select max(celsius) as warmest from measurement`)], [{ warmest: 22.5 }]);
 * await sql.end();
 * await server.stop();
 * ```
 *
 * @see {@link https://www.postgresql.org/docs/current/sql-copy.html | COPY, binary format}
 */
export function copyInto<Row extends object>(
  sql: SqlClient,
  table: string,
  options: CopyIntoOptions<Row> = {},
): CopySink<Row | readonly Row[]> {
  if (!isSqlClient(sql)) throw wrongType(WHERE, 'sql', sql, 'what postgres() returned');
  if (typeof table !== 'string' || table === '') throw wrongType(WHERE, 'table', table, 'the name of a table');
  checkOptions(WHERE, options, ['columns', 'name', 'highWaterMark', 'maxBurst', 'timeoutMs']);
  const { columns, name = 'copyInto', maxBurst = 1, timeoutMs = 60_000 } = options;
  const isList = Array.isArray(columns) && columns.length > 0 && columns.every((each) => typeof each === 'string');
  if (columns !== undefined && !isList) throw wrongType(WHERE, 'columns', columns, 'an array of one name or more');
  checkCount(WHERE, 'maxBurst', maxBurst, 1);
  checkMs(WHERE, 'timeoutMs', timeoutMs, 1);
  const highWaterMark = options.highWaterMark ?? (maxBurst > 1 ? maxBurst : undefined);
  let rowsWritten = 0;
  const stored = (rows: number): void => {
    rowsWritten += rows;
  };
  return {
    name,
    maxBurst,
    ...(highWaterMark !== undefined && { highWaterMark }),
    open: (context) => new CopyWriter({ sql, table, columns, timeoutMs, stored }, context),
    get rowsWritten() {
      return rowsWritten;
    },
  };
}
