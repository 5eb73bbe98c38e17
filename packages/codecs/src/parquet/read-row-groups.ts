import { checkCount, checkOptions, outOfRange, wrongType } from '@millrace/core/authoring';
import type { AsyncBuffer, FileMetaData, SchemaElement } from 'hyparquet';
import { CodecError } from '../codec-error.js';
import { type ColumnKind, columnKind, type NumberColumn, type ParquetColumn, type StringColumn } from './column.js';
import { type Codecs, decodeColumn, type OpenedFile } from './decode-column.js';
import { guard, readMetadata } from './file.js';
import { DictionaryBuilder, type StringDictionary } from './string-dictionary.js';

/** A file to read from: `byteLength`, and `slice(start, end)` that gives, or promises, an `ArrayBuffer`. */
export type ParquetFile = AsyncBuffer;

/** What a column may be asked for as; `'dictionary'` gives texts as places in a list, a {@link StringDictionary}. */
export type WantedKind = ColumnKind | 'dictionary';

/** Names of columns, to be read as whatever they are; or names with the kind each must have, which types the result. */
export type ColumnRequest = readonly string[] | { readonly [name: string]: WantedKind };

/** The columns of a row group as {@link readRowGroups} was asked for them. */
export type RowGroupColumns<Request extends ColumnRequest> = Request extends readonly (infer Name extends string)[]
  ? { readonly [N in Name]: ParquetColumn }
  : { readonly [N in keyof Request]: ColumnOfKind<Request[N]> };

interface ColumnKinds {
  readonly number: NumberColumn;
  readonly string: StringColumn;
  readonly dictionary: StringDictionary;
  readonly boolean: Uint8Array;
}

type ColumnOfKind<Kind> = Kind extends keyof ColumnKinds ? ColumnKinds[Kind] : ParquetColumn;

/** What {@link readRowGroups} is to read. */
export interface ReadRowGroupsOptions<Request extends ColumnRequest> {
  /** The columns: `['a', 'b']`, or `{ a: 'number', b: 'string' }`. At least one. */
  readonly columns: Request;
  /** Stops the reading before the next column; the generator rejects with its reason. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /** Rows that a group may claim to have, before anything is allocated for it. Default: 8,388,608. */
  readonly maxGroupRows?: number | undefined;
}

/** The columns of one row group. */
export interface RowGroup<Request extends ColumnRequest> {
  /** Which group of the file, from 0. */
  readonly index: number;
  /** Index in the file of the group's first row. */
  readonly rowStart: number;
  readonly rowCount: number;
  /** The columns by name, each `rowCount` long. */
  readonly columns: RowGroupColumns<Request>;
}

const KINDS: readonly WantedKind[] = ['number', 'string', 'dictionary', 'boolean'];
const DEFAULT_MAX_GROUP_ROWS = 8_388_608;

