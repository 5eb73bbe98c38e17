import { fallback } from '@millrace/core';
import { enrich, selectBy } from '@millrace/postgres';
import { type ConformOptions, conform, type StageFactory } from '@millrace/testkit';
import { expect, type TestContext, test } from 'vitest';
import { sql, useDatabase } from './database.js';

useDatabase(async () => {
  await sql`create table person as select n as id, 'name ' || n as name from generate_series(1, 5000) n`;
});

const byId = selectBy<{ id: number; name: string }>('person', 'id');
const key = (id: number): number => id;
const named = (id: number, person: { name: string } | undefined): string => `${id}: ${person?.name}`;

/** One line for each form of the stage; `pnpm conform` prints what each did under each law. */
function conforms(name: string, factory: StageFactory<number, string>, options: ConformOptions<number> = {}): void {
  test(`${name} conforms`, async ({ task }: TestContext) => {
    // A query takes as long as it takes, and its time limit is one of the clock.
    const { laws } = await conform(factory, { timeoutMs: 20_000, timeStandsStill: true, ...options });
    Object.assign(task.meta, { stage: name, laws });
    expect(laws.filter(({ passed }) => !passed)).toEqual([]);
  });
}

conforms('enrich()', (user) => enrich(sql, { key, query: byId, into: user(named) }));
conforms('enrich() with retry and fallback()', () =>
  enrich(sql, {
    key: (id: number) => (id % 2 === 0 ? id : 2 ** 40),
    query: byId,
    into: named,
    // The clock stands still: nothing that waits by it would end.
    retry: { attempts: 2, when: () => false },
    onError: fallback((_error, id) => `${id}: undefined`),
  }),
);
conforms('enrich() whose key fails', (user) => enrich(sql, { key: user(key), query: byId, into: named }));
conforms('enrich() with small limits', (user) =>
  enrich(sql, { key, query: byId, into: user(named), maxBatch: 2, inFlight: 1, maxEntries: 0, highWaterMark: 0 }),
);
conforms(
  'enrich(), unordered',
  (user) => enrich(sql, { key: user(key), query: byId, into: named, ordered: false, maxBatch: 2, highWaterMark: 2 }),
  { ordered: false },
);
conforms('enrich() with fallback', (user) =>
  enrich(sql, {
    key: (id: number) => id + 6000,
    query: byId,
    fallback: user((id: number) => ({ id, name: 'nobody' })),
    into: (id, { name }) => `${id}: ${name}`,
  }),
);
