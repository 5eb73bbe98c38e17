import { AsyncLocalStorage } from 'node:async_hooks';
import {
  channel,
  type DeadLetter,
  deadLetter,
  type FailedItem,
  fallback,
  from,
  mapAsync,
  type RunOptions,
  type StageError,
} from '@millrace/core';
import { type DatabaseError, type EnrichOptions, enrich, type KeyQuery, selectBy } from '@millrace/postgres';
import { type VirtualClock, virtualClock } from '@millrace/testkit';
import postgres, { type Sql } from 'postgres';
import { expect, test } from 'vitest';
import { failure, link, server, sql, useDatabase } from '../../test/database.js';

// What enrich() does about lookups that fail. The clock stands still while the server is at work.

useDatabase(async () => {
  await sql`create table person as select n as id, 'name ' || n as name from generate_series(1, 5000) n`;
});

interface Person {
  readonly id: number;
  readonly name: string;
}

const byId = selectBy<Person>('person', 'id', ['name']);
const key = (id: number): number => id;
const named = (id: number, person: Person | undefined): string => `${id}: ${person?.name ?? 'nobody'}`;
const expected = (id: number): string => `${id}: name ${id}`;
const retry = { attempts: 3, backoffMs: 60_000, maxBackoffMs: 600_000, jitter: 0 };

/** A query that ends its own session the first times, and notes the keys of each. */
function dying(times: number): KeyQuery<Person> & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    keyOf: ({ id }) => id,
    rows(of: Sql, keys: string) {
      asked.push(keys);
      if (asked.length <= times) return of`select pg_terminate_backend(pg_backend_pid()), 0 as id, '' as name`;
      return byId.rows(of, keys) as Promise<Person[]>;
    },
  };
}

/** Notes the tries that failed, and moves the time to the next one when there are as many as are waited for. */
function timed() {
  const clock: VirtualClock = virtualClock();
  const told: Array<{ index: number; attempt: number; code: unknown; delayMs: number }> = [];
  const observer = {
    retried: ({ index, attempt, cause }: StageError, delayMs: number) =>
      void told.push({ index, attempt, code: (cause as DatabaseError).code, delayMs }),
  };
  const options: RunOptions = { clock, observer };
  const failed = (times: number) => expect.poll(() => told.length).toBe(times);
  return { clock, told, options, failed };
}

test.each([{ ordered: true }, { ordered: false }])(
  'enrich() with retry looks all keys of a lost query up again, behind its wait (%o)',
  async (options) => {
    const { clock, told, options: run, failed } = timed();
    const query = dying(2);
    const stage = enrich(sql, { key, query, into: named, retry, ...options });
    const results = from([3, 1, 3, 2]).pipeThrough(stage).toArray(run);
    await failed(1);
    await clock.advance(59_999);
    expect(query.asked).toHaveLength(1);
    await clock.advance(1);
    await failed(2);
    await clock.advance(120_000);
    const all = await results;
    expect(options.ordered ? all : all.sort()).toEqual((options.ordered ? [3, 1, 3, 2] : [1, 2, 3, 3]).map(expected));
    expect(told).toEqual([
      { index: 0, attempt: 1, code: 'ERR_POSTGRES_CONNECT', delayMs: 60_000 },
      { index: 0, attempt: 2, code: 'ERR_POSTGRES_CONNECT', delayMs: 120_000 },
    ]);
    // The same keys, each once, in one query a try.
    expect(query.asked).toEqual(['{"3","1","2"}', '{"3","1","2"}', '{"3","1","2"}']);
    expect(clock.pendingTimers).toBe(0);
  },
);

test('enrich() with retry connects again when the way to the server was cut', async () => {
  const { clock, told, options, failed } = timed();
  let cuts = 2;
  link.onClient = () => (cuts-- > 0 ? 'cut' : 'pass');
  const stage = enrich(postgres(link.connection), { key, query: byId, into: named, retry });
  const results = from([1, 2]).pipeThrough(stage).toArray(options);
  for (const waitMs of [60_000, 120_000]) {
    await failed(waitMs / 60_000);
    await clock.advance(waitMs);
  }
  expect(await results).toEqual([1, 2].map(expected));
  expect(told.map(({ code }) => code)).toEqual(['ERR_POSTGRES_CONNECT', 'ERR_POSTGRES_CONNECT']);
});

