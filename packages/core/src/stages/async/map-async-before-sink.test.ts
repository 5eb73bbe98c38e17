import { batch, from, generate, map, mapAsync, range, StageError, take } from '@millrace/core';
import { sourceProbe, virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';

// One call at a time before steps and a sink is part of their loop, where loops may be generated, and a node of its own
// where not: what can be seen is the same.
const ways = [{ generate: true }, { generate: false }];
const { settle } = virtualClock();

/** Promises that a test ends by hand, by their item. */
function gates() {
  const open = new Map<number, { resolve(): void; reject(error: unknown): void }>();
  return {
    wait: (item: number): Promise<number> =>
      new Promise((resolve, reject) => {
        open.set(item, { resolve: () => resolve(item), reject });
      }),
    begun: () => [...open.keys()],
    end: (item: number) => open.get(item)?.resolve(),
    fail: (item: number, error: unknown) => open.get(item)?.reject(error),
  };
}

test.each(ways)('mapAsync() works on the next item while the sink is busy, and reaches the bound: %j', async (how) => {
  const calls = gates();
  const writes = gates();
  const run = range(0, 4)
    .pipeThrough(mapAsync(calls.wait))
    .pipeThrough(map((n) => n * 10))
    .run((n) => writes.wait(n).then(() => {}), how);
  await settle();
  expect([calls.begun(), writes.begun()]).toEqual([[0], []]);
  calls.end(0);
  await settle();
  expect([calls.begun(), writes.begun()]).toEqual([[0, 1], [0]]);
  calls.end(1);
  await settle();
  // The result of 1 keeps its slot until the sink has taken it.
  expect([calls.begun(), writes.begun()]).toEqual([[0, 1], [0]]);
  writes.end(0);
  await settle();
  expect([calls.begun(), writes.begun()]).toEqual([
    [0, 1, 2],
    [0, 10],
  ]);
  for (const item of [2, 3]) {
    writes.end((item - 1) * 10);
    calls.end(item);
    await settle();
  }
  writes.end(30);
  const summary = await run.finished;
  expect(summary).toMatchObject({ read: 4, emitted: 4, balanced: true, inFlightMax: 2, inFlightBound: 2 });
});

test.each(ways)('mapAsync() keeps its failure behind the item that the sink works on: %j', async (how) => {
  const writes = gates();
  const seen: number[] = [];
  const run = range(0, 4)
    .pipeThrough(
      mapAsync((n) => {
        if (n === 1) throw new Error('no');
        return n;
      }),
    )
    .run((n) => writes.wait(n).then(() => void seen.push(n)), how);
  const failed = run.finished.catch((error: unknown) => error);
  await settle();
  expect(seen).toEqual([]);
  writes.end(0);
  const error = (await failed) as StageError;
  expect(error).toBeInstanceOf(StageError);
  expect([error.stage, error.index, (error.cause as Error).message]).toEqual(['mapAsync', 1, 'no']);
  expect(seen).toEqual([0]);
  expect(run.counts().map(({ in: entered, out, abandoned }) => [entered, out, abandoned])).toEqual([
    [0, 2, 0],
    [2, 1, 1],
    [1, 1, 0],
  ]);
});

test.each(ways)('mapAsync() fails with what its promise rejects with, at the item: %j', async (how) => {
  const failing = from([5, 6, 7])
    .pipeThrough(mapAsync(async (n) => (n === 7 ? Promise.reject(new RangeError('seven')) : n)))
    .reduce((sum, n) => sum + n, 0, how);
  await expect(failing).rejects.toMatchObject({ stage: 'mapAsync', index: 2, cause: new RangeError('seven') });
});

test.each(ways)('mapAsync() counts as abandoned what it waits for when the run is aborted: %j', async (how) => {
  const calls = gates();
  const reason = new Error('enough');
  let signal: AbortSignal | undefined;
  const run = range(0, 9)
    .pipeThrough(
      mapAsync((n, context) => {
        signal = context.signal;
        return calls.wait(n);
      }),
    )
    .run(() => {}, how);
  await settle();
  expect(run.inFlight).toBe(1);
  run.abort(reason);
  await expect(run.finished).rejects.toBe(reason);
  expect(signal?.aborted).toBe(true);
  calls.end(0);
  await settle();
  expect(calls.begun()).toEqual([0]);
  expect(run.inFlight).toBe(0);
  expect(run.counts()[1]).toMatchObject({ in: 1, out: 0, abandoned: 1 });
});

test.each(ways)('mapAsync() asks a source for one item at a time, and for none beyond take(): %j', async (how) => {
  const source = sourceProbe<number>();
  const result = source.pipeline
    .pipeThrough(map((n) => n + 1))
    .pipeThrough(mapAsync(async (n) => n * 2))
    .pipeThrough(take(2))
    .toArray(how);
  await settle();
  source.release(1, 2, 3, 4);
  expect(await result).toEqual([4, 6]);
  expect(source.read).toBeLessThanOrEqual(3);
  expect(source.closes).toHaveLength(1);
});

test.each(ways)(
  'mapAsync() takes batches, flushes what is held before it, and lets the last item end: %j',
  async (how) => {
    const sums = range(0, 5)
      .pipeThrough(batch({ maxItems: 2 }))
      .pipeThrough(mapAsync(async (numbers) => numbers.reduce((sum, n) => sum + n, 0)))
      .pipeThrough(batch({ maxItems: 2 }))
      .toArray(how);
    expect(await sums).toEqual([[1, 5], [4]]);
  },
);

test.each(ways)('mapAsync() gives way to timers also where its promises are there at once: %j', async (how) => {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error('in time')), 5);
  const endless = generate((n) => n)
    .pipeThrough(mapAsync(async (n) => n))
    .reduce((sum, n) => sum + n, 0, { ...how, signal: controller.signal });
  await expect(endless).rejects.toThrow('in time');
  clearTimeout(timer);
});

test.each(ways)('mapAsync() takes anything with a then(), also one that calls back at once: %j', async (how) => {
  // biome-ignore lint/suspicious/noThenProperty: that is what is tested.
  const now = (value: number): PromiseLike<number> => ({ then: (done) => done?.(value) as never });
  const result = range(0, 3)
    .pipeThrough(mapAsync((n) => now(n * 3)))
    .toArray(how);
  expect(await result).toEqual([0, 3, 6]);
});
