import { type ParquetFile, readRowGroups, type StringDictionary } from '@millrace/codecs';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import { expect, expectTypeOf, test } from 'vitest';

function write(columnData: ColumnSource[], rowGroupSize = 2_000_000): ArrayBuffer {
  return parquetWriteBuffer({ columnData, rowGroupSize });
}

async function groupsOf(file: ParquetFile): Promise<StringDictionary[]> {
  const groups: StringDictionary[] = [];
  for await (const { columns } of readRowGroups(file, { columns: { t: 'dictionary' } })) {
    expectTypeOf(columns.t).toEqualTypeOf<StringDictionary>();
    groups.push(columns.t);
  }
  return groups;
}

const textsOf = ({ indexes, values }: StringDictionary): unknown[] => Array.from(indexes, (index) => values[index]);

test.each(['RLE_DICTIONARY', 'PLAIN'] as const)(
  'readRowGroups() gives texts as places in one list for all row groups (%s)',
  async (encoding) => {
    const data = ['SFO', 'SFO', 'BOS', 'JFK', 'BOS', 'SFO', 'ATL', 'ATL', 'SFO'];
    const groups = await groupsOf(write([{ name: 't', data, type: 'STRING', encoding }], 4));
    expect(groups.flatMap(textsOf)).toEqual(data);
    expect(groups.map(({ indexes }) => [...indexes])).toEqual([[0, 0, 1, 2], [1, 0, 3, 3], [0]]);
    expect(groups[0]?.values).toBe(groups[2]?.values);
    expect(groups[0]?.values).toEqual(['SFO', 'BOS', 'JFK', 'ATL']);
    expect(groups[0]?.indexes).toBeInstanceOf(Uint16Array);
  },
);

test('readRowGroups() gives null a place of its own', async () => {
  const data = [null, 'a', null, 'b'];
  const [group] = await groupsOf(write([{ name: 't', data, type: 'STRING', nullable: true }]));
  expect(group && textsOf(group)).toEqual(data);
  expect(group?.values).toEqual([null, 'a', 'b']);
});

test('readRowGroups() makes places wider where two bytes are too few', async () => {
  const data = Array.from({ length: 70_000 }, (_, row) => `text ${row}`);
  const groups = await groupsOf(write([{ name: 't', data, type: 'STRING' }], 50_000));
  expect(groups.map(({ indexes }) => indexes.constructor)).toEqual([Uint16Array, Uint32Array]);
  expect(groups.flatMap(textsOf)).toEqual(data);
});

test('readRowGroups() gives a dictionary only of texts', async () => {
  const file = write([{ name: 't', data: [1, 2], type: 'INT32' }]);
  await expect(groupsOf(file)).rejects.toThrow(
    'Cannot read column "t": it is of kind "number" ("dictionary" was asked for)',
  );
});

test('readRowGroups() reads a dictionary of any size, with runs and without, nullable or not', async () => {
  for (const size of [1, 2, 3, 5, 200, 256, 257, 300, 2_000, 40_000]) {
    const count = size * 2 + 1_000;
    // The first half is in runs; the rest jumps about.
    const code = (row: number): number => (row < count / 2 ? Math.floor(row / 20) : row * 7_919) % size;
    const codes = Array.from({ length: count }, (_, row) => code(row));
    const common = { encoding: 'RLE_DICTIONARY' } as const;
    const file = write([
      { ...common, name: 'text', data: codes.map((each) => `t${each}`), type: 'STRING', nullable: true },
      { ...common, name: 'int', data: codes.map((each) => each - 1_000), type: 'INT32' },
      { ...common, name: 'long', data: codes.map((each) => BigInt(each) * 1_000n), type: 'INT64', nullable: true },
      { ...common, name: 'large', data: codes.map((each) => 2n ** 40n + BigInt(each)), type: 'INT64' },
      { ...common, name: 'real', data: codes.map((each) => each / 7), type: 'DOUBLE' },
      {
        ...common,
        name: 'holes',
        data: codes.map((each, row) => (row % 9 ? each : null)),
        type: 'INT32',
        nullable: true,
      },
    ]);
    for await (const { columns } of readRowGroups(file, {
      columns: { text: 'string', int: 'number', long: 'number', large: 'number', real: 'number', holes: 'number' },
    })) {
      expect(columns.text).toEqual(codes.map((each) => `t${each}`));
      expect(columns.int).toEqual(Int32Array.from(codes, (each) => each - 1_000));
      expect(columns.long).toEqual(Int32Array.from(codes, (each) => each * 1_000));
      expect(columns.large).toEqual(Float64Array.from(codes, (each) => 2 ** 40 + each));
      expect(columns.real).toEqual(Float64Array.from(codes, (each) => each / 7));
      expect(columns.holes).toEqual(Float64Array.from(codes, (each, row) => (row % 9 ? each : Number.NaN)));
    }
  }
});

test('readRowGroups() never ends quietly with rows missing when bytes of a dictionary are changed', async () => {
  const data = Array.from({ length: 60 }, (_, row) => `t${(row * row) % 7}`);
  const good = new Uint8Array(write([{ name: 't', data, type: 'STRING', encoding: 'RLE_DICTIONARY' }], 20));
  let broken = 0;
  for (let at = 0; at < good.length; at++) {
    const bytes = good.slice();
    bytes[at] = (bytes[at] as number) ^ 0xff;
    try {
      for await (const { columns, rowCount } of readRowGroups(bytes.buffer, { columns: { t: 'dictionary' } })) {
        expect(textsOf(columns.t)).toHaveLength(rowCount);
        expect(textsOf(columns.t)).not.toContain(undefined);
      }
    } catch (error) {
      expect(error).toMatchObject({ name: 'CodecError', code: 'ERR_CODECS_PARQUET' });
      broken += 1;
    }
  }
  expect(broken).toBeGreaterThan(good.length / 4);
});
