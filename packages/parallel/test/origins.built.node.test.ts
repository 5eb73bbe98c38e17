import { AsyncLocalStorage } from 'node:async_hooks';
import { channel, type DeadLetter, deadLetter, fallback, mapAsync, type Pipeline, StageError } from '@millrace/core';
import { source } from '@millrace/core/authoring';
import { type ParallelOptions, parallel, workerModule } from '@millrace/parallel';
import { afterAll, expect, test, vi } from 'vitest';
import type { Order } from './functions.mjs';

// Threads start, die and start again; on a busy machine that takes its time.
vi.setConfig({ testTimeout: 60_000 });

type Functions = typeof import('./functions.mjs');

const functions = workerModule<Functions>(new URL('./functions.mjs', import.meta.url), { workers: 2 });
afterAll(() => functions.close());

/** Orders with the places they have in a log. */
function log(count: number, special: Readonly<Record<number, Order['how']>>): Pipeline<Order> {
  return source<Order>({
    name: 'log',
    open(context) {
      let next = 0;
      const give = (): Order => {
        const n = next++;
        return context.carry({ n, how: special[n] }, { offset: n * 10 });
      };
      return {
        read: (max) => (next < count ? Array.from({ length: Math.min(max, count - next) }, give) : undefined),
        close() {},
      };
    },
  });
}

const options: readonly ParallelOptions<Order>[] = [{}, { ordered: false }, { highWaterMark: 0, maxItemsInWorkers: 3 }];

test.each(options)('parallel() hands on where its items come from (%o)', async (given) => {
  const letters: DeadLetter<Order>[] = [];
  const writable = new WritableStream<DeadLetter<Order>>({ write: (letter) => void letters.push(letter) });
  const onError = deadLetter(writable);
  const seen: unknown[] = [];
  const run = log(400, { 7: 'throw', 200: 'throw', 201: 'exit', 399: 'throw' })
    .pipeThrough(parallel(functions, 'obey', { ...given, onError }))
    .pipeThrough(mapAsync((n, { origin }) => void seen.push(origin?.offset === n * 10)))
    .run(() => {}, { context: true });
  expect(await run.finished).toMatchObject({ deadLettered: 4, balanced: true });
  expect(seen).toEqual(Array.from({ length: 396 }, () => true));
  letters.sort((a, b) => a.index - b.index);
  expect(letters.map(({ index, item, origin }) => [index, item.n, origin?.offset])).toEqual(
    [7, 200, 201, 399].map((n) => [n, n, n * 10]),
  );
});

test('parallel() with retry tells of each try where its item comes from', async () => {
  const retried: unknown[] = [];
  const observer = { retried: ({ index, origin }: StageError) => void retried.push([index, origin?.offset]) };
  const letters: DeadLetter<Order>[] = [];
  const writable = new WritableStream<DeadLetter<Order>>({ write: (letter) => void letters.push(letter) });
  const seen: unknown[] = [];
  await log(100, { 7: 'throw', 80: 'throw' })
    .pipeThrough(parallel(functions, 'obey', { retry: { attempts: 3, backoffMs: 1 }, onError: deadLetter(writable) }))
    .pipeThrough(mapAsync((n, { origin }) => void seen.push(origin?.offset === n * 10)))
    .count({ context: true, observer });
  expect(seen).toEqual(Array.from({ length: 98 }, () => true));
  expect(retried).toEqual(
    expect.arrayContaining([
      [7, 70],
      [7, 70],
      [80, 800],
      [80, 800],
    ]),
  );
  expect(letters.map(({ index, origin, attempts }) => [index, origin?.offset, attempts])).toEqual([
    [7, 70, 3],
    [80, 800, 3],
  ]);
});

test('parallel() with fallback() hands on the origin of the item with what it gives', async () => {
  const places: unknown[] = [];
  await log(20, { 7: 'throw' })
    .pipeThrough(parallel(functions, 'obey', { onError: fallback(() => -1) }))
    .pipeThrough(mapAsync((n, { origin }) => void (n === -1 && places.push(origin?.offset))))
    .count({ context: true });
  expect(places).toEqual([70]);
});

test('parallel() says of an item that fails the run where it comes from', async () => {
  const error = await log(50, { 30: 'throw' })
    .pipeThrough(parallel(functions, 'obey'))
    .count({ context: true })
    .catch((problem: unknown) => problem);
  expect(error).toBeInstanceOf(StageError);
  expect(error).toMatchObject({ index: 30, origin: { offset: 300 } });
});

test('parallel() goes on in the contexts of its items, whoever made the workers', async () => {
  const storage = new AsyncLocalStorage<number>();
  const { sender, receiver } = channel<number>(8);
  const seen: boolean[] = [];
  const run = receiver
    .pipeThrough(parallel(functions, 'increment', { ordered: false }))
    .run((n) => void seen.push(storage.getStore() === n - 1), { context: true });
  for (let n = 0; n < 40; n++) await storage.run(n, () => sender.send(n));
  sender.close();
  await run.finished;
  expect(seen).toEqual(Array.from({ length: 40 }, () => true));
});
