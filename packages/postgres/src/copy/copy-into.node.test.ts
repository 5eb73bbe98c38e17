import { batch, from } from '@millrace/core';
import { copyInto, type DatabaseError } from '@millrace/postgres';
import postgres from 'postgres';
import { beforeEach, expect, test } from 'vitest';
import { failure as failureOf, link, sql, useDatabase } from '../../test/database.js';

useDatabase();

beforeEach(async () => {
  await sql`drop table if exists item`;
  await sql`create table item (id int4 primary key, name varchar(5))`;
});

interface Item {
  readonly id: number;
  readonly name: string | null;
}

const items = (count: number, first = 0): Item[] =>
  Array.from({ length: count }, (_, at) => ({ id: first + at, name: `n${at % 100}` }));

async function failure(run: { finished: Promise<unknown> }): Promise<DatabaseError> {
  return (await failureOf(run.finished)).cause as DatabaseError;
}

const count = async (): Promise<number> => (await sql<[{ n: number }]>`select count(*)::int4 as n from item`)[0].n;

test('copyInto() stores every type as postgres.js reads it', async () => {
  await sql`drop table if exists sample, mood_sample`;
  await sql`drop type if exists mood`;
  await sql`create type mood as enum ('calm', 'wild')`;
  await sql`drop domain if exists share`;
  await sql`create domain share as float8`;
  await sql`create table sample (
    flag bool, small int2, whole int4, big int8, single float4, double float8, part share, exact numeric, words text,
    code varchar(8), fixed char(3), at timestamptz, local timestamp, day date, id uuid, tree jsonb, plain json, raw bytea,
    mood mood)`;
  const row = {
    flag: true,
    small: -32_768,
    whole: 2_147_483_647,
    big: '9223372036854775807',
    single: 0.5,
    double: -1.25e-300,
    part: 0.75,
    exact: '-120003.0450',
    words: 'naïve 🙂 "quoted" \\ and rather longer than a short text',
    code: 'é',
    fixed: 'abc',
    at: new Date('1969-07-20T20:17:40.123Z'),
    local: new Date('2400-02-29T00:00:00.001Z'),
    day: new Date('1999-12-31T00:00:00Z'),
    id: '0f8fad5b-d9cb-469f-a165-70867728950e',
    tree: { a: [1, null, 'x'] },
    plain: 'text',
    raw: Buffer.from([0, 255, 10]),
    mood: 'wild',
  };
  const nothing = Object.fromEntries(Object.keys(row).map((name) => [name, null])) as unknown as typeof row;
  await from([[row, nothing]]).run(copyInto(sql, 'sample')).finished;
  const columns = Object.keys(row).map((name) => (name === 'local' ? `local at time zone 'UTC' as local` : name));
  const stored = await sql.unsafe(`select ${columns.join(', ')} from sample`);
  expect(stored[0]).toEqual(row);
  expect(stored[1]).toEqual(nothing);
});

test('copyInto() stores numbers of any size as numeric and int8', async () => {
  await sql`drop table if exists amounts`;
  await sql`create table amounts (n int4, exact numeric, big int8)`;
  const texts = [
    '0',
    '0.00',
    '1',
    '-1',
    '10000',
    '9999.9999',
    '0.0001',
    '0.00012',
    '123456789012345678901234567890.5',
    '1e20',
    '1.5e-7',
    '12e-3',
    '.5',
    '7.',
    'NaN',
    '-0.1',
  ];
  const bigs = [0, -1, 2 ** 32, -(2 ** 32) - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, -(2n ** 63n), '-5'];
  const rows = texts.map((exact, n) => ({ n, exact, big: bigs[n % bigs.length] }));
  await from([rows]).run(copyInto(sql, 'amounts')).finished;
  const expected =
    await sql`select x::numeric::text as exact from unnest(${sql.array(texts, 1009)}::text[]) with ordinality as u(x, n) order by n`;
  const stored = await sql`select exact::text, big::text from amounts order by n`;
  expect(stored.map((row) => row['exact'])).toEqual(expected.map((row) => row['exact']));
  expect(stored.map((row) => row['big'])).toEqual(rows.map((row) => String(row.big)));
});

test('copyInto() stores batches, one transaction each, and says how many rows', async () => {
  const sink = copyInto<Item>(sql, 'public.item', { columns: ['name', 'id'] });
  const run = from(items(10_007))
    .pipeThrough(batch({ maxItems: 1000 }))
    .run(sink);
  const summary = await run.finished;
  expect(summary).toMatchObject({ balanced: true, emitted: 11 });
  expect(sink.rowsWritten).toBe(10_007);
  const [row] = await sql`select count(*)::int4 as rows, count(distinct xmin::text)::int4 as transactions from item`;
  expect(row).toEqual({ rows: 10_007, transactions: 11 });
});

