import type { Sink } from '@millrace/core';
import { checkCount, checkMs, checkOptions, edgeMark, outOfRange, wrongType } from '@millrace/core/authoring';
import { isSqlClient, type SqlClient } from '../connection/client.js';
import type { ColumnBatch } from './column-batch.js';
import { CopyWriter } from './copy-writer.js';

/** How rows are written. */
export interface CopyIntoOptions<Row> {
  /** The columns to write, each the name of a property too. Default: the properties of the first row, or the columns of the first batch. */
  readonly columns?: readonly (keyof Row & string)[];
  /**
   * What an item is: `'rows'`, a row or an array of rows; or `'columns'`, a {@link ColumnBatch}, which is written without
   * an object for each row. Default: `'rows'`.
   */
  readonly layout?: 'rows' | 'columns';
  /** What the sink is called in errors, plans and figures. Default: `'copyInto'`. */
  readonly name?: string;
  /** How many items may wait before it. Default: `maxBurst`; 1 where that is 1 and the items are batches. */
  readonly highWaterMark?: number | QueuingStrategy<never>;
  /** What an item weighs, as in core's `EdgeOptions`: makes `highWaterMark` one of bytes. Default: every item counts as one. */
  readonly size?: (item: never) => number;
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
 * With `layout: 'columns'` an item is a {@link ColumnBatch}: columns as arrays, typed arrays or dictionaries (`indexes`
 * into `values`), such as `parquet()` gives them. Values are checked as in rows; beside that, numbers of typed arrays
 * are taken as epoch milliseconds by date, timestamp and timestamptz, and those of a `Uint8Array`, 0 and 1, by bool. No
 * array may change before its batch is stored.
 *
 * @typeParam Row - A row: an object with a property for each column.
 * @param sql - What `postgres()` returned.
 * @param table - The table, with its schema where needed, written as in the catalog: case counts.
 * @param options - `columns`, `layout` (default `'rows'`), `maxBurst` (default 1), `timeoutMs` (default 60,000), `highWaterMark`, `name`.
 * @returns A sink for batches (arrays of rows) or single rows; with `layout: 'columns'` for batches of columns.
 * @throws TypeError or RangeError `ERR_CORE_ARGUMENT` when an argument is wrong.
 * @remarks Elsewhere: RxJS –; Rust `copy_in_raw` of sqlx; Akka `Slick.sink`; Node –.
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
 * @example Store columns as they are
 * ```ts
 * import { from } from '@millrace/core';
 * import { startPostgres } from '@millrace/postgres/embedded';
 * import postgres from 'postgres';
 * const server = await startPostgres();
 * const sql = postgres(server.connection);
 * await sql`create table trip (origin text, at timestamptz, miles int4)`;
 * const origin = { indexes: Uint16Array.of(0, 0, 1), values: ['SFO', 'BOS'] };
 * const at = Float64Array.of(0, 60_000, 120_000);
 * const miles = Int32Array.of(337, 2704, 187);
 * const trips = copyInto<{ origin: string; at: Date; miles: number }>(sql, 'trip', { layout: 'columns' });
 * await from([{ rowCount: 3, columns: { origin, at, miles } }]).run(trips).finished;
 * assert.equal(trips.rowsWritten, 3);
 * const [last] = await sql`select * from trip order by at desc`;
 * assert.deepEqual({ ...last }, { origin: 'BOS', at: new Date(120_000), miles: 187 });
 * await sql.end();
 * await server.stop();
 * ```
 *
 * @see {@link https://www.postgresql.org/docs/current/sql-copy.html | COPY, binary format}
 */
export function copyInto<Row extends object>(
  sql: SqlClient,
  table: string,
  options: CopyIntoOptions<Row> & { readonly layout: 'columns' },
): CopySink<ColumnBatch<Row>>;
export function copyInto<Row extends object>(
  sql: SqlClient,
  table: string,
  options?: CopyIntoOptions<Row> & { readonly layout?: 'rows' },
): CopySink<Row | readonly Row[]>;
export function copyInto<Row extends object>(
  sql: SqlClient,
  table: string,
  options: CopyIntoOptions<Row> = {},
): CopySink<Row | readonly Row[]> | CopySink<ColumnBatch<Row>> {
  if (!isSqlClient(sql)) throw wrongType(WHERE, 'sql', sql, 'what postgres() returned');
  if (typeof table !== 'string' || table === '') throw wrongType(WHERE, 'table', table, 'the name of a table');
  checkOptions(WHERE, options, ['columns', 'layout', 'name', 'highWaterMark', 'size', 'maxBurst', 'timeoutMs']);
  const { columns, layout = 'rows', name = 'copyInto', maxBurst = 1, timeoutMs = 60_000 } = options;
  const isList = Array.isArray(columns) && columns.length > 0 && columns.every((each) => typeof each === 'string');
  if (columns !== undefined && !isList) throw wrongType(WHERE, 'columns', columns, 'an array of one name or more');
  if (layout !== 'rows' && layout !== 'columns') throw outOfRange(WHERE, 'layout', layout, '"rows" or "columns"');
  checkCount(WHERE, 'maxBurst', maxBurst, 1);
  checkMs(WHERE, 'timeoutMs', timeoutMs, 1);
  const mark = edgeMark(WHERE, options);
  const highWaterMark = mark?.highWaterMark ?? (maxBurst > 1 ? maxBurst : undefined);
  let rowsWritten = 0;
  const stored = (rows: number): void => {
    rowsWritten += rows;
  };
  return {
    name,
    maxBurst,
    ...(highWaterMark !== undefined && { highWaterMark }),
    ...(mark?.size !== undefined && { size: mark.size }),
    open: (context) => new CopyWriter({ sql, table, columns, layout, timeoutMs, stored }, context),
    get rowsWritten() {
      return rowsWritten;
    },
  };
}
