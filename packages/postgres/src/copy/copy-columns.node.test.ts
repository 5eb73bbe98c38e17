import { flatMap, from } from '@millrace/core';
import { type ColumnBatch, type CopyColumn, copyInto, type DatabaseError } from '@millrace/postgres';
import { beforeEach, expect, test } from 'vitest';
import { failure as failureOf, sql, useDatabase } from '../../test/database.js';

useDatabase();

beforeEach(async () => {
  await sql`drop table if exists item`;
  await sql`create table item (id int4 primary key, name varchar(5))`;
});

/** Stores columns, each in one of the types, and gives the table's rows as texts. */
async function stored(types: Readonly<Record<string, string>>, batch: ColumnBatch): Promise<unknown[][]> {
  const names = Object.keys(types);
  await sql`drop table if exists sample`;
  await sql.unsafe(`create table sample (${names.map((name) => `${name} ${types[name]}`).join(', ')})`);
  const sink = copyInto(sql, 'sample', { layout: 'columns' });
  await from([batch]).run(sink).finished;
  expect(sink.rowsWritten).toBe(batch.rowCount);
  const rows = await sql.unsafe(`select ${names.map((name) => `${name}::text as ${name}`).join(', ')} from sample`);
  return rows.map((row) => names.map((name) => row[name] as unknown));
}

async function failure(batch: unknown, columns?: readonly string[]): Promise<DatabaseError> {
  const sink = copyInto<Record<string, unknown>>(sql, 'item', {
    layout: 'columns',
    ...(columns !== undefined && { columns }),
  });
  const { cause } = await failureOf(from([batch as ColumnBatch]).run(sink).finished);
  expect(sink.rowsWritten).toBe(0);
  expect(await sql`select * from item`).toHaveLength(0);
  return cause as DatabaseError;
}

test('copyInto() stores columns of typed arrays as their values', async () => {
  const instants = [Date.UTC(2001, 0, 1, 12), Date.UTC(1969, 6, 20), 946_684_800_000.5];
  const rows = await stored(
    {
      ...{
        small: 'int2',
        whole: 'int4',
        fine: 'int4',
        big: 'int8',
        bigger: 'int8',
        double: 'float8',
        single: 'float4',
      },
      ...{ at: 'timestamp', zoned: 'timestamptz', day: 'date', flag: 'bool', exact: 'numeric', raw: 'int4' },
    },
    {
      rowCount: 3,
      columns: {
        small: Int16Array.of(-32_768, 0, 32_767),
        whole: Int32Array.of(-(2 ** 31), -1, 2 ** 31 - 1),
        fine: Float64Array.of(-0, 7, -(2 ** 31)),
        big: Float64Array.of(Number.MAX_SAFE_INTEGER, -1, -(2 ** 32) - 1),
        bigger: BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n), 0n),
        double: Float64Array.of(Number.NaN, -1.25e-300, Number.POSITIVE_INFINITY),
        single: Float32Array.of(0.5, -1, Number.NaN),
        at: Float64Array.from(instants),
        zoned: Float64Array.from(instants),
        day: Float64Array.from(instants),
        flag: Uint8Array.of(1, 0, 1),
        exact: Float64Array.of(0.1, -12, 1e20),
        raw: Uint8Array.of(0, 1, 255),
      },
    },
  );
  const [[zone]] = (await sql`show timezone`.values()) as unknown as [[string]];
  expect(['UTC', 'GMT', 'Etc/UTC']).toContain(zone);
  expect(rows).toEqual([
    [
      '-32768',
      '-2147483648',
      '0',
      '9007199254740991',
      '9223372036854775807',
      'NaN',
      '0.5',
      '2001-01-01 12:00:00',
    ].concat(['2001-01-01 12:00:00+00', '2001-01-01', 'true', '0.1', '0']),
    ['0', '-1', '7', '-1', '-9223372036854775808', '-1.25e-300', '-1', '1969-07-20 00:00:00'].concat([
      '1969-07-20 00:00:00+00',
      '1969-07-20',
      'false',
      '-12',
      '1',
    ]),
    ['32767', '2147483647', '-2147483648', '-4294967297', '0', 'Infinity', 'NaN', '2000-01-01 00:00:00.0005'].concat([
      '2000-01-01 00:00:00.0005+00',
      '2000-01-01',
      'true',
      '100000000000000000000',
      '255',
    ]),
  ]);
});