test('copyInto() stores single rows, a burst in a transaction', async () => {
  const sink = copyInto<Item>(sql, 'item', { maxBurst: 500 });
  const run = from(items(2000)).run(sink);
  expect(run.explain().bound).toBe(1000);
  await run.finished;
  const sized = copyInto<Item>(sql, 'item', { maxBurst: 500, highWaterMark: 4_096, size: () => 100 });
  const none = from(items(0)).run(sized);
  expect(String(none.explain())).toContain('copyInto edge: 4,096 by size');
  await none.finished;
  const [row] = await sql`select count(*)::int4 as rows, count(distinct xmin::text) < 20 as few from item`;
  expect(row).toEqual({ rows: 2000, few: true });
});

test('copyInto() stores a batch of many chunks', async () => {
  await sql`create table if not exists long (words text)`;
  const words = 'x'.repeat(300_000);
  await from([[{ words }, { words: '' }, ...Array.from({ length: 3000 }, () => ({ words: 'y'.repeat(100) }))]]).run(
    copyInto(sql, 'long'),
  ).finished;
  const [row] = await sql`select count(*)::int4 as rows, sum(length(words))::int4 as characters from long`;
  expect(row).toEqual({ rows: 3002, characters: 600_000 });
});

test('copyInto() rolls the batch back and names column and row when a value does not fit', async () => {
  const bad = [...items(20_000), { id: 1.5, name: 'x' }];
  const error = await failure(from([items(5, 50_000), bad]).run(copyInto(sql, 'item')));
  expect(error).toMatchObject({ code: 'ERR_POSTGRES_VALUE', column: 'id', row: 20_000, table: 'item' });
  expect(error.message).toBe(
    'Cannot write row 20000 of the batch to table "item": column "id" is a number that is not whole or not finite (must be a whole number from -2147483648 to 2147483647)',
  );
  expect(await count()).toBe(5);
});

test.each([
  ['id', { id: undefined, name: 'x' }, 'undefined (must be a value, or null)'],
  ['id', { id: 2 ** 31, name: 'x' }, 'a whole number (must be a whole number from'],
  ['name', { id: 1, name: 5 }, 'a whole number (must be a string)'],
  ['name', { id: 1, name: 'a\0b' }, 'a text with a NUL character'],
  ['name', { id: 1, name: '\ud800' }, 'half a surrogate pair'],
])('copyInto() refuses what would be stored as something else (%s)', async (column, row, message) => {
  const error = await failure(from([[row]]).run(copyInto(sql, 'item')));
  expect(error).toMatchObject({
    code: 'ERR_POSTGRES_VALUE',
    column,
    row: 0,
    message: expect.stringContaining(message),
  });
});

test('copyInto() refuses what is not a row', async () => {
  const numbers = [[1, 2]] as unknown as Item[][];
  const error = await failure(from(numbers).run(copyInto<Item>(sql, 'item', { columns: ['id'] })));
  expect(error).toMatchObject({
    code: 'ERR_POSTGRES_VALUE',
    row: 0,
    message: expect.stringContaining('it is not an object'),
  });
});

test.each([
  [
    'a text too long',
    [
      { id: 1, name: 'abc' },
      { id: 2, name: 'abcdef' },
    ],
    { sqlState: '22001', row: 1, column: 'name' },
  ],
  ['a key twice', [...items(3), { id: 1, name: 'x' }], { sqlState: '23505' }],
  ['a missing value', [{ id: null, name: 'x' }], { sqlState: '23502', column: 'id', row: 0 }],
])('copyInto() reports what the server refuses: %s', async (_what, rows, expected) => {
  // The first batch is stored, the second one fails after all of it was sent, or while it is.
  const error = await failure(from([items(5, 100), rows, items(5, 200)]).run(copyInto(sql, 'item')));
  expect(error).toMatchObject({ code: 'ERR_POSTGRES_COPY', table: 'item', ...expected });
  expect(await count()).toBe(5);
});

test('copyInto() reports an error of the server that comes while rows are being sent', async () => {
  const rows = [{ id: 1, name: 'abcdef' }, ...items(200_000, 10)];
  const error = await failure(from([rows]).run(copyInto(sql, 'item')));
  expect(error).toMatchObject({ code: 'ERR_POSTGRES_COPY', sqlState: '22001', row: 0 });
  expect(await count()).toBe(0);
});

test('copyInto() reports a constraint that is checked at the commit', async () => {
  await sql`alter table item add constraint late unique (name) deferrable initially deferred`;
  const error = await failure(
    from([
      [
        { id: 1, name: 'x' },
        { id: 2, name: 'x' },
      ],
    ]).run(copyInto(sql, 'item')),
  );
  expect(error).toMatchObject({ code: 'ERR_POSTGRES_COPY', sqlState: '23505' });
  expect(await count()).toBe(0);
});

