import type { Pipeline } from '@millrace/core';
import { checkOptions, source } from '@millrace/core/authoring';
import { type ColumnRequest, checkRequest, type ParquetFile, type RowGroup, readRowGroups } from './read-row-groups.js';

/** What {@link parquet} is to read. */
export interface ParquetOptions<Request extends ColumnRequest> {
  /** The columns: `['a', 'b']`, or `{ a: 'number', b: 'string' }`. At least one. */
  readonly columns: Request;
  /** Rows that a group may claim to have, before anything is allocated for it. Default: 8,388,608. */
  readonly maxGroupRows?: number | undefined;
  /** What the source is called in errors, plans and figures. Default: `'parquet'`. */
  readonly name?: string | undefined;
}

/**
 * Begins a pipeline with the row groups of a Parquet file, each column as a typed array.
 *
 * A row group is one item, however many rows it has; `flatMap` makes rows of it. What the columns become, and what is
 * refused, is said at {@link readRowGroups}. Each run reads the file from the beginning.
 *
 * Contract
 * - Order: row groups and rows in the order of the file.
 * - Holds: the row group being decoded, and one column as the decoder has it.
 * - Backpressure: decodes a row group when it is asked for; reads nothing ahead.
 * - Failure: a file that is cut short or broken fails the run after the row groups before the break; what
 *   `file.slice` throws is the `cause` as it is.
 * - Cancel: an abort ends the reading before the next column; the file stays with the caller.
 *
 * @typeParam Request - The columns as asked for; it types the columns that come.
 * @param file - `byteLength` and `slice(start, end)`, as hyparquet's `asyncBufferFromFile` and `asyncBufferFromUrl` give.
 * @param options - `columns` (at least one); `maxGroupRows` (default: 8,388,608); `name`.
 * @returns A pipeline of row groups.
 * @throws TypeError, RangeError `ERR_CORE_ARGUMENT` for options that make no sense.
 * @remarks Elsewhere: RxJS –; Rust `ParquetRecordBatchStream`; Akka `AvroParquetSource`; Node –.
 *
 * @example Rows of two columns
 * ```ts
 * import { flatMap } from '@millrace/core';
 * import { parquetWriteBuffer } from 'hyparquet-writer';
 * const columnData = [{ name: 'mile', data: [187, 254, 1846] }, { name: 'to', data: ['LAS', 'SFO', 'JFK'] }];
 * const rows = await parquet(parquetWriteBuffer({ columnData }), { columns: { mile: 'number', to: 'string' } })
 *   .pipeThrough(flatMap(({ columns, rowCount }) => Array.from({ length: rowCount }, (_, row) => `${columns.mile[row]} to ${columns.to[row]}`)))
 *   .toArray();
 * assert.deepEqual(rows, ['187 to LAS', '254 to SFO', '1846 to JFK']);
 * ```
 *
 * @see https://parquet.apache.org/docs/file-format/
 */
export function parquet<const Request extends ColumnRequest>(
  file: ParquetFile,
  options: ParquetOptions<Request>,
): Pipeline<RowGroup<Request>> {
  checkOptions('parquet()', options, ['columns', 'maxGroupRows', 'name']);
  const { name = 'parquet', ...what } = options;
  checkRequest('parquet()', file, what);
  return source<RowGroup<Request>>({
    name,
    open({ signal }) {
      const groups = readRowGroups(file, { ...what, signal });
      return {
        read: () => groups.next().then(({ done, value }) => (done === true ? undefined : [value])),
        close: () => groups.return(),
      };
    },
  });
}
