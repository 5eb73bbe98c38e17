import { type DeadLetter, deadLetter, from, generate, type PipelineError, StageError } from '@millrace/core';
import { type ParallelOptions, parallel, workerModule } from '@millrace/parallel';
import { afterAll, expect, test, vi } from 'vitest';
import type { Order } from './functions.mjs';

// Threads start, die and start again; on a busy machine that takes its time.
vi.setConfig({ testTimeout: 60_000 });

type Functions = typeof import('./functions.mjs');

const functions = workerModule<Functions>(new URL('./functions.mjs', import.meta.url), { workers: 2 });
afterAll(() => functions.close());

/** Items that obey, but for some. */
const orders = (count: number, special: Readonly<Record<number, Order['how']>>): Order[] =>
  Array.from({ length: count }, (_, n) => ({ n, how: special[n] }));

const numbers = (count: number, without: readonly number[]): number[] =>
  Array.from({ length: count }, (_, n) => n).filter((n) => !without.includes(n));

function collecting<I>(): { letters: DeadLetter<I>[]; writable: WritableStream<DeadLetter<I>> } {
  const letters: DeadLetter<I>[] = [];
  return { letters, writable: new WritableStream({ write: (letter) => void letters.push(letter) }) };
}

async function obeyed(items: readonly Order[], options: ParallelOptions<Order>) {
  const seen: number[] = [];
  const run = from(items)
    .pipeThrough(parallel(functions, 'obey', options))
    .run((n) => void seen.push(n));
  return { seen, summary: await run.finished, stage: run.counts()[1] };
}

const bySize = (a: number, b: number) => a - b;

test.each([true, false])(
  'parallel() with onError: "skip" drops what throws, and only that (ordered: %s)',
  async (ordered) => {
    const bad = { 0: 'throw', 7: 'reject', 500: 'throw', 501: 'throw', 640: 'unclonable', 1999: 'throw' } as const;
    const { seen, summary } = await obeyed(orders(2000, bad), { onError: 'skip', ordered });
    const left = numbers(2000, Object.keys(bad).map(Number));
    expect(ordered ? seen : seen.sort(bySize)).toEqual(left);
    expect(summary).toMatchObject({ dropped: 6, deadLettered: 0, abandoned: 0, emitted: 1994, balanced: true });
  },
);

test('parallel() with onError: "skip" ends where nothing is left', async () => {
  const all = orders(700, {}).map((item) => ({ ...item, how: 'throw' as const }));
  for (const options of [{}, { ordered: false }, { highWaterMark: 0, maxItemsInWorkers: 1 }]) {
    const { seen, summary } = await obeyed(all, { onError: 'skip', ...options });
    expect(seen).toEqual([]);
    expect(summary).toMatchObject({ dropped: 700, emitted: 0, balanced: true });
  }
});

test('parallel() with onError: "skip" reads on where all that it may hold was rejected while nobody asked', async () => {
  const began = new Int32Array(new SharedArrayBuffer(4));
  const items = orders(30, {}).map(({ n }) => ({ n, how: n % 29 === 0 ? undefined : ('throw' as const), began }));
  const options = { onError: 'skip', maxItemsInWorkers: 4, highWaterMark: 0 } as const;
  const results = from(items)
    .pipeThrough(parallel(functions, 'obey', options))
    .values();
  expect((await results.next()).value).toBe(0);
  while (Atomics.load(began, 0) < 5) await new Promise<void>((resolve) => setImmediate(resolve));
  // The last of the four is on its way back; where it comes later than this, the test sees less.
  for (let turns = 0; turns < 100; turns++) await new Promise<void>((resolve) => setImmediate(resolve));
  expect((await results.next()).value).toBe(29);
  expect((await results.next()).done).toBe(true);
});

