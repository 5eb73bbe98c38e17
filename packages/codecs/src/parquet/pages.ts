import type { ColumnMetaData, PageHeader } from 'hyparquet';
// biome-ignore lint/style/noRestrictedImports: hyparquet exports this file, and the header parser nowhere else.
import { parquetHeader } from 'hyparquet/src/column.js';
import { CodecError } from '../codec-error.js';

// Writers cut pages at about 1 MiB; a page this large is a broken header, or bytes made to hurt.
const MAX_PAGE_BYTES = 268_435_456;

/**
 * Checks where the file says that a column's bytes are.
 *
 * @throws CodecError when they are not inside the file.
 */
export function checkColumnRange(column: ColumnMetaData, byteLength: number, action: string): void {
  const { dictionary_page_offset: dictionary, data_page_offset: data, total_compressed_size: size } = column;
  const start = Number(dictionary || data);
  const end = start + Number(size);
  if (start >= 4 && end > start && end <= byteLength) return;
  throw new CodecError(
    'ERR_CODECS_PARQUET',
    `${action}: its bytes are at ${start} to ${end} (the file has ${byteLength})`,
  );
}

/** A page of a column. */
export interface Page {
  readonly header: PageHeader;
  /** Where its bytes begin, behind the header. */
  readonly start: number;
}

/**
 * Checks the headers of a column's pages before they are decoded.
 *
 * The decoder believes them: a count of values that is one flipped bit too large makes it fill memory for minutes, and
 * one too small makes rows go missing.
 *
 * @param bytes - The column's pages in one row group.
 * @param rowCount - Rows in the row group; a flat column has a value, or a null, for each.
 * @param action - What cannot be done, for the message.
 * @returns The pages.
 * @throws CodecError when a header makes no sense, or the pages do not hold `rowCount` values.
 */
export function checkPages(bytes: ArrayBuffer, rowCount: number, action: string): Page[] {
  const pages: Page[] = [];
  const reader = { view: new DataView(bytes), offset: 0 };
  let rows = 0;
  while (rows < rowCount && reader.offset < bytes.byteLength - 1) {
    const header = parquetHeader(reader);
    const { compressed_page_size: packed } = header;
    const data = header.data_page_header ?? header.data_page_header_v2;
    if (!hasSense(header, rowCount - rows, bytes.byteLength - reader.offset)) {
      const message = `${action}: the page header before byte ${reader.offset} of the column makes no sense`;
      throw new CodecError('ERR_CODECS_PARQUET', `${message} (its counts and sizes must fit the row group)`);
    }
    if (data !== undefined) rows += data.num_values;
    pages.push({ header, start: reader.offset });
    reader.offset += packed;
  }
  if (rows === rowCount) return pages;
  throw new CodecError('ERR_CODECS_PARQUET', `${action}: its pages hold ${rows} rows (its row group has ${rowCount})`);
}

function hasSense(header: PageHeader, rowsLeft: number, bytesLeft: number): boolean {
  const { type, compressed_page_size: packed, uncompressed_page_size: unpacked } = header;
  if (!(isWithin(packed, bytesLeft) && isWithin(unpacked, MAX_PAGE_BYTES))) return false;
  if (type === 'DICTIONARY_PAGE') return isWithin(header.dictionary_page_header?.num_values, unpacked);
  if (type === 'DATA_PAGE') return isWithin(header.data_page_header?.num_values, rowsLeft) && packed > 0;
  const page = header.data_page_header_v2;
  if (type !== 'DATA_PAGE_V2' || page === undefined) return false;
  const { num_values: values, definition_levels_byte_length: levels, repetition_levels_byte_length: repeats } = page;
  // No column that is read here repeats, so it has no repetition levels.
  const hasRows = isWithin(values, rowsLeft) && page.num_rows === values && isWithin(page.num_nulls, values);
  return hasRows && isWithin(levels, Math.min(packed, unpacked)) && repeats === 0;
}

function isWithin(value: number | undefined, most: number): boolean {
  return value !== undefined && value >= 0 && value <= most;
}
