import { from } from '@millrace/core';
import { enrich, type KeyQuery, rowCache, selectBy } from '@millrace/postgres';
import { virtualClock } from '@millrace/testkit';
import type { Sql } from 'postgres';
import { beforeEach, expect, test } from 'vitest';
import { sql, useDatabase } from '../../test/database.js';

useDatabase(async () => {
  await sql`create table person (id int4, name text)`;
});

beforeEach(async () => {
  await sql`delete from person`;
  await sql`insert into person select n, 'name ' || n from generate_series(1, 100) n`;
});

interface Person {
  readonly id: number;
  readonly name: string;
}

/** A query that notes the keys it is asked for. */
function noting(): KeyQuery<Person> & { readonly asked: string[] } {
  const { rows, keyOf } = selectBy<Person>('person', 'id');
  const asked: string[] = [];
  return {
    asked,
    keyOf,
    rows(of: Sql, keys: string) {
      asked.push(...keys.replace(/[{}"]/g, '').split(','));
      return rows(of, keys);
    },
  };
}

const key = (id: number): number => id;
const named = (_id: number, person: Person | undefined): string => person?.name ?? 'nobody';

test('rowCache() remembers rows from run to run, and for several stages', async () => {
  const query = noting();
  const cache = rowCache<Person>();
  const name = enrich(sql, { key, query, into: named, cache });
  const both = enrich(sql, {
    key: (pair: [string, number]) => pair[1],
    query,
    into: ([first], person) => `${first}, ${person?.name}`,
    cache,
  });
  expect(await from([1, 2, 900]).pipeThrough(name).toArray()).toEqual(['name 1', 'name 2', 'nobody']);
  expect(await from([2, 3, 900]).pipeThrough(name).toArray()).toEqual(['name 2', 'name 3', 'nobody']);
  expect(
    await from<[string, number]>([
      ['a', 1],
      ['b', 4],
    ])
      .pipeThrough(both)
      .toArray(),
  ).toEqual(['a, name 1', 'b, name 4']);
  expect(query.asked).toEqual(['1', '2', '900', '3', '4']);
  expect(cache.size).toBe(5);
});

test('enrich() without rowCache() begins each run with nothing remembered', async () => {
  const query = noting();
  const name = enrich(sql, { key, query, into: named });
  for (let run = 0; run < 2; run++) await from([1]).pipeThrough(name).toArray();
  expect(query.asked).toEqual(['1', '1']);
});

test('rowCache() forgets a key, or all', async () => {
  const query = noting();
  const cache = rowCache<Person>();
  const name = enrich(sql, { key, query, into: named, cache });
  await from([1, 2]).pipeThrough(name).toArray();
  await sql`update person set name = 'new ' || id`;
  cache.delete(1);
  expect(await from([1, 2]).pipeThrough(name).toArray()).toEqual(['new 1', 'name 2']);
  cache.clear();
  expect(cache.size).toBe(0);
  expect(await from([1, 2]).pipeThrough(name).toArray()).toEqual(['new 1', 'new 2']);
});

test('rowCache() remembers rows for ttlMs, missing ones for missingTtlMs, and at most maxEntries', async () => {
  const query = noting();
  const clock = virtualClock();
  const name = enrich(sql, { key, query, into: named, cache: rowCache<Person>({ ttlMs: 1000, missingTtlMs: 100 }) });
  const run = async () => {
    query.asked.length = 0;
    await from([1, 900]).pipeThrough(name).toArray({ clock });
    return [...query.asked];
  };
  expect(await run()).toEqual(['1', '900']);
  await clock.advance(99);
  expect(await run()).toEqual([]);
  await clock.advance(1);
  expect(await run()).toEqual(['900']);
  await clock.advance(900);
  expect(await run()).toEqual(['1', '900']);

  const small = rowCache<Person>({ maxEntries: 10 });
  const few = enrich(sql, { key, query, into: named, cache: small });
  await from(Array.from({ length: 100 }, (_, n) => n + 1))
    .pipeThrough(few)
    .toArray();
  expect(small.size).toBe(10);
});

test('rowCache() does not remember a lookup that failed', async () => {
  const query = noting();
  const cache = rowCache<Person>();
  const options = { key, query, cache, fallback: (id: number) => ({ id, name: 'failed' }) };
  const name = enrich(sql, { ...options, into: (_id: number, person: Person) => person.name });
  await sql`alter table person rename to hidden`;
  expect(await from([1]).pipeThrough(name).toArray()).toEqual(['failed']);
  await sql`alter table hidden rename to person`;
  expect(await from([1]).pipeThrough(name).toArray()).toEqual(['name 1']);
});

test('rowCache() and the option cache refuse what cannot be, by name', () => {
  expect(() => rowCache({ ttl: 5 } as object)).toThrow('option "ttl" is unknown');
  expect(() => rowCache({ maxEntries: -1 })).toThrow('Cannot build rowCache(): maxEntries is -1');
  expect(() => rowCache({ ttlMs: Number.NaN })).toThrow('ttlMs is NaN');
  const query = noting();
  const cache = rowCache<Person>();
  expect(() => enrich(sql, { key, query, into: named, cache: {} as typeof cache })).toThrow(
    'cache is an object (Object) (must be what rowCache() returned)',
  );
  expect(() => enrich(sql, { key, query, into: named, cache, ttlMs: 5 })).toThrow(
    'ttlMs is 5 (must be given to rowCache(), where there is a cache)',
  );
  enrich(sql, { key, query, into: named, cache });
  expect(() => enrich(sql, { key, query: noting(), into: named, cache })).toThrow(
    'query is an object (Object) (must be the one whose rows the cache has)',
  );
});