test('enrich() with retry finds every row while all connections are cut again and again', async () => {
  let seen = 0;
  const codes = new Set<unknown>();
  const stage = enrich(postgres(link.connection), {
    key,
    query: byId,
    into: (id, person) => {
      if (++seen % 1500 === 0) link.cut();
      return named(id, person);
    },
    maxEntries: 0,
    maxBatch: 100,
    retry: { attempts: 100, backoffMs: 1, maxBackoffMs: 20 },
  });
  const observer = { retried: ({ cause }: StageError) => void codes.add((cause as DatabaseError).code) };
  const items = Array.from({ length: 20_000 }, (_, at) => 1 + ((at * 7919) % 5000));
  expect(await from(items).pipeThrough(stage).toArray({ observer })).toEqual(items.map(expected));
  expect(codes).toContain('ERR_POSTGRES_LOST');
});

test('enrich() asks for a key only once, also while it waits for another try', async () => {
  const { clock, options, failed } = timed();
  const query = dying(1);
  const { sender, receiver } = channel<number>(10);
  const results = receiver.pipeThrough(enrich(sql, { key, query, into: named, retry })).toArray(options);
  await sender.send(7);
  await failed(1);
  for (const id of [7, 8, 7]) await sender.send(id);
  await expect.poll(() => query.asked).toEqual(['{"7"}', '{"8"}']);
  // That one is answered: only the wait is left.
  await expect.poll(() => clock.pendingTimers).toBe(1);
  await clock.advance(60_000);
  sender.close();
  expect(await results).toEqual([7, 7, 8, 7].map(expected));
  expect(query.asked).toEqual(['{"7"}', '{"8"}', '{"7"}']);
});

test('enrich(), unordered, hands on other items while a query waits for another try', async () => {
  const { clock, options, failed } = timed();
  const stage = enrich(sql, { key, query: dying(1), into: named, retry, ordered: false });
  const { sender, receiver } = channel<number>(10);
  const seen: string[] = [];
  const run = receiver.pipeThrough(stage).run((text) => void seen.push(text), options);
  await sender.send(1);
  await failed(1);
  await sender.send(2);
  await expect.poll(() => seen).toEqual([expected(2)]);
  await clock.advance(60_000);
  sender.close();
  expect(await run.finished).toMatchObject({ emitted: 2, balanced: true });
  expect(seen).toEqual([2, 1].map(expected));
});

/** Lets every try of every query fail. */
async function exhausted<T>(
  extra: Partial<EnrichOptions<number, Person, string>>,
  finish: (stage: ReturnType<typeof enrich<number, Person, string>>, options: RunOptions) => Promise<T>,
): Promise<T> {
  const { clock, options, failed } = timed();
  const stage = enrich(sql, { key, query: dying(9), into: named, retry, ...extra });
  const work = finish(stage, options);
  for (const at of [1, 2]) {
    await failed(at);
    await clock.advance(at * 60_000);
  }
  return work;
}

test("enrich() says how often a lookup was tried, to errors, letters, `fallback` and core's fallback()", async () => {
  const error = await exhausted({}, (stage, options) => failure(from([1, 2]).pipeThrough(stage).toArray(options)));
  expect(error).toMatchObject({ stage: 'enrich', index: 0, attempt: 3, cause: { code: 'ERR_POSTGRES_CONNECT' } });

  const letters: DeadLetter<number>[] = [];
  const writable = new WritableStream<DeadLetter<number>>({ write: (letter) => void letters.push(letter) });
  const none = await exhausted({ onError: deadLetter(writable) }, (stage, options) =>
    from([1, 2]).pipeThrough(stage).toArray(options),
  );
  expect(none).toEqual([]);
  expect(letters.map(({ index, item, attempts }) => [index, item, attempts])).toEqual([
    [0, 1, 3],
    [1, 2, 3],
  ]);

  const say = (_error: unknown, id: number, { index, attempts }: FailedItem) => `${id}: ${index}, ${attempts}`;
  for (const onError of [fallback(say), fallback(async (...all: Parameters<typeof say>) => say(...all))]) {
    const given = await exhausted({ onError }, (stage, options) => from([1, 2]).pipeThrough(stage).toArray(options));
    expect(given).toEqual(['1: 0, 3', '2: 1, 3']);
  }

  const { clock, options, failed } = timed();
  const stage = enrich(sql, {
    key,
    query: dying(9),
    retry,
    into: (_id, { name }) => name,
    fallback: (id, error, { stage: name, index, attempts }) => {
      return { id, name: `${(error as DatabaseError).code} ${name} ${index} ${attempts}` };
    },
  });
  const names = from([1, 2]).pipeThrough(stage).toArray(options);
  for (const at of [1, 2]) {
    await failed(at);
    await clock.advance(at * 60_000);
  }
  expect(await names).toEqual([0, 1].map((index) => `ERR_POSTGRES_CONNECT enrich ${index} 3`));
});