test('parallel() with deadLetter() writes error, stage, index and item, in the order of the items', async () => {
  const { letters, writable } = collecting<Order>();
  const bad = { 3: 'throw', 800: 'reject', 801: 'throw', 1500: 'unclonable' } as const;
  const options = { onError: deadLetter(writable), name: 'obey' };
  const { seen, summary } = await obeyed(orders(2000, bad), options);
  expect(seen).toEqual(numbers(2000, [3, 800, 801, 1500]));
  expect(summary).toMatchObject({ deadLettered: 4, dropped: 0, balanced: true });
  expect(letters.map(({ stage, index, item }) => [stage, index, item])).toEqual(
    Object.entries(bad).map(([n, how]) => ['obey', Number(n), { n: Number(n), how }]),
  );
  expect(letters[1]?.error).toBeInstanceOf(RangeError);
  expect(letters[3]?.error).toMatchObject({ name: 'DataCloneError' });
  expect(writable.locked).toBe(false);
});

test('parallel() with deadLetter() takes an item that cannot be sent', async () => {
  const { letters, writable } = collecting<Order>();
  const items = orders(300, {});
  items[200] = { n: 200, call: () => {} };
  const { seen } = await obeyed(items, { onError: deadLetter(writable) });
  expect(seen).toEqual(numbers(300, [200]));
  expect(letters.map(({ index, item }) => [index, item])).toEqual([[200, items[200]]]);
});

test('parallel() with deadLetter() waits for the letter, and goes on within its bound', async () => {
  let release = () => {};
  const taken = new Promise<void>((resolve) => {
    release = resolve;
  });
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const writable = new WritableStream<DeadLetter<Order>>({
    write: () => {
      begin();
      return taken;
    },
  });
  const seen: number[] = [];
  const stage = parallel(functions, 'obey', { onError: deadLetter(writable), maxItemsInWorkers: 16, highWaterMark: 8 });
  const run = from(generate((n) => ({ n, how: n === 5 ? ('throw' as const) : undefined })))
    .pipeThrough(stage)
    .run((n) => void seen.push(n));
  await begun;
  // Workers go on, up to the limit; what is behind the letter waits for it.
  while (run.inFlight < 24) await new Promise<void>((resolve) => setImmediate(resolve));
  expect(seen).toEqual([0, 1, 2, 3, 4]);
  release();
  const summary = await run.drain();
  expect(summary).toMatchObject({ deadLettered: 1, balanced: true });
  expect(summary.inFlightMax).toBeLessThanOrEqual(run.explain().bound);
  expect(seen).toEqual(numbers(seen.length + 1, [5]));
});

test('parallel() fails at the item whose letter cannot be written, behind the results before it', async () => {
  const full = new Error('the disk is full');
  const writable = new WritableStream<DeadLetter<Order>>({
    write() {
      throw full;
    },
  });
  const seen: number[] = [];
  const run = from(orders(2000, { 900: 'throw', 901: 'throw' }))
    .pipeThrough(parallel(functions, 'obey', { onError: deadLetter(writable) }))
    .run((n) => void seen.push(n));
  const error = (await run.finished.catch((reason) => reason)) as StageError;
  expect(error).toBeInstanceOf(StageError);
  expect(error).toMatchObject({ stage: 'parallel', index: 900, cause: full });
  expect(error.others).toEqual([expect.objectContaining({ message: 'item 900' })]);
  expect(seen).toEqual(numbers(900, []));
  const [, stage] = run.counts();
  expect((stage?.out ?? 0) + (stage?.abandoned ?? 0)).toBe(stage?.in);
  expect(writable.locked).toBe(false);
});

test('parallel() lets go of the stream when the run is aborted while a letter is being written', async () => {
  let release = () => {};
  const taken = new Promise<void>((resolve) => {
    release = resolve;
  });
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const writable = new WritableStream<DeadLetter<Order>>({
    write: () => {
      begin();
      return taken;
    },
  });
  const run = from(orders(10, { 2: 'throw' }))
    .pipeThrough(parallel(functions, 'obey', { onError: deadLetter(writable) }))
    .run(() => {}, { closeGraceMs: 60_000 });
  await begun;
  const reason = new Error('enough');
  run.abort(reason);
  release();
  await expect(run.finished).rejects.toBe(reason);
  expect(run.inFlight).toBe(0);
  expect(writable.locked).toBe(false);
});