test('copyInto() names what there is where a table or a column is missing, or of another type', async () => {
  expect(await failure(from([items(1)]).run(copyInto(sql, 'nowhere')))).toMatchObject({
    code: 'ERR_POSTGRES_TABLE',
    message: expect.stringContaining('Cannot write to table "nowhere": there is no such table'),
  });
  expect(await failure(from([[{ id: 1, title: 'x' }]]).run(copyInto(sql, 'item')))).toMatchObject({
    code: 'ERR_POSTGRES_COLUMN',
    column: 'title',
    message: expect.stringContaining('there is no such column (must be one of "id", "name")'),
  });
  await sql`alter table item add place point, add double int4 generated always as (id * 2) stored`;
  expect(await failure(from([[{ place: '(1,2)' }]]).run(copyInto(sql, 'item')))).toMatchObject({
    code: 'ERR_POSTGRES_TYPE',
    message: expect.stringContaining('its type is point (must be bool, int2'),
  });
  expect(await failure(from([[{ double: 2 }]]).run(copyInto(sql, 'item')))).toMatchObject({
    code: 'ERR_POSTGRES_COLUMN',
  });
});

test('copyInto() fails when the connection is lost among the rows, and nothing of the batch is stored', async () => {
  let bytes = 0;
  link.onClient = (data) => {
    bytes += data.length;
    return bytes > 500_000 ? 'cut' : 'pass';
  };
  const error = await failure(from([items(5), items(200_000, 10)]).run(copyInto(postgres(link.connection), 'item')));
  expect(error).toMatchObject({ code: 'ERR_POSTGRES_LOST' });
  await expect.poll(count).toBe(5);
});

test('copyInto() opens another connection when the server ended one that had nothing to do', async () => {
  const rows = async function* () {
    yield items(5);
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'millrace%'`;
    yield items(5, 10);
  };
  await from(rows()).run(copyInto(sql, 'item')).finished;
  expect(await count()).toBe(10);
});

test('copyInto() fails when the server ends its session in the middle of a batch', async () => {
  await sql.unsafe(`create or replace function slow() returns trigger language plpgsql as
    $$ begin if new.id = 7 then perform pg_terminate_backend(pg_backend_pid()); end if; return new; end $$`);
  await sql`create trigger slow before insert on item for each row execute function slow()`;
  const error = await failure(from([items(5), items(5, 5)]).run(copyInto(sql, 'item')));
  expect(error).toMatchObject({ code: 'ERR_POSTGRES_LOST' });
  expect(await count()).toBe(5);
});

test('copyInto() gives a silent server up after timeoutMs', async () => {
  let isCopying = false;
  link.onClient = (data) => {
    isCopying ||= data.includes('copy public.item');
    return isCopying && data.includes('PGCOPY') ? 'stall' : 'pass';
  };
  const sink = copyInto<Item>(postgres(link.connection), 'item', { timeoutMs: 300 });
  const error = await failure(from([items(10)]).run(sink));
  expect(error).toMatchObject({ code: 'ERR_POSTGRES_TIMEOUT' });
  expect(await count()).toBe(0);
});

test('copyInto() says that it does not know, when the answer to the commit is lost', async () => {
  link.onClient = (data) => (data.includes('commit') ? 'cut after' : 'pass');
  const sink = copyInto<Item>(postgres(link.connection), 'item');
  const error = await failure(from([items(10)]).run(sink));
  expect(error).toMatchObject({ code: 'ERR_POSTGRES_IN_DOUBT', message: expect.stringContaining('all or none') });
  expect(sink.rowsWritten).toBe(0);
  expect(await count()).toBe(10);
});

test('copyInto() closes its connection when the run is aborted, and rolls back', async () => {
  await sql.unsafe(`create or replace function slow() returns trigger language plpgsql as
    $$ begin perform pg_sleep(30); return new; end $$`);
  await sql`create trigger slow before insert on item for each row execute function slow()`;
  const run = from([items(5)]).run(copyInto(sql, 'item'));
  await expect
    .poll(async () => (await sql`select 1 from pg_stat_activity where wait_event = 'PgSleep'`).length)
    .toBe(1);
  run.abort(new Error('enough'));
  await expect(run.finished).rejects.toThrow('enough');
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'`;
  expect(await count()).toBe(0);
});

test('copyInto() refuses wrong arguments by name', () => {
  expect(() => copyInto({} as typeof sql, 'item')).toThrow(
    'sql is an object (Object) (must be what postgres() returned)',
  );
  expect(() => copyInto(sql, '')).toThrow('table is "" (must be the name of a table)');
  expect(() => copyInto(sql, 'item', { columns: [] })).toThrow(
    'columns is an array (must be an array of one name or more)',
  );
  expect(() => copyInto(sql, 'item', { batch: 5 } as object)).toThrow('option "batch" is unknown');
  expect(() => copyInto(sql, 'item', { maxBurst: 0 })).toThrow('maxBurst is 0');
});