/**
 * Reads a Parquet file one row group at a time, each column as a typed array.
 *
 * Columns are decoded one after the other, so that the decoder's own arrays exist for one column at a time. Integers
 * come as `Int32Array` where those of the row group fit, and as `Float64Array` otherwise; decimals, dates and instants
 * as `Float64Array`; `FLOAT` as `Float32Array`; booleans as `Uint8Array` of 0 and 1; text as an array in which equal
 * strings are the same object, or, asked for as `'dictionary'`, as a {@link StringDictionary}: two bytes a row, and
 * equal texts by equal numbers. Instants are epoch milliseconds; those not adjusted to UTC are wall-clock time read as
 * if it were UTC. A null becomes `NaN` (integers with one come as `Float64Array`) or `null`; among booleans it is an
 * error. ZSTD, gzip, Brotli and LZ4 are loaded when a column needs them.
 *
 * Contract
 * - Order: row groups and rows in the order of the file.
 * - Holds: the row group handed out last, the one being decoded, and one column as the decoder has it.
 * - Backpressure: decodes a row group when it is asked for; reads nothing ahead.
 * - Failure: a file that is no Parquet file, is cut short or broken ends the generator with one error that says where.
 *   An error of `file.slice` is passed on as it is.
 * - Cancel: nothing is open between two row groups; the file stays with the caller.
 *
 * Broken bytes are found by the headers of pages and by their counts. A run length inside a page is believed, so bytes
 * made to hurt can hold the thread for seconds: read files from people you trust. A column that is dictionary-encoded
 * and has no nulls, as most are, is decoded without arrays in between.
 *
 * @typeParam Request - The columns as asked for; it types the columns that come.
 * @param file - `byteLength` and `slice(start, end)`, as hyparquet's `asyncBufferFromFile` and `asyncBufferFromUrl` give.
 * @param options - `columns` (at least one); `signal` (default: none); `maxGroupRows` (default: 8,388,608).
 * @returns A generator of row groups.
 * @throws TypeError, RangeError `ERR_CORE_ARGUMENT` for options that make no sense.
 * @throws CodecError `ERR_CODECS_PARQUET` from the generator: the file is broken, lacks a column, holds another kind, an
 * integer beyond 2^53, a null among booleans, a nested column, or a row group of more than `maxGroupRows`.
 *
 * @example Add up one column of a file
 * ```ts
 * async function totalMiles(file: ParquetFile): Promise<number> {
 *   let total = 0;
 *   for await (const { columns } of readRowGroups(file, { columns: { distance: 'number' } })) {
 *     for (const miles of columns.distance) total += miles;
 *   }
 *   return total;
 * }
 * await assert.rejects(totalMiles(new ArrayBuffer(40)), /Cannot read a Parquet file/);
 * ```
 *
 * @see https://parquet.apache.org/docs/file-format/
 */
export function readRowGroups<const Request extends ColumnRequest>(
  file: ParquetFile,
  options: ReadRowGroupsOptions<Request>,
): AsyncGenerator<RowGroup<Request>, void, void> {
  checkOptions('readRowGroups()', options, ['columns', 'signal', 'maxGroupRows']);
  checkRequest('readRowGroups()', file, options);
  const { columns, signal, maxGroupRows = DEFAULT_MAX_GROUP_ROWS } = options;
  return generateRowGroups<Request>(file, wantedColumns(columns), maxGroupRows, signal);
}

/** Refuses a file, columns or a limit that make no sense. */
export function checkRequest(
  where: string,
  file: unknown,
  { columns, maxGroupRows }: { readonly columns: ColumnRequest; readonly maxGroupRows?: number | undefined },
): void {
  const { byteLength, slice } = (file ?? {}) as Partial<ParquetFile>;
  if (typeof byteLength !== 'number' || typeof slice !== 'function') {
    throw wrongType(where, 'file', file, 'an object with byteLength and slice()');
  }
  if (typeof columns !== 'object' || columns === null) {
    throw wrongType(where, 'columns', columns, 'an array of names, or an object of kinds by name');
  }
  const wanted = wantedColumns(columns);
  if (wanted.length === 0) throw outOfRange(where, 'columns', columns, 'one column or more');
  for (const { name, kind } of wanted) {
    if (typeof name !== 'string') throw wrongType(where, 'a name in columns', name, 'a string');
    if (!isNames(columns) && !KINDS.includes(kind as WantedKind)) {
      throw outOfRange(where, `the kind of column "${name}"`, kind, '"number", "string", "dictionary" or "boolean"');
    }
  }
  if (maxGroupRows !== undefined) checkCount(where, 'maxGroupRows', maxGroupRows, 1);
}

interface Wanted {
  readonly name: string;
  readonly kind: WantedKind | undefined;
}

