import { batch, channel, from, type StageError } from '@millrace/core';
import { source } from '@millrace/core/authoring';
import { enrich, type KeyQuery, selectBy } from '@millrace/postgres';
import postgres, { type Sql } from 'postgres';
import { expect, test } from 'vitest';
import { failure, link, sql, useDatabase } from '../../test/database.js';

useDatabase(async () => {
  await sql`create table person as select n as id, 'name ' || n as name, n % 10 as team from generate_series(1, 5000) n`;
  await sql`create table place (code text primary key, city text)`;
  await sql`create table amount (id int4 primary key, cents numeric)`;
  await sql`insert into amount values (7, 5)`;
});

interface Person {
  readonly id: number;
  readonly name: string;
}

const byId = selectBy<Person>('person', 'id', ['name']);
const named = (id: number, person: Person | undefined): string => `${id}: ${person?.name ?? 'nobody'}`;
const expected = (id: number): string => `${id}: ${id >= 1 && id <= 5000 ? `name ${id}` : 'nobody'}`;

/** Counts the queries, and the keys in each. */
function counted<Row>(query: KeyQuery<Row>): KeyQuery<Row> & { readonly sizes: number[]; most: number } {
  let now = 0;
  const counting = {
    sizes: [] as number[],
    most: 0,
    keyOf: query.keyOf,
    async rows(of: Sql, keys: string) {
      counting.sizes.push(keys.split(',').length);
      counting.most = Math.max(counting.most, ++now);
      try {
        return await query.rows(of, keys);
      } finally {
        now--;
      }
    },
  };
  return counting;
}

const ids = (count: number): number[] => Array.from({ length: count }, (_, at) => (at * 7919) % 6000);

test.each([true, false])('enrich() adds its row to each item, in few queries (ordered: %s)', async (ordered) => {
  const query = counted(byId);
  const stage = enrich(sql, { key: (id: number) => id, query, into: named, ordered });
  const results = await from(ids(20_000)).pipeThrough(stage).toArray();
  const all = ids(20_000).map(expected);
  expect(ordered ? results : results.sort()).toEqual(ordered ? all : all.sort());
  expect(Math.max(...query.sizes)).toBeLessThanOrEqual(500);
  expect(query.most).toBeLessThanOrEqual(4);
  // 6,000 different keys, each asked for once.
  expect(query.sizes.reduce((sum, size) => sum + size, 0)).toBe(6000);
});

test('enrich() stays within its bound, and the run balances', async () => {
  const stage = enrich(sql, { key: (id: number) => id, query: byId, into: named, maxBatch: 50, inFlight: 2 });
  const run = from(ids(3000))
    .pipeThrough(stage)
    .run(() => {});
  expect(run.explain().rooms).toContainEqual({ stage: 'enrich', where: 'in 2 queries of 50', items: 100 });
  const batches = from(ids(9))
    .pipeThrough(batch({ maxItems: 5_000 }))
    .pipeThrough(enrich(sql, { key: ([id = 0]: readonly number[]) => id, query: byId, into: (items) => items }));
  expect(batches.explain().rooms).toContainEqual({ stage: 'enrich', where: 'edge', items: 5_000 });
  const size = (text: string): number => text.length;
  const sized = from(['a']).pipeThrough(
    enrich(sql, { key: Number, query: byId, into: (text) => text, highWaterMark: 4_096, size }),
  );
  expect(String(sized.explain())).toContain('enrich edge: 4,096 by size');
  const summary = await run.finished;
  expect(summary.balanced).toBe(true);
  expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
});

test('enrich() never waits for a batch to fill', async () => {
  const lines = channel<number>(10);
  const query = counted(byId);
  const results = from(lines.receiver)
    .pipeThrough(enrich(sql, { key: (id: number) => id, query, into: named }))
    .values();
  for (const id of [1, 2, 3]) {
    await lines.sender.send(id);
    expect((await results.next()).value).toBe(expected(id));
  }
  expect(query.sizes).toEqual([1, 1, 1]);
  await results.return?.();
});

