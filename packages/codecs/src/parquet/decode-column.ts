import { type ColumnMetaData, type FileMetaData, parquetRead, type SchemaElement } from 'hyparquet';
// biome-ignore lint/style/noRestrictedImports: hyparquet exports this file, and the parsers nowhere else.
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { CodecError } from '../codec-error.js';
import {
  asParsedInteger,
  type ColumnKind,
  columnFiller,
  columnKind,
  columnParsers,
  numbersOfCodes,
  type ParquetColumn,
  type StringColumn,
  textsOfCodes,
} from './column.js';
import { type CodedColumn, type ColumnDecoder, decodeDictionaryPages } from './dictionary-pages.js';
import type { GuardedFile } from './file.js';
import { checkColumnRange, checkPages, type Page } from './pages.js';
import type { DictionaryBuilder } from './string-dictionary.js';

/** What hyparquet-compressors brings. */
export type Codecs = typeof import('hyparquet-compressors')['compressors'];

/** A file whose footer has been read. */
export interface OpenedFile {
  readonly guarded: GuardedFile;
  readonly metadata: FileMetaData;
  readonly compressors: Codecs | undefined;
  /** Equal strings of all row groups, as one object. */
  readonly interned: Map<string, string>;
}

/** A row group of a file. */
export interface Place {
  readonly index: number;
  readonly rowStart: number;
  readonly rowCount: number;
}

/** A column that is wanted. */
export interface WantedColumn {
  readonly element: SchemaElement;
  /** Where its texts are to be places in a list: the list. */
  readonly dictionary: DictionaryBuilder | undefined;
}

/** Decodes one column of one row group. */
export async function decodeColumn(file: OpenedFile, wanted: WantedColumn, place: Place): Promise<ParquetColumn> {
  const { guarded, metadata } = file;
  const { element, dictionary } = wanted;
  const action = `Cannot decode column "${element.name}" in row group ${place.index}`;
  const group = metadata.row_groups[place.index];
  const chunk = group?.columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === element.name)?.meta_data;
  if (chunk === undefined) throw new CodecError('ERR_CODECS_PARQUET', `${action}: it is not in the footer`);
  checkColumnRange(chunk, guarded.buffer.byteLength, action);
  const start = Number(chunk.dictionary_page_offset || chunk.data_page_offset);
  const bytes = await guarded.buffer.slice(start, start + Number(chunk.total_compressed_size));
  const decoded = async (): Promise<ParquetColumn> => {
    const pages = checkPages(bytes, place.rowCount, action);
    const coded = decodeCoded(file, element, chunk, bytes, pages, place.rowCount);
    const column = coded && (dictionary?.ofCoded(coded.indexes, coded.dictionary) ?? columnOfCodes(element, coded));
    if (column !== undefined) return column;
    const plain = await decodeAny(file, element, place, bytes, start);
    return dictionary?.ofTexts(plain as StringColumn) ?? plain;
  };
  return guarded.during(decoded(), action);
}

function decodeCoded(
  { compressors, interned }: OpenedFile,
  element: SchemaElement,
  chunk: ColumnMetaData,
  bytes: ArrayBuffer,
  pages: readonly Page[],
  rowCount: number,
): CodedColumn | undefined {
  if (columnKind(element) === 'boolean') return undefined;
  const decoder: ColumnDecoder = {
    pathInSchema: chunk.path_in_schema,
    type: chunk.type,
    element: asParsedInteger(element),
    schemaPath: [],
    codec: chunk.codec,
    parsers: { ...DEFAULT_PARSERS, ...columnParsers(element, interned) },
    ...(compressors !== undefined && { compressors }),
  };
  return decodeDictionaryPages(bytes, pages, rowCount, decoder);
}

function columnOfCodes(element: SchemaElement, coded: CodedColumn): ParquetColumn | undefined {
  const kind: ColumnKind | undefined = columnKind(element);
  return kind === 'string' ? textsOfCodes(coded) : numbersOfCodes(element, coded);
}

/** Leaves the pages to hyparquet, whatever their form. */
async function decodeAny(
  { metadata, compressors, interned }: OpenedFile,
  element: SchemaElement,
  { rowStart, rowCount }: Place,
  bytes: ArrayBuffer,
  start: number,
): Promise<ParquetColumn> {
  const filler = columnFiller(element, rowStart, rowCount);
  let failure: unknown;
  await parquetRead({
    // It asks for bytes of this column only.
    file: { byteLength: start + bytes.byteLength, slice: (from, end) => bytes.slice(from - start, (end ?? 0) - start) },
    metadata: { ...metadata, schema: metadata.schema.map((e) => (e === element ? asParsedInteger(e) : e)) },
    columns: [element.name],
    rowStart,
    rowEnd: rowStart + rowCount,
    parsers: columnParsers(element, interned),
    ...(compressors === undefined ? {} : { compressors }),
    // INVARIANT: never throws; hyparquet would make an unhandled rejection of it.
    onChunk({ columnData }) {
      try {
        if (failure === undefined) filler.push(columnData);
      } catch (error) {
        failure = error;
      }
    },
  });
  if (failure !== undefined) throw failure;
  return filler.finish();
}