test("enrich() gives with core's fallback() what goes out for any error, in place, and fails with what that throws", async () => {
  const into = (id: number, person: Person | undefined): string => {
    if (id === 5) throw new Error('no result');
    return named(id, person);
  };
  const picky = { query: byId, into, key: (id: number) => (id === 2 ? ({} as number) : id) };
  const items = [1, 2, 3, 2 ** 40, 4, 5, 6];
  for (const maxBatch of [1, 500]) {
    const onError = fallback(async (_error, id: number) => `${id}?`);
    const seen: string[] = [];
    const run = from(items)
      .pipeThrough(enrich(sql, { ...picky, maxBatch, onError }))
      .run((text) => void seen.push(text));
    const summary = await run.finished;
    expect(seen).toEqual(['1: name 1', '2?', '3: name 3', `${2 ** 40}?`, '4: name 4', '5?', '6: name 6']);
    expect(summary).toMatchObject({ emitted: 7, dropped: 0, balanced: true });
    expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
  }
  const problem = new Error('nothing to give');
  const breaking = enrich(sql, { ...picky, onError: fallback(() => Promise.reject(problem)) });
  const error = await failure(from(items).pipeThrough(breaking).toArray());
  expect(error).toMatchObject({ index: 1, cause: problem, others: [{ code: 'ERR_POSTGRES_LOOKUP' }] });
});

test('enrich() by default tries again only what is about the connection', async () => {
  const run = async (client: typeof sql, query: KeyQuery<Person>, more: object = {}) => {
    const { clock, told, options } = timed();
    const error = failure(
      from([1])
        .pipeThrough(enrich(client, { key, query, into: named, retry, ...more }))
        .toArray(options),
    );
    return { clock, told, error };
  };
  const wrong = await run(sql, selectBy<Person>('nowhere', 'id'));
  expect(await wrong.error).toMatchObject({ attempt: 1, cause: { code: 'ERR_POSTGRES_LOOKUP' } });
  expect(wrong.told).toEqual([]);

  // There is a server, and it will not let anyone in who asks for this.
  const elsewhere = postgres({ ...server.connection, database: 'nowhere' });
  const refused = await run(elsewhere, byId);
  expect(await refused.error).toMatchObject({ attempt: 1, cause: { code: 'ERR_POSTGRES_CONNECT', sqlState: '3D000' } });
  expect(refused.told).toEqual([]);

  const sleeping: KeyQuery<Person> = {
    rows: (of) => of`select id, name, pg_sleep(20) from person limit 1`,
    keyOf: ({ id }) => id,
  };
  const slow = await run(sql, sleeping, { timeoutMs: 1_000 });
  await expect.poll(() => slow.clock.pendingTimers).toBe(1);
  await slow.clock.advance(1_000);
  expect(await slow.error).toMatchObject({ attempt: 1, cause: { code: 'ERR_POSTGRES_TIMEOUT' } });
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'`;
});

test('enrich() tries again what `when` says, and fails with what that throws, whatever stands in for rows', async () => {
  const { clock, told, options, failed } = timed();
  const asked: unknown[] = [];
  const when = (error: unknown, context: object): boolean => {
    asked.push([(error as DatabaseError).code, context]);
    return (error as DatabaseError).sqlState === '42P01';
  };
  await sql`drop table if exists later`;
  const query = selectBy<Person>('later', 'id', ['name']);
  const stage = enrich(sql, { key, query, into: named, retry: { ...retry, when } });
  const results = from([1, 2]).pipeThrough(stage).toArray(options);
  await failed(1);
  await sql`create table later as select * from person`;
  await clock.advance(60_000);
  expect(await results).toEqual([1, 2].map(expected));
  expect(asked).toEqual([['ERR_POSTGRES_LOOKUP', { index: 0, attempt: 1 }]]);
  expect(told).toHaveLength(1);

  const problem = new Error('no opinion');
  const throwing = (): boolean => {
    throw problem;
  };
  const broken = enrich(sql, {
    key,
    query: dying(9),
    retry: { ...retry, when: throwing },
    onError: 'skip',
    fallback: (id) => ({ id, name: 'anyone' }),
    into: (_id, { name }) => name,
  });
  const error = await failure(from([1, 2]).pipeThrough(broken).toArray());
  expect(error).toMatchObject({ index: 0, cause: problem, others: [{ code: 'ERR_POSTGRES_CONNECT' }] });
});