test('enrich() does not ask its source for every item that has left', async () => {
  let next = 0;
  let reads = 0;
  const few = source<number>({
    name: 'few keys',
    open: () => ({
      read(max) {
        reads++;
        return Array.from({ length: max }, () => (next++ % 10) + 1);
      },
      close: () => {},
    }),
  });
  const stage = enrich(sql, { key: (id: number) => id, query: byId, into: named, highWaterMark: 0 });
  const results = few.pipeThrough(stage).values();
  for (let at = 0; at < 4000; at++) expect((await results.next()).value).toBe(expected((at % 10) + 1));
  await results.return?.();
  // 2,000 at first, then 500 each time a quarter of them has left.
  expect(reads).toBeLessThan(10);
});

test('enrich() finds keys of any text, and takes null and undefined for missing', async () => {
  const texts = ['a"b', 'c\\d', '{}', 'NULL', '', ' ', 'é🙂', ',', "o'x"];
  await sql`delete from place`;
  await sql`insert into place ${sql(texts.map((code) => ({ code, city: `in ${code}` })))}`;
  const keys = [...texts, null, undefined, 'none', 'a\0b', '\ud800'];
  const stage = enrich(sql, {
    key: (code: string | null | undefined) => code,
    query: selectBy<{ code: string; city: string }>('public.place', 'code'),
    into: (_code, place) => place?.city,
  });
  const results = await from(keys).pipeThrough(stage).toArray();
  expect(results).toEqual([...texts.map((code) => `in ${code}`), ...Array.from({ length: 5 }, () => undefined)]);
});

test('enrich() takes a query of the user', async () => {
  const query: KeyQuery<{ team: number; size: number }> = {
    rows: (of, keys) =>
      of`select team, count(*)::int4 as size from person where team = any(${keys}::int[]) group by team`,
    keyOf: ({ team }) => team,
  };
  const stage = enrich(sql, { key: (team: bigint) => team, query, into: (team, row) => `${team}: ${row?.size}` });
  expect(await from([3n, 11n]).pipeThrough(stage).toArray()).toEqual(['3: 500', '11: undefined']);
});

test('enrich() remembers rows for ttlMs and missing ones for missingTtlMs', async () => {
  let nowMs = 1000;
  const clock = { now: () => nowMs, setTimer: () => ({ clear: () => {} }) };
  const query = counted(byId);
  const script = async function* () {
    yield* [1, 9000];
    nowMs += 99;
    yield* [1, 9000];
    nowMs += 1;
    yield* [1, 9000];
    nowMs += 900;
    yield* [1];
  };
  const stage = enrich(sql, {
    key: (id: number) => id,
    query,
    into: named,
    ttlMs: 1000,
    missingTtlMs: 100,
    highWaterMark: 0,
    maxBatch: 1,
    inFlight: 1,
  });
  const results = await from(script()).pipeThrough(stage).toArray({ clock });
  expect(results).toEqual([1, 9000, 1, 9000, 1, 9000, 1].map(expected));
  // 1, 9000; nothing; 9000 again; 1 again.
  expect(query.sizes.length).toBe(4);
});

test('enrich() remembers no more than maxEntries', async () => {
  const query = counted(byId);
  const stage = enrich(sql, { key: (id: number) => id, query, into: named, maxEntries: 10, maxBatch: 1, inFlight: 1 });
  const rounds = Array.from({ length: 100 }, (_, at) => (at % 20) + 1);
  await from(rounds).pipeThrough(stage).toArray();
  expect(query.sizes.length).toBe(100);
  const none = counted(byId);
  await from([1, 1, 1])
    .pipeThrough(
      enrich(sql, { key: (id: number) => id, query: none, into: named, maxEntries: 0, maxBatch: 1, inFlight: 1 }),
    )
    .toArray();
  expect(none.sizes.length).toBe(3);
});

test('enrich() gives fallback what is missing and what fails', async () => {
  const stage = enrich(sql, {
    key: (id: number) => id,
    query: byId,
    fallback: (id, error) => ({ id, name: error === undefined ? 'stranger' : 'unknown' }),
    into: (_id, { name }) => name,
  });
  expect(await from([1, 9000]).pipeThrough(stage).toArray()).toEqual(['name 1', 'stranger']);
  const broken = enrich(sql, {
    key: (id: number) => id,
    query: selectBy<Person>('nowhere', 'id'),
    fallback: (id, error) => ({ id, name: (error as StageError).code }),
    into: (_id, { name }) => name,
  });
  expect(await from([1, 2]).pipeThrough(broken).toArray()).toEqual(['ERR_POSTGRES_LOOKUP', 'ERR_POSTGRES_LOOKUP']);
});

