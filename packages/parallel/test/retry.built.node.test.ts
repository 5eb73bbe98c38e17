import { type DeadLetter, deadLetter, fallback, from, type StageError } from '@millrace/core';
import { parallel, workerModule } from '@millrace/parallel';
import { virtualClock } from '@millrace/testkit';
import { afterAll, expect, test, vi } from 'vitest';
import type { Flaky } from './functions.mjs';

// Threads start, die and start again; on a busy machine that takes its time.
vi.setConfig({ testTimeout: 60_000 });

type Functions = typeof import('./functions.mjs');

const functions = workerModule<Functions>(new URL('./functions.mjs', import.meta.url), { workers: 2 });
afterAll(() => functions.close());

/** As many items, of which some fail as often as `fails` says. */
function flaky(count: number, fails: Readonly<Record<number, number>>, how: Flaky['how'] = 'throw') {
  const tries = new Int32Array(new SharedArrayBuffer(4 * count));
  const items = Array.from({ length: count }, (_, n): Flaky => ({ n, fails: fails[n] ?? 0, how, tries }));
  return { items, tries };
}

const byNumber = (a: readonly [number, number], b: readonly [number, number]) => a[0] - b[0];
const retry = { attempts: 4, backoffMs: 1, maxBackoffMs: 4 };

test.each([{ ordered: true }, { ordered: false }, { maxItemsInWorkers: 1, highWaterMark: 0 }])(
  'parallel() with retry tries only the item that failed again, and loses and doubles nothing (%o)',
  async (options) => {
    for (const how of ['throw', 'reject'] as const) {
      const fails = { 0: 1, 7: 3, 500: 2, 501: 1, 998: 1, 999: 3 };
      const { items, tries } = flaky(1000, fails, how);
      const seen: Array<readonly [number, number]> = [];
      const run = from(items)
        .pipeThrough(parallel(functions, 'failFirst', { ...options, retry }))
        .run((result) => void seen.push(result));
      expect(await run.finished).toMatchObject({ read: 1000, emitted: 1000, dropped: 0, balanced: true });
      if (options.ordered === false) seen.sort(byNumber);
      // The function is told which try it is, and others of its burst are not worked on again.
      const attempts = Array.from({ length: 1000 }, (_, n) => 1 + (fails[n as 0] ?? 0));
      expect(seen).toEqual(attempts.map((attempt, n) => [n, attempt]));
      expect([...tries]).toEqual(attempts);
    }
  },
);

test('parallel() with retry waits by the clock of the run, and gives up behind its attempts', async () => {
  const clock = virtualClock();
  const letters: DeadLetter<Flaky>[] = [];
  const writable = new WritableStream<DeadLetter<Flaky>>({ write: (letter) => void letters.push(letter) });
  const waits: number[] = [];
  const observer = { retried: (_: StageError, delayMs: number) => void waits.push(delayMs) };
  const { items, tries } = flaky(40, { 20: 9 });
  const hourly = { attempts: 3, backoffMs: 3_600_000, maxBackoffMs: 7_200_000, jitter: 0 };
  const stage = parallel(functions, 'failFirst', { retry: hourly, onError: deadLetter(writable) });
  const results = from(items).pipeThrough(stage).toArray({ clock, observer });
  expect(await clock.until(results, { timeoutMs: 60_000 })).toHaveLength(39);
  expect([waits, tries[20], clock.pendingTimers]).toEqual([[3_600_000, 7_200_000], 3, 0]);
  expect(clock.now()).toBeGreaterThanOrEqual(10_800_000);
  expect(letters).toMatchObject([{ index: 20, attempts: 3, error: { message: 'item 20, try 3' } }]);
});

test('parallel() fails with the attempt, behind the results before the item', async () => {
  const { items } = flaky(300, { 200: 9 });
  const seen: number[] = [];
  const run = from(items)
    .pipeThrough(parallel(functions, 'failFirst', { retry, name: 'ask' }))
    .run(([n]) => void seen.push(n));
  const error = (await run.finished.catch((reason) => reason)) as StageError;
  expect(error).toMatchObject({ stage: 'ask', index: 200, attempt: 4, cause: { message: 'item 200, try 4' } });
  expect(seen).toEqual(Array.from({ length: 200 }, (_, n) => n));
});

test.each([true, false])(
  'parallel() with fallback() gives another result in the place of an item (ordered: %s)',
  async (ordered) => {
    const { items } = flaky(400, { 3: 1, 250: 2, 399: 9 });
    const onError = fallback(async (_error: unknown, { n }: Flaky, { attempts }) => [n, -attempts] as const);
    const stage = parallel(functions, 'failFirst', { ordered, retry: { ...retry, attempts: 2 }, onError });
    const results = await from(items).pipeThrough(stage).toArray();
    if (!ordered) results.sort(byNumber);
    const attempts: Readonly<Record<number, number>> = { 3: 2, 250: -2, 399: -2 };
    expect(results).toEqual(Array.from({ length: 400 }, (_, n) => [n, attempts[n] ?? 1]));
  },
);

test('parallel() with retry tries an item again that was stuck, or, with onWorkerDeath: "retry", killed its worker', async () => {
  const stuck = flaky(40, { 20: 1 }, 'hang');
  const ends = parallel(functions, 'failFirst', { retry, timeoutMs: 2000 });
  const results = await from(stuck.items).pipeThrough(ends).toArray();
  expect(results.map(([n]) => n)).toEqual(Array.from({ length: 40 }, (_, n) => n));
  expect([results[20], stuck.tries[20]]).toEqual([[20, 2], 2]);

  // More often than the two times that an item has without `retry`.
  const killing = flaky(200, { 150: 3 }, 'exit');
  const dies = parallel(functions, 'failFirst', { retry, onWorkerDeath: 'retry' });
  const survived = await from(killing.items).pipeThrough(dies).toArray();
  expect(survived.map(([n]) => n)).toEqual(Array.from({ length: 200 }, (_, n) => n));
  expect([survived[150], killing.tries[150]]).toEqual([[150, 4], 4]);

  const fatal = flaky(200, { 150: 1 }, 'exit');
  const left = from(fatal.items).pipeThrough(parallel(functions, 'failFirst', { retry, onError: 'skip' }));
  expect((await left.toArray()).map(([n]) => n)).toEqual(
    Array.from({ length: 200 }, (_, n) => n).filter((n) => n !== 150),
  );
  expect(fatal.tries[150]).toBe(1);
});

test('parallel() asks `when` with the error as it was thrown', async () => {
  const { items, tries } = flaky(10, { 4: 1, 6: 1 });
  const when = (error: unknown, { index, attempt }: { index: number; attempt: number }) =>
    error instanceof RangeError && index === 6 && attempt === 1;
  const stage = parallel(functions, 'failFirst', { retry: { ...retry, when }, onError: 'skip' });
  expect(await from(items).pipeThrough(stage).count()).toBe(9);
  expect([tries[4], tries[6]]).toEqual([1, 2]);
});