test('enrich() with retry keeps what a wrong key costs to itself', async () => {
  const { clock, told, options, failed } = timed();
  const all = dying(1);
  const stage = enrich(sql, { key, query: all, into: named, retry, onError: 'skip' });
  const results = from([1, 2 ** 40, 2, 3])
    .pipeThrough(stage)
    .toArray(options);
  await failed(1);
  await clock.advance(60_000);
  expect(await results).toEqual([1, 2, 3].map(expected));
  expect(told).toHaveLength(1);
});

test('enrich() takes no more items than it has room for while queries wait for another try', async () => {
  const { clock, options, failed } = timed();
  const stage = enrich(sql, { key, query: dying(2), into: named, retry, maxBatch: 2, inFlight: 2, highWaterMark: 3 });
  const run = from(Array.from({ length: 50 }, (_, at) => at + 1))
    .pipeThrough(stage)
    .run(() => {}, options);
  await failed(2);
  expect(run.inFlight).toBe(7);
  await clock.advance(60_000);
  const summary = await run.finished;
  expect(summary).toMatchObject({ emitted: 50, balanced: true });
  expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
});

test.each(['abort', 'drain'] as const)('enrich() ends the waits with the run: %s', async (how) => {
  const { clock, options, failed } = timed();
  const query = dying(9);
  const forever = { ...retry, backoffMs: 3_600_000, maxBackoffMs: 3_600_000 };
  const { sender, receiver } = channel<number>(10);
  const run = receiver
    .pipeThrough(enrich(sql, { key, query, into: named, retry: forever }))
    .run(() => {}, { ...options, closeGraceMs: 10 });
  await sender.send(1);
  await failed(1);
  if (how === 'abort') {
    const reason = new Error('enough');
    run.abort(reason);
    await expect(run.finished).rejects.toBe(reason);
  } else {
    const receipt = run.drain({ deadlineMs: 1_000 });
    await clock.advance(1_010);
    expect(await receipt).toMatchObject({ abandoned: 1, overdue: true, balanced: true });
  }
  expect([query.asked.length, clock.pendingTimers, run.inFlight]).toEqual([1, 0, 0]);
});

test("enrich() asks `when` and core's fallback() in the context of the item, and hands that on", async () => {
  const storage = new AsyncLocalStorage<number>();
  const seen: unknown[] = [];
  const when = (): boolean => {
    seen.push(storage.getStore());
    return false;
  };
  const instead = fallback((_error, id: number) => {
    seen.push(storage.getStore());
    return String(id);
  });
  const { sender, receiver } = channel<number>(10);
  const run = receiver
    .pipeThrough(enrich(sql, { key, query: dying(9), into: named, retry: { ...retry, when }, onError: instead }))
    .pipeThrough(mapAsync(async () => void seen.push(storage.getStore())))
    .run(() => {}, { context: true });
  await storage.run(7, () => sender.send(7));
  sender.close();
  await run.finished;
  expect(seen).toEqual([7, 7, 7]);
});

test('enrich() refuses wrong policies by name', () => {
  const good = { key, query: byId, into: named };
  const wrong = (options: object) => () => enrich(sql, { ...good, ...options } as typeof good);
  expect(wrong({ retry: {} })).toThrow('attempts is undefined');
  expect(wrong({ retry: { attempts: 1 } })).toThrow('attempts is 1');
  expect(wrong({ retry: { attempts: 2, timeoutMs: 5 } })).toThrow('option "timeoutMs" is unknown');
  expect(wrong({ retry: { attempts: 2, when: 'always' } })).toThrow('when is "always"');
  expect(wrong({ onError: 'retry' })).toThrow('onError is "retry"');
});