async function* generateRowGroups<Request extends ColumnRequest>(
  file: ParquetFile,
  wanted: readonly Wanted[],
  maxGroupRows: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<RowGroup<Request>, void, void> {
  signal?.throwIfAborted();
  const guarded = guard(file, signal);
  const metadata = await readMetadata(guarded);
  const columns = wanted.map((column) => ({
    element: elementOf(metadata, column),
    dictionary: column.kind === 'dictionary' ? new DictionaryBuilder(column.name) : undefined,
  }));
  const compressors = await compressorsFor(metadata, wanted);
  const opened: OpenedFile = { guarded, metadata, compressors, interned: new Map() };
  let rowStart = 0;
  for (const [index, group] of metadata.row_groups.entries()) {
    const rowCount = Number(group.num_rows);
    if (!(rowCount >= 0 && rowCount <= maxGroupRows)) throw tooManyRows(index, rowCount, maxGroupRows);
    const decoded: [string, ParquetColumn][] = [];
    for (const column of columns) {
      decoded.push([column.element.name, await decodeColumn(opened, column, { index, rowStart, rowCount })]);
    }
    // The loop above has decoded every column that was asked for, as the kind that elementOf checked.
    yield { index, rowStart, rowCount, columns: Object.fromEntries(decoded) as RowGroupColumns<Request> };
    rowStart += rowCount;
  }
}

function elementOf(metadata: FileMetaData, { name, kind }: Wanted): SchemaElement {
  const columns = topLevel(metadata.schema);
  const element = columns.find((candidate) => candidate.name === name);
  if (element === undefined) {
    const names = columns.map((column) => `"${column.name}"`).join(', ');
    throw new CodecError(
      'ERR_CODECS_PARQUET',
      `Cannot read column "${name}": it is not in the file (which has ${names})`,
    );
  }
  const actual = columnKind(element);
  const must = kind === 'dictionary' ? 'string' : kind;
  if (actual !== undefined && (must === undefined || must === actual)) return element;
  const what = actual === undefined ? `neither numbers nor text (${describe(element)})` : `of kind "${actual}"`;
  const why =
    kind === undefined ? 'only flat columns of numbers, text or booleans can be read' : `"${kind}" was asked for`;
  throw new CodecError('ERR_CODECS_PARQUET', `Cannot read column "${name}": it is ${what} (${why})`);
}

// The schema is a tree written in pre-order, its root first.
function topLevel(schema: readonly SchemaElement[]): SchemaElement[] {
  const columns: SchemaElement[] = [];
  let nested = 0;
  for (const element of schema.slice(1)) {
    if (nested === 0) columns.push(element);
    else nested -= 1;
    nested += element.num_children ?? 0;
  }
  return columns;
}

function describe({ type, converted_type, logical_type, repetition_type }: SchemaElement): string {
  return [repetition_type, type ?? 'nested', logical_type?.type ?? converted_type].filter(Boolean).join(' ');
}

async function compressorsFor(metadata: FileMetaData, wanted: readonly Wanted[]): Promise<Codecs | undefined> {
  const names = new Set(wanted.map(({ name }) => name));
  const needsMore = metadata.row_groups.some((group) =>
    group.columns.some(({ meta_data: column }) => {
      if (column === undefined || !names.has(column.path_in_schema[0] ?? '')) return false;
      return column.codec !== 'UNCOMPRESSED' && column.codec !== 'SNAPPY';
    }),
  );
  return needsMore ? (await import('hyparquet-compressors')).compressors : undefined;
}

function wantedColumns(request: ColumnRequest): Wanted[] {
  if (isNames(request)) return request.map((name) => ({ name, kind: undefined }));
  return Object.entries(request).map(([name, kind]) => ({ name, kind }));
}

function isNames(request: ColumnRequest): request is readonly string[] {
  return Array.isArray(request);
}

function tooManyRows(index: number, rowCount: number, maxGroupRows: number): CodecError {
  const message = `Cannot decode row group ${index}: it claims ${rowCount} rows (at most ${maxGroupRows} by maxGroupRows)`;
  return new CodecError('ERR_CODECS_PARQUET', message);
}