test('enrich() fails at the item whose lookup failed, behind those before it', async () => {
  const seen: string[] = [];
  const stage = enrich(sql, { key: (id: number) => id, query: byId, into: named, maxBatch: 3, inFlight: 2 });
  const keys = [1, 2, 3, 4, 99_999_999_999, 6];
  const error = await failure(
    from(keys)
      .pipeThrough(stage)
      .forEach((text) => void seen.push(text)),
  );
  expect(error).toMatchObject({ stage: 'enrich', index: 4, cause: { code: 'ERR_POSTGRES_LOOKUP', sqlState: '22003' } });
  expect(error.cause).toHaveProperty('message', expect.stringContaining('Cannot look up 1 key: '));
  expect(seen).toEqual([1, 2, 3, 4].map(expected));
});

test('enrich() lets a key that is no value of the type fail alone', async () => {
  const stage = enrich(sql, {
    key: (id: number | string) => id,
    query: byId,
    fallback: (_id, error) => ({ id: 0, name: error === undefined ? 'missing' : 'failed' }),
    into: (_id, { name }) => name,
  });
  const keys = [...Array.from({ length: 100 }, (_, at) => at + 1), 'x', 7000, 2 ** 40];
  const results = await from(keys).pipeThrough(stage).toArray();
  expect(results).toEqual([...keys.slice(0, 100).map((id) => `name ${id}`), 'failed', 'missing', 'failed']);
});

test('enrich() fails with the error of the user, once, at its item', async () => {
  let calls = 0;
  const boom = new Error('boom');
  const into = (id: number): number => {
    if (id !== 3) return id;
    calls++;
    throw boom;
  };
  const seen: number[] = [];
  const stage = enrich(sql, { key: (id: number) => id, query: byId, into });
  const run = from([1, 2, 3, 4])
    .pipeThrough(stage)
    .run((id) => void seen.push(id));
  expect(await failure(run.finished)).toMatchObject({ index: 2, cause: boom });
  expect([seen, calls]).toEqual([[1, 2], 1]);
  const key = (id: number): number => {
    if (id === 3) throw boom;
    return id;
  };
  const second = from([1, 2, 3, 4])
    .pipeThrough(enrich(sql, { key, query: byId, into: named }))
    .run((text) => void seen.push(text.length));
  expect(await failure(second.finished)).toMatchObject({ index: 2, cause: boom });
  expect(seen.length).toBe(4);
});

