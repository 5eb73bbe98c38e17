import type { PageHeader } from 'hyparquet';
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { expect, test } from 'vitest';
import { type ColumnDecoder, decodeDictionaryPages } from './dictionary-pages.js';
import type { Page } from './pages.js';

const DICTIONARY = Int32Array.of(10, 20, 30);

const DECODER: ColumnDecoder = {
  pathInSchema: ['n'],
  type: 'INT32',
  element: { name: 'n', type: 'INT32', repetition_type: 'OPTIONAL' },
  schemaPath: [],
  codec: 'UNCOMPRESSED',
  parsers: DEFAULT_PARSERS,
};

/** A column of a dictionary and one page of version 1, with these levels and indexes. */
function decode(levels: readonly number[], indexes: readonly number[], rowCount: number): number[] | undefined {
  const page = [levels.length, 0, 0, 0, ...levels, ...indexes];
  const bytes = Uint8Array.from([...new Uint8Array(DICTIONARY.buffer), ...page]).buffer;
  const sizes = (size: number) => ({ uncompressed_page_size: size, compressed_page_size: size });
  const pages: Page[] = [
    {
      header: {
        type: 'DICTIONARY_PAGE',
        ...sizes(DICTIONARY.byteLength),
        dictionary_page_header: { num_values: 3, encoding: 'PLAIN', is_sorted: false },
      } as PageHeader,
      start: 0,
    },
    {
      header: {
        type: 'DATA_PAGE',
        ...sizes(page.length),
        data_page_header: { num_values: rowCount, encoding: 'RLE_DICTIONARY', definition_level_encoding: 'RLE' },
      } as PageHeader,
      start: DICTIONARY.byteLength,
    },
  ];
  const coded = decodeDictionaryPages(bytes, pages, rowCount, DECODER);
  return coded && Array.from(coded.indexes, (index) => coded.dictionary[index] as number);
}

// Two bits each: 0, 1, 2, 1 and 1, 1, 2, 2.
const PACKED = [2, 3, 0b01_10_01_00, 0b10_10_01_01];

test.each([
  ['one run', [16, 1]],
  ['two runs', [6, 1, 10, 1]],
  ['packed bits', [3, 255]],
  ['a run, then packed bits', [6, 1, 3, 31]],
])('decodeDictionaryPages() reads pages whose levels are all there: %s', (_what, levels) => {
  expect(decode(levels, PACKED, 8)).toEqual([10, 20, 30, 20, 20, 20, 30, 30]);
});

test.each([
  ['a run of none', [16, 0]],
  ['a run of none at the end', [14, 1, 2, 0]],
  ['a bit that is 0', [3, 127]],
  ['a bit that is 0 behind a run', [6, 1, 3, 15]],
  ['too few', [14, 1]],
])('decodeDictionaryPages() leaves pages to the decoder where a value may be missing: %s', (_what, levels) => {
  expect(decode(levels, PACKED, 8)).toBeUndefined();
});

test('decodeDictionaryPages() reads runs, and bits that are packed in a last short group', () => {
  expect(decode([26, 1], [2, 10, 2, ...PACKED.slice(1)], 13)).toEqual([
    30, 30, 30, 30, 30, 10, 20, 30, 20, 20, 20, 30, 30,
  ]);
  expect(decode([6, 1], PACKED, 3)).toEqual([10, 20, 30]);
  expect(decode([6, 1], [0], 3)).toEqual([10, 10, 10]);
});

test('decodeDictionaryPages() reads indexes of any width, at any place in a byte', () => {
  for (let bits = 1; bits <= 24; bits++) {
    const wanted = Array.from({ length: 16 }, (_, row) => (row * 7 + bits) % Math.min(3, 2 ** bits));
    const packed = new Uint8Array(2 * bits);
    for (const [row, index] of wanted.entries()) {
      for (let bit = 0; bit < 2; bit++) {
        const at = row * bits + bit;
        if ((index >> bit) & 1) packed[at >> 3] = (packed[at >> 3] as number) | (1 << (at & 7));
      }
    }
    expect(decode([32, 1], [bits, 5, ...packed], 16)).toEqual(wanted.map((index) => DICTIONARY[index]));
  }
  expect(decode([32, 1], [25, 5, ...new Uint8Array(50)], 16)).toBeUndefined();
});

test.each([
  ['an index beyond the dictionary', [2, 16, 3]],
  ['a run that is cut short', [2, 3, 0]],
  ['a run without a value', [2, 16]],
  ['a length that never ends', [2, 128, 128, 128, 128, 128, 128, 1]],
  ['a length that is cut short', [2, 128]],
])('decodeDictionaryPages() throws for %s', (_what, indexes) => {
  expect(() => decode([16, 1], indexes, 8)).toThrow(RangeError);
});