test.each([true, false])(
  'parallel() rejects the item whose worker died, and works on the others again (ordered: %s)',
  async (ordered) => {
    const { letters, writable } = collecting<Order>();
    const options = { onError: deadLetter(writable), ordered };
    const { seen, summary } = await obeyed(orders(1000, { 400: 'exit', 401: 'exit', 777: 'exit' }), options);
    expect(ordered ? seen : seen.sort(bySize)).toEqual(numbers(1000, [400, 401, 777]));
    expect(summary).toMatchObject({ deadLettered: 3, balanced: true });
    expect(letters.map(({ index }) => index).sort(bySize)).toEqual([400, 401, 777]);
    for (const { error } of letters) expect((error as PipelineError).code).toBe('ERR_PARALLEL_WORKER_DIED');
  },
);

test('parallel() with onError: "skip" and onWorkerDeath: "retry" drops an item only when it has killed two workers', async () => {
  const seen = new Int32Array(new SharedArrayBuffer(4 * 1000));
  const items = Array.from({ length: 1000 }, (_, n) => ({ n, at: 600, seen }));
  const once = parallel(functions, 'exitOnce', { onError: 'skip', onWorkerDeath: 'retry' });
  expect(await from(items).pipeThrough(once).toArray()).toEqual(numbers(1000, []));
  const { summary } = await obeyed(orders(1000, { 600: 'exit' }), { onError: 'skip', onWorkerDeath: 'retry' });
  expect(summary).toMatchObject({ dropped: 1, emitted: 999, balanced: true });
});

test('parallel() with onError: "skip" drops an item that is stuck', async () => {
  const { seen, summary } = await obeyed(orders(40, { 20: 'hang' }), { onError: 'skip', timeoutMs: 2000 });
  expect(seen).toEqual(numbers(40, [20]));
  expect(summary).toMatchObject({ dropped: 1, balanced: true });
});

test('parallel() with onError: "skip" fails after more deaths in a row than maxRestarts', async () => {
  await using few = workerModule<Functions>(new URL('./functions.mjs', import.meta.url), {
    workers: 1,
    maxRestarts: 2,
  });
  const items = orders(50, {}).map((item) => ({ ...item, how: 'exit' as const }));
  const run = from(items)
    .pipeThrough(parallel(few, 'obey', { onError: 'skip' }))
    .run(() => {});
  const error = (await run.finished.catch((reason) => reason)) as StageError;
  expect((error.cause as PipelineError).code).toBe('ERR_PARALLEL_WORKER_DIED');
  const [, stage] = run.counts();
  expect((stage?.dropped ?? 0) + (stage?.abandoned ?? 0)).toBe(stage?.in);
});

test('parallel() rejects with the item what was moved to its worker before it', async () => {
  const { letters, writable } = collecting<Float64Array>();
  const columns = Array.from({ length: 200 }, (_, n) => Float64Array.of(n === 150 ? -1 : n));
  const stage = parallel(functions, 'exitAtMinusOne', {
    onError: deadLetter(writable),
    transfer: ({ buffer }) => [buffer as ArrayBuffer],
  });
  const seen: number[] = [];
  const run = from(columns)
    .pipeThrough(stage)
    .run((n) => void seen.push(n));
  const summary = await run.finished;
  expect(summary.balanced).toBe(true);
  const lost = letters.map(({ index }) => index);
  expect(lost).toContain(150);
  expect(letters.every(({ item }) => item.length === 0)).toBe(true);
  expect(seen).toEqual(numbers(200, lost));
});