test('enrich() says what is wrong where a table has other columns, or the query of the user gives something else', async () => {
  const messageOf = async <Row>(query: KeyQuery<Row>): Promise<string> => {
    const stage = enrich(sql, { key: (id: number) => id, query, into: (id) => id });
    const { cause } = await failure(from([1, 2]).pipeThrough(stage).toArray());
    expect(cause).toMatchObject({ code: 'ERR_POSTGRES_LOOKUP' });
    return (cause as Error).message;
  };
  expect(await messageOf(selectBy<{ code: string }>('person', 'code'))).toBe(
    'Cannot look up 2 keys: column "code" does not exist',
  );
  expect(await messageOf(selectBy<{ id: number; city: string }>('person', 'id', ['city']))).toBe(
    'Cannot look up 2 keys: column "city" does not exist',
  );
  const renamed: KeyQuery<{ id: number }> = {
    rows: (of, keys) => of`select id as number from person where id = any(${keys}::int[])` as unknown as Promise<never>,
    keyOf: ({ id }) => id,
  };
  expect(await messageOf(renamed)).toMatch(/^Cannot look up 2 keys: keyOf\(\) gave undefined for a row \(must give/);
  const none = { rows: async () => undefined as unknown as [], keyOf: () => 1 };
  expect(await messageOf(none)).toBe('Cannot look up 2 keys: rows() gave no rows (must give an array of them)');
});

test('enrich() refuses a key that is neither text nor number, at its item', async () => {
  const keys = [1, { id: 2 } as unknown as number];
  const error = await failure(
    from(keys)
      .pipeThrough(enrich(sql, { key: (id) => id, query: byId, into: named }))
      .toArray(),
  );
  expect(error).toMatchObject({ index: 1, cause: { code: 'ERR_POSTGRES_LOOKUP' } });
  expect(error.message).toContain('it is of type "object" (must be a string');
});

test('enrich() reports an error in the query of the user as such', async () => {
  const boom = new TypeError('boom');
  const query: KeyQuery<Person> = {
    rows: () => {
      throw boom;
    },
    keyOf: ({ id }) => id,
  };
  const error = await failure(
    from([1])
      .pipeThrough(enrich(sql, { key: (id: number) => id, query, into: named }))
      .toArray(),
  );
  expect(error.cause).toMatchObject({ code: 'ERR_POSTGRES_LOOKUP', cause: boom });
});

test('enrich() answers by fallback while the server is silent, and by rows when it is back', async () => {
  let isSilent = false;
  link.onClient = (data) => (isSilent && data.includes('person') ? 'stall' : 'pass');
  const rounds = async function* () {
    yield 1;
    isSilent = true;
    yield 2;
    yield 3;
    isSilent = false;
    yield 4;
  };
  // The silent statement is one that the connection has prepared: what stalls is all that follows.
  link.onClient = () => (isSilent ? 'stall' : 'pass');
  const stage = enrich(postgres(link.connection), {
    key: (id: number) => id,
    query: byId,
    fallback: (id, error) => ({ id, name: (error as StageError)?.code ?? 'missing' }),
    into: (_id, { name }) => name,
    timeoutMs: 200,
    highWaterMark: 0,
    maxBatch: 1,
    inFlight: 1,
  });
  const results = await from(rounds()).pipeThrough(stage).toArray();
  expect(results).toEqual(['name 1', 'ERR_POSTGRES_TIMEOUT', 'ERR_POSTGRES_TIMEOUT', 'name 4']);
});

test('enrich() goes on with new connections when all are cut', async () => {
  let seen = 0;
  const stage = enrich(postgres(link.connection), {
    key: (id: number) => id,
    query: byId,
    fallback: (id) => ({ id, name: 'lost' }),
    into: (_id, { name }) => {
      if (++seen % 1500 === 0) link.cut();
      return name;
    },
    maxEntries: 0,
    ordered: false,
  });
  const summary = await from(ids(20_000))
    .pipeThrough(stage)
    .run(() => {}).finished;
  expect(summary).toMatchObject({ emitted: 20_000, balanced: true });
  expect(link.connections).toBeGreaterThan(4);
});

test('enrich() closes its connections when the run is aborted during a query', async () => {
  const query: KeyQuery<{ id: number }> = {
    rows: (of, keys) => of`select id, pg_sleep(30) from person where id = any(${keys})`,
    keyOf: ({ id }) => id,
  };
  const run = from([1, 2])
    .pipeThrough(enrich(sql, { key: (id: number) => id, query, into: (id) => id }))
    .run(() => {});
  await expect
    .poll(async () => (await sql`select 1 from pg_stat_activity where wait_event = 'PgSleep'`).length)
    .toBe(1);
  run.abort(new Error('enough'));
  await expect(run.finished).rejects.toThrow('enough');
  // The server notices when it writes; nobody here waits for it.
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'`;
});

test('enrich() refuses wrong arguments by name', () => {
  const good = { key: (id: number) => id, query: byId, into: named };
  expect(() => enrich({} as typeof sql, good)).toThrow('sql is an object (Object) (must be what postgres() returned)');
  expect(() => enrich(sql, { ...good, batch: 1 } as typeof good)).toThrow('option "batch" is unknown');
  expect(() => enrich(sql, { ...good, query: {} as typeof byId })).toThrow(
    'query is an object (Object) (must be what selectBy() returns',
  );
  expect(() => enrich(sql, { ...good, maxBatch: 0 })).toThrow('maxBatch is 0');
  expect(() => enrich(sql, { ...good, ttlMs: -1 })).toThrow('ttlMs is -1');
  expect(() => enrich(sql, { ...good, into: 5 as unknown as typeof named })).toThrow('into is 5 (must be a function)');
  expect(() => selectBy('', 'id')).toThrow('table is "" (must be a name)');
});
