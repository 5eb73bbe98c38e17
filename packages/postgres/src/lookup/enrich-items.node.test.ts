import { AsyncLocalStorage } from 'node:async_hooks';
import { channel, type DeadLetter, deadLetter, from, mapAsync, range } from '@millrace/core';
import { enrich, selectBy } from '@millrace/postgres';
import { expect, test } from 'vitest';
import { failure, sql, useDatabase } from '../../test/database.js';

// What enrich() does about items that fail, and with the contexts of items.

useDatabase(async () => {
  await sql`create table person as select n as id, 'name ' || n as name from generate_series(1, 5000) n`;
});

interface Person {
  readonly id: number;
  readonly name: string;
}

const byId = selectBy<Person>('person', 'id', ['name']);
const named = (id: number, person: Person | undefined): string => `${id}: ${person?.name ?? 'nobody'}`;
const expected = (id: number): string => `${id}: name ${id}`;

const TOO_LARGE = 2 ** 40;

/** Fails by its key on 2, by its lookup on one that is too large, by its result on 5. */
const picky = {
  key: (id: number): number => {
    if (id === 2) throw new Error('no key');
    return id;
  },
  query: byId,
  into: (id: number, person: Person | undefined): string => {
    if (id === 5) throw new Error('no result');
    return named(id, person);
  },
};
const some = [1, 2, 3, TOO_LARGE, 4, 5, 6];

test.each([{ ordered: true }, { ordered: false }, { maxBatch: 1, inFlight: 1 }])(
  'enrich() leaves out items that fail, or writes letters of them, and goes on (%o)',
  async (options) => {
    const seen: string[] = [];
    const run = from(some)
      .pipeThrough(enrich(sql, { ...picky, ...options, onError: 'skip' }))
      .run((text) => void seen.push(text));
    expect(await run.finished).toMatchObject({ read: 7, dropped: 3, abandoned: 0, balanced: true });
    expect(seen.sort()).toEqual([1, 3, 4, 6].map(expected));
    const letters: DeadLetter<number>[] = [];
    const writable = new WritableStream<DeadLetter<number>>({ write: (letter) => void letters.push(letter) });
    const texts = from(some).pipeThrough(enrich(sql, { ...picky, ...options, onError: deadLetter(writable) }));
    expect((await texts.toArray()).sort()).toEqual([1, 3, 4, 6].map(expected));
    letters.sort((a, b) => a.index - b.index);
    expect(letters).toMatchObject([
      { stage: 'enrich', index: 1, item: 2, error: { message: 'no key' } },
      { stage: 'enrich', index: 3, item: TOO_LARGE, error: { code: 'ERR_POSTGRES_LOOKUP' } },
      { stage: 'enrich', index: 5, item: 5, error: { message: 'no result' } },
    ]);
    expect(writable.locked).toBe(false);
  },
);

test('enrich() counts an item as abandoned whose letter is being written when the run is aborted', async () => {
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const writable = new WritableStream<DeadLetter<number>>({
    write() {
      begin();
      return new Promise<void>(() => {});
    },
  });
  const run = from(some)
    .pipeThrough(enrich(sql, { ...picky, onError: deadLetter(writable) }))
    .run(() => {}, { closeGraceMs: 10 });
  const ended = failure(run.finished);
  await begun;
  run.abort(new Error('enough'));
  expect(await ended).toMatchObject({ message: 'enough' });
  const { in: entered, out, abandoned, deadLettered } = run.counts()[1] ?? {};
  expect([entered, deadLettered, (out ?? 0) + (abandoned ?? 0)]).toEqual([7, 0, 7]);
  expect(run.inFlight).toBe(0);
});

test('enrich() lets timers have their turn while nothing is left of what comes', async () => {
  const stage = enrich(sql, {
    ...picky,
    key: () => {
      throw new Error('no key');
    },
    onError: 'skip',
  });
  const run = range(0, Number.POSITIVE_INFINITY)
    .pipeThrough(stage)
    .run(() => {});
  setTimeout(() => run.abort(new Error('enough')), 20);
  expect(await failure(run.finished)).toMatchObject({ message: 'enough' });
});

test.each([true, false])(
  'enrich() calls its functions in the contexts of their items, and hands these on (ordered: %s)',
  async (ordered) => {
    const storage = new AsyncLocalStorage<number>();
    const seen: boolean[] = [];
    const see = (id: number): number => {
      seen.push(storage.getStore() === id);
      return id;
    };
    const { sender, receiver } = channel<number>(10);
    const run = receiver
      .pipeThrough(enrich(sql, { key: see, query: byId, into: see, ordered }))
      .pipeThrough(mapAsync(async (id: number) => see(id)))
      .run((id) => void see(id), { context: true });
    for (const id of [1, 2, 9000, 3]) await storage.run(id, () => sender.send(id));
    sender.close();
    await run.finished;
    expect(seen).toEqual(Array.from({ length: 16 }, () => true));
  },
);