test('copyInto() stores columns of arrays and dictionaries, with nulls', async () => {
  const rows = await stored(
    { words: 'text', code: 'text', at: 'timestamptz', tree: 'jsonb', whole: 'int4', flag: 'bool' },
    {
      rowCount: 3,
      columns: {
        words: ['naïve 🙂', null, 'x'.repeat(40)],
        code: { indexes: Uint8Array.of(2, 0, 1), values: ['', null, 'rather longer than a short text'] },
        at: [new Date(0), null, new Date(946_684_800_000)],
        tree: { indexes: [0, 0, 0], values: [{ a: 1 }] },
        whole: [1, null, -1],
        flag: [true, null, false],
      },
    },
  );
  expect(rows).toEqual([
    ['naïve 🙂', 'rather longer than a short text', '1970-01-01 00:00:00+00', '{"a": 1}', '1', 'true'],
    [null, '', null, '{"a": 1}', null, null],
    ['x'.repeat(40), null, '2000-01-01 00:00:00+00', '{"a": 1}', '-1', 'false'],
  ]);
});

test('copyInto() stores columns as it stores the same rows, whatever their lengths', async () => {
  const lengths = [0, 1, 5, 200, 70_000, 3, 30_000, 40_000, 2_000];
  const words = Array.from({ length: 3_500 }, (_, row) => 'w'.repeat(row < 9 ? (lengths[row] as number) : row % 60));
  const ids = Int32Array.from(words, (_, row) => row * 7);
  const codes = { indexes: Uint16Array.from(words, (_, row) => row % 4), values: words.slice(0, 4) };
  await sql`drop table if exists by_rows, by_columns`;
  await sql`create table by_rows (words text, id int4, code text)`;
  await sql`create table by_columns (words text, id int4, code text)`;
  const rows = words.map((each, row) => ({ words: each, id: ids[row], code: codes.values[row % 4] }));
  await from([rows]).run(copyInto(sql, 'by_rows')).finished;
  const batch = { rowCount: words.length, columns: { code: codes, id: ids, words } };
  await from([batch]).run(copyInto(sql, 'by_columns', { layout: 'columns' })).finished;
  const [{ same }] = (await sql`
    select array(select b::text from by_columns b) = array(select r::text from by_rows r) as same`) as unknown as [
    { same: boolean },
  ];
  expect(same).toBe(true);
});

test('copyInto() stores column batches in one transaction each, or several', async () => {
  const batches = [0, 10, 20, 30].map((first) => ({
    rowCount: 10,
    columns: { id: Int32Array.from({ length: 10 }, (_, row) => first + row), name: Array(10).fill('x') },
  }));
  const empty = { rowCount: 0, columns: { id: [], name: [] } };
  const transactions = async (): Promise<unknown> =>
    (await sql`select count(*)::int4 as rows, count(distinct xmin::text)::int4 as transactions from item`)[0];
  const sink = copyInto(sql, 'item', { layout: 'columns' });
  const summary = await from([empty, ...batches]).run(sink).finished;
  expect(summary).toMatchObject({ balanced: true, emitted: 5 });
  expect(sink.rowsWritten).toBe(40);
  expect(await transactions()).toEqual({ rows: 40, transactions: 4 });
  await sql`truncate item`;
  await from([batches])
    .pipeThrough(flatMap((each) => each))
    .run(copyInto(sql, 'item', { layout: 'columns', maxBurst: 4 })).finished;
  // How many come together is up to the engine; the first is not waited with.
  expect(await transactions()).toMatchObject({ rows: 40, transactions: expect.toSatisfy((count) => count < 4) });
});

test('copyInto() writes only the columns that are asked for', async () => {
  const batch = { rowCount: 1, columns: { name: ['x'], id: [1], other: [2, 3] } };
  await from([batch]).run(copyInto(sql, 'item', { layout: 'columns', columns: ['id', 'name'] })).finished;
  expect([...(await sql`select * from item`)]).toEqual([{ id: 1, name: 'x' }]);
});

const id = Int32Array.of(1, 2, 3);

