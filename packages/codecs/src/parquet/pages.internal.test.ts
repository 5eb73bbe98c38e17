import { parquetMetadata } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { expect, test } from 'vitest';
import { CodecError } from '../codec-error.js';
import { checkPages } from './pages.js';

const ROWS = 100;

/** The pages of a dictionary-encoded column with nulls: a dictionary, then a page of version 2. */
function columnBytes(): Uint8Array {
  const data = Array.from({ length: ROWS }, (_, i) => (i % 9 === 0 ? null : `text ${i % 7}`));
  const columnData = [{ name: 't', data, type: 'STRING' as const, nullable: true }];
  const file = parquetWriteBuffer({ columnData });
  const column = parquetMetadata(file).row_groups[0]?.columns[0]?.meta_data;
  if (column === undefined) throw new Error('The writer has written no column');
  const start = Number(column.dictionary_page_offset ?? column.data_page_offset);
  return new Uint8Array(file.slice(start, start + Number(column.total_compressed_size)));
}

function headers(bytes: Uint8Array): { start: number; end: number; isData: boolean }[] {
  const reader = { view: new DataView(bytes.buffer), offset: 0 };
  const found = [];
  while (reader.offset < bytes.length) {
    const start = reader.offset;
    const header = parquetHeader(reader);
    found.push({ start, end: reader.offset, isData: header.data_page_header_v2 !== undefined });
    reader.offset += header.compressed_page_size;
  }
  return found;
}

test('checkPages() accepts what a writer has written', () => {
  const bytes = columnBytes();
  expect(headers(bytes).map(({ isData }) => isData)).toEqual([false, true]);
  expect(() => checkPages(bytes.buffer as ArrayBuffer, ROWS, 'Cannot read')).not.toThrow();
});

test('checkPages() refuses every changed header byte that would make the decoder loop', () => {
  const good = columnBytes();
  const harmful = { values: 0, nulls: 0 };
  for (const { start, end, isData } of headers(good)) {
    for (let at = start * 256; at < end * 256 && isData; at++) {
      const bytes = good.slice();
      bytes[at >> 8] = at & 255;
      const page = headerOrNothing({ view: new DataView(bytes.buffer), offset: start })?.data_page_header_v2;
      if (page === undefined) continue;
      const { num_values: values, num_nulls: nulls } = page;
      if (values === ROWS && nulls >= 0 && nulls <= values) continue;
      harmful[values === ROWS ? 'nulls' : 'values'] += 1;
      expect(() => checkPages(bytes.buffer, ROWS, 'Cannot read')).toThrow(CodecError);
    }
  }
  expect(Math.min(harmful.values, harmful.nulls)).toBeGreaterThan(50);
});

test('checkPages() refuses pages with fewer or more rows than their group', () => {
  const bytes = columnBytes().buffer as ArrayBuffer;
  expect(() => checkPages(bytes, ROWS + 1, 'Cannot read')).toThrow(/its pages hold 100 rows \(its row group has 101\)/);
  expect(() => checkPages(bytes, ROWS - 1, 'Cannot read')).toThrow(/makes no sense/);
});

function headerOrNothing(reader: { view: DataView; offset: number }): ReturnType<typeof parquetHeader> | undefined {
  try {
    return parquetHeader(reader);
  } catch {
    // A header that cannot be parsed at all is refused by the decoder itself.
    return undefined;
  }
}
