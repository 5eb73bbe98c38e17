import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type ParquetFile, readRowGroups, type StringColumn } from '@millrace/codecs';
import { asyncBufferFromFile } from 'hyparquet';
import { expect, expectTypeOf, test } from 'vitest';

const FLIGHTS = new URL('../data/flights-3m.parquet', import.meta.resolve('vega-datasets'));

test('readRowGroups() reads only the columns asked for, and nothing before it is asked', async () => {
  const bytes = await readFile(FLIGHTS);
  const slices: number[] = [];
  const file: ParquetFile = {
    byteLength: bytes.byteLength,
    slice(start, end) {
      slices.push((end ?? bytes.byteLength) - start);
      return bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + (end ?? bytes.byteLength)) as ArrayBuffer;
    },
  };
  const groups = readRowGroups(file, { columns: { delay: 'number' } });
  expect(slices).toEqual([]);
  const first = await groups.next();
  // The mark, the footer, and 289,203 bytes of compressed delays with their page headers.
  expect(slices).toEqual([4, 524_288, 289_203]);
  expect(first.value?.columns.delay).toHaveLength(272_727);
  await groups.return();
  expect(slices).toHaveLength(3);
});

test('readRowGroups() reads the flights of the demo, ZSTD and all', { timeout: 60_000 }, async () => {
  const file = await asyncBufferFromFile(fileURLToPath(FLIGHTS));
  const columns = { date: 'number', distance: 'number', origin: 'string' } as const;
  let rows = 0;
  let miles = 0;
  let latestMs = 0;
  let groups = 0;
  const origins = new Set<string | null>();
  for await (const group of readRowGroups(file, { columns })) {
    expectTypeOf(group.columns.origin).toEqualTypeOf<StringColumn>();
    expect(group.rowStart).toBe(rows);
    rows += group.rowCount;
    groups += 1;
    for (const distance of group.columns.distance) miles += distance;
    latestMs = Math.max(latestMs, group.columns.date.at(-1) ?? 0);
    for (const origin of group.columns.origin) origins.add(origin);
  }
  expect({ rows, groups, miles, latestMs, origins: origins.size }).toEqual({
    rows: 3_000_000,
    groups: 11,
    miles: 2_194_861_208,
    latestMs: Date.UTC(2001, 6, 1),
    origins: 229,
  });
});