test.each<[string, Readonly<Record<string, CopyColumn>>, { column: string; row?: number }, string]>([
  [
    'a fraction',
    { id: Float64Array.of(1, 2, 2.5) },
    { column: 'id', row: 2 },
    'a number that is not whole or not finite (must be a whole number from',
  ],
  [
    'a number too large',
    { id: Uint32Array.of(1, 2 ** 31, 3) },
    { column: 'id', row: 1 },
    'a whole number (must be a whole number from',
  ],
  ['NaN', { id: Float64Array.of(Number.NaN, 2, 3) }, { column: 'id', row: 0 }, 'not finite'],
  [
    'undefined',
    { id, name: ['a', undefined, 'c'] },
    { column: 'name', row: 1 },
    'undefined (must be a value, or null)',
  ],
  ['a hole', { id, name: Object.assign([], { length: 3 }) }, { column: 'name', row: 0 }, 'undefined'],
  ['another type', { id, name: ['a', 'b', 5] }, { column: 'name', row: 2 }, 'a whole number (must be a string)'],
  ['numbers for texts', { id, name: id }, { column: 'name', row: 0 }, 'a whole number (must be a string)'],
  [
    'another type in a dictionary',
    { id, name: { indexes: [0, 1, 1], values: ['a', 2] } },
    { column: 'name', row: 1 },
    'a whole number (must be a string)',
  ],
  [
    'an index out of range',
    { id, name: { indexes: [0, 0, 2], values: ['a', 'b'] } },
    { column: 'name', row: 2 },
    'of an index that is not there (must be a whole number from 0 to 1)',
  ],
  [
    'a short column',
    { id, name: ['a'] },
    { column: 'name' },
    'column "name" has 1 values (must be an array of 3 values, or their indexes and values)',
  ],
  ['a short dictionary', { id, name: { indexes: [0], values: ['a'] } }, { column: 'name' }, 'has 1 values'],
  ['no array', { id, name: 'abc' as unknown as CopyColumn }, { column: 'name' }, 'column "name" is not there'],
])(
  'copyInto() refuses columns with %s, names column and row, and stores nothing',
  async (_what, columns, place, message) => {
    const error = await failure({ rowCount: 3, columns });
    expect(error).toMatchObject({ code: 'ERR_POSTGRES_VALUE', table: 'item', row: undefined, ...place });
    expect(error.message).toContain(message);
  },
);

test('copyInto() names the row of the batch, also far behind its beginning', async () => {
  const ids = Float64Array.from({ length: 20_001 }, (_, row) => row);
  ids[20_000] = 1.5;
  const error = await failure({ rowCount: ids.length, columns: { id: ids } });
  expect(error).toMatchObject({ code: 'ERR_POSTGRES_VALUE', column: 'id', row: 20_000 });
  expect(error.message).toBe(
    'Cannot write row 20000 of the batch to table "item": column "id" is a number that is not whole or not finite (must be a whole number from -2147483648 to 2147483647)',
  );
});

test('copyInto() refuses an instant that no Date can have, and a truth that is neither', async () => {
  await sql`alter table item add at timestamptz, add day date, add flag bool`;
  const late = Float64Array.of(0, 8.65e15);
  for (const column of ['at', 'day']) {
    const error = await failure({ rowCount: 2, columns: { [column]: late } });
    expect(error).toMatchObject({ code: 'ERR_POSTGRES_VALUE', column, row: 1 });
    expect(error.message).toContain('out of range (must be a number of milliseconds');
    expect(await failure({ rowCount: 1, columns: { [column]: Float64Array.of(Number.NaN) } })).toMatchObject({
      row: 0,
    });
  }
  expect(await failure({ rowCount: 2, columns: { flag: Uint8Array.of(1, 2) } })).toMatchObject({
    column: 'flag',
    row: 1,
    message: expect.stringContaining('neither 0 nor 1'),
  });
});

test('copyInto() refuses rows where columns are to come, and a column that a batch lacks', async () => {
  const message = 'it is something else than columns (must be an object with rowCount and columns)';
  for (const wrong of [
    [{ id: 1 }],
    { id: 1 },
    5,
    null,
    { rowCount: -1, columns: {} },
    { rowCount: 1, columns: null },
  ]) {
    expect(await failure(wrong)).toMatchObject({
      code: 'ERR_POSTGRES_VALUE',
      message: expect.stringContaining(message),
    });
  }
  expect(await failure({ rowCount: 3, columns: { id } }, ['id', 'name'])).toMatchObject({ column: 'name' });
});

test('copyInto() refuses a layout that is none', () => {
  expect(() => copyInto(sql, 'item', { layout: 'column' } as unknown as { layout: 'columns' })).toThrow(
    'layout is "column" (must be "rows" or "columns")',
  );
});
