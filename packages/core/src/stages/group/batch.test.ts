import { batch, filter, flatten, from, mapAsync, type Pipeline, range, take } from '@millrace/core';
import { source } from '@millrace/core/authoring';
import { sinkProbe, sourceProbe, virtualClock } from '@millrace/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const whatever = (): void => {};

test('batch() hands on arrays of its own, the last one shorter, none empty', async () => {
  const input = [1, 2, 3, 4, 5];
  const batches = await from(input)
    .pipeThrough(batch({ maxItems: 2 }))
    .toArray();
  expect(batches).toEqual([[1, 2], [3, 4], [5]]);
  batches[0]?.push(9);
  expect(input).toEqual([1, 2, 3, 4, 5]);
  expect(
    await from([])
      .pipeThrough(batch({ maxItems: 2 }))
      .toArray(),
  ).toEqual([]);
  expect(
    await from([1, 2])
      .pipeThrough(batch({ maxItems: 2 }))
      .toArray(),
  ).toEqual([[1, 2]]);
});

const sized = (items: Pipeline<number>, maxWaitMs?: number): Pipeline<number[]> =>
  items.pipeThrough(
    batch({ maxItems: 3, maxBytes: 10, sizeOf: (n) => n, ...(maxWaitMs === undefined ? {} : { maxWaitMs }) }),
  );

test.for([undefined, 1000])(
  'batch() by bytes never mixes in what does not fit, with maxWaitMs %s',
  async (maxWaitMs) => {
    const options = { clock: virtualClock() };
    expect(await sized(from([4, 5, 6, 11, 1, 1, 1, 10, 2]), maxWaitMs).toArray(options)).toEqual([
      [4, 5],
      [6],
      [11],
      [1, 1, 1],
      [10],
      [2],
    ]);
    const failed = sized(from([1, Number.NaN]), maxWaitMs).toArray(options);
    await expect(failed).rejects.toMatchObject({
      stage: 'batch',
      index: 1,
      cause: new RangeError('sizeOf returned NaN (must be a number of bytes, 0 or more)'),
    });
    expect(options.clock.pendingTimers).toBe(0);
  },
);

test.for([undefined, 1000])(
  'batch() discards the open batch on an error, counted as abandoned, with maxWaitMs %s',
  async (maxWaitMs) => {
    const clock = virtualClock();
    const cause = new Error('cut');
    const probe = sourceProbe<number>();
    const seen: unknown[] = [];
    const run = sized(probe.pipeline, maxWaitMs).run((items) => void seen.push(items), { clock });
    const failed = expect(run.finished).rejects.toMatchObject({ stage: 'probe', index: 4, cause });
    probe.release(1, 2, 3, 4);
    probe.fail(cause);
    await failed;
    expect(seen).toEqual([[1, 2, 3]]);
    expect(run.counts()[1]).toMatchObject({ in: 4, absorbed: 3, abandoned: 1, held: 0 });
    expect(clock.pendingTimers).toBe(0);
  },
);

test('batch() counts its time from the first item of a batch on, and never hands on an empty one', async () => {
  const clock = virtualClock();
  const probe = sourceProbe<string>();
  const seen: string[] = [];
  const run = probe.pipeline
    .pipeThrough(batch({ maxWaitMs: 100 }))
    .run((items) => void seen.push(`${items.join()} at ${clock.now()}`), { clock });
  await clock.advance(500);
  expect(clock.pendingTimers).toBe(0);
  probe.release('a');
  await clock.advance(60);
  probe.release('b');
  await clock.advance(39);
  expect(seen).toEqual([]);
  await clock.advance(1);
  expect(seen).toEqual(['a,b at 600']);
  await clock.advance(1000);
  probe.release('c');
  probe.end();
  await run.finished;
  expect(seen).toEqual(['a,b at 600', 'c at 1600']);
});

test('batch() that is full before its time begins the time of the next with its first item', async () => {
  const clock = virtualClock();
  const probe = sourceProbe<number>();
  const seen: string[] = [];
  const run = probe.pipeline
    .pipeThrough(batch({ maxItems: 2, maxWaitMs: 100 }))
    .run((items) => void seen.push(`${items.join()} at ${clock.now()}`), { clock });
  await clock.settle();
  probe.release(1);
  await clock.advance(90);
  probe.release(2);
  await clock.advance(5);
  probe.release(3);
  await clock.advance(99);
  expect(seen).toEqual(['1,2 at 90']);
  await clock.advance(1);
  expect(seen).toEqual(['1,2 at 90', '3 at 195']);
  await run.drain();
  expect(clock.pendingTimers).toBe(0);
});

test('batch() whose time is up while nobody asks goes on filling, and goes when it is asked for', async () => {
  const clock = virtualClock();
  const source = sourceProbe<number>();
  const sink = sinkProbe<number[]>({ highWaterMark: 0 });
  const run = source.pipeline.pipeThrough(batch({ maxItems: 5, maxWaitMs: 100 })).run(sink.sink, { clock });
  await clock.settle();
  source.release(1);
  await clock.advance(100);
  source.release(2);
  await clock.advance(100);
  source.release(3);
  await clock.settle();
  expect(run.counts()[1]).toMatchObject({ held: 2, absorbed: 1 });
  expect(await sink.take(2)).toEqual([[1], [2, 3]]);
  source.end();
  await run.finished;
  expect(clock.pendingTimers).toBe(0);
});

test('batch() counts as its maxItems in the bound, and without maxItems has none', () => {
  const explain = (options: Parameters<typeof batch<number>>[0]) =>
    range(0, 9).pipeThrough(batch(options)).run(whatever).explain();
  expect(explain({ maxItems: 7 }).bound).toBeLessThan(30);
  expect(explain({ maxWaitMs: 7 }).bound).toBe(Number.POSITIVE_INFINITY);
  expect(String(explain({ maxWaitMs: 7 }))).toContain('without limit');
  const endless = range(0, 9).pipeThrough(batch({ maxWaitMs: 7 }));
  expect(() => endless.run(whatever, { maxInFlight: 1_000_000 })).toThrow(
    expect.objectContaining({ code: 'ERR_CORE_IN_FLIGHT' }),
  );
});

test('batch() before take() does not read what no batch needs', async () => {
  const probe = sourceProbe<number>();
  probe.release(1, 2, 3, 4, 5);
  expect(
    await probe.pipeline
      .pipeThrough(batch({ maxItems: 2 }))
      .pipeThrough(take(1))
      .toArray(),
  ).toEqual([[1, 2]]);
  expect(probe.read).toBe(2);
});

test('batch() asks for all that fills it at once, where one batch is asked for', async () => {
  const asked: number[] = [];
  const endless = source<number>({
    name: 'endless',
    open: () => ({
      read: (max) => {
        asked.push(max);
        return Promise.resolve([1, 2, 3].slice(0, max));
      },
      close: () => {},
    }),
  });
  const first = await endless
    .pipeThrough(filter((n) => n !== 2))
    .pipeThrough(batch({ maxItems: 5 }))
    .pipeThrough(mapAsync((numbers) => numbers, { concurrency: 1 }))
    .first();
  expect(first).toEqual([1, 3, 1, 3, 1]);
  expect(asked.slice(0, 3)).toEqual([5, 3, 1]);
});

test('batch() right before a sink reads as many items at a time as may wait there, not one', async () => {
  const asked: number[] = [];
  let left = 200;
  const numbers = source<number>({
    name: 'numbers',
    open: () => ({
      read: (max) => {
        asked.push(max);
        left -= max;
        return Promise.resolve(left > 0 ? Array<number>(max).fill(0) : undefined);
      },
      close: () => {},
    }),
  });
  let items = 0;
  const run = numbers.pipeThrough(batch({ maxItems: 50 })).run((batched) => {
    items += batched.length;
  });
  expect(run.explain().rooms).toContainEqual({ stage: 'batch', where: 'edge', items: 64 });
  await run.finished;
  expect(items).toBe(192);
  expect(asked).toEqual([64, 64, 64, 64]);
});

test.for([undefined, 1000])(
  'batch() by bytes hands on what was full before an error of sizeOf, with maxWaitMs %s',
  async (maxWaitMs) => {
    const seen: number[][] = [];
    const clock = virtualClock();
    const run = sized(from([4, 5, 6, 11, Number.NaN]), maxWaitMs).run((items) => void seen.push(items), { clock });
    await expect(run.finished).rejects.toMatchObject({ stage: 'batch', index: 4 });
    expect(seen).toEqual(maxWaitMs === undefined ? [[4, 5], [6]] : [[4, 5], [6], [11]]);
    expect(clock.pendingTimers).toBe(0);
  },
);

interface Limits {
  readonly maxItems: number;
  readonly maxBytes: number;
  readonly maxWaitMs: number;
}

/** What goes out, and when, by a plain list; each item has come so many milliseconds after the one before. */
function model(items: ReadonlyArray<readonly [bytes: number, afterMs: number]>, limits: Limits): string[] {
  const out: string[] = [];
  let open: number[] = [];
  let [nowMs, dueMs] = [0, 0];
  const close = (atMs: number): void => {
    if (open.length > 0) out.push(`${open} at ${atMs}`);
    open = [];
  };
  const bytesOf = (batched: readonly number[]): number => batched.reduce((sum, bytes) => sum + bytes, 0);
  for (const [bytes, afterMs] of items) {
    nowMs += afterMs;
    if (dueMs <= nowMs) close(dueMs);
    const isNext = open.length > 0 && bytesOf([...open, bytes]) > limits.maxBytes;
    if (isNext) close(nowMs);
    if (open.push(bytes) === 1) dueMs = nowMs + limits.maxWaitMs;
    // A loop makes one batch of an item at most: what is full with the item that closed the one before goes with the next.
    const isAtOnce = !isNext || Number.isFinite(limits.maxWaitMs);
    if (open.length >= limits.maxItems || (bytesOf(open) >= limits.maxBytes && isAtOnce)) close(nowMs);
  }
  close(nowMs);
  return out;
}

test('batch() gives what a plain list gives, whichever of its limits there are', async () => {
  const events = fc.array(fc.tuple(fc.nat(12), fc.nat(5)), { maxLength: 30 });
  const drawn = fc.record(
    {
      maxItems: fc.integer({ min: 1, max: 6 }),
      maxBytes: fc.integer({ min: 1, max: 20 }),
      maxWaitMs: fc.integer({ min: 1, max: 12 }),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(events, drawn, async (items, options) => {
      fc.pre(Object.keys(options).length > 0);
      const clock = virtualClock();
      const probe = sourceProbe<number>();
      const seen: string[] = [];
      const limits = { ...options, ...(options.maxBytes !== undefined && { sizeOf: (n: number) => n }) };
      const run = probe.pipeline
        .pipeThrough(batch(limits))
        .run((batched) => void seen.push(`${batched} at ${clock.now()}`), { clock });
      for (const [bytes, afterMs] of items) {
        await clock.advance(afterMs);
        probe.release(bytes);
        await clock.settle();
      }
      probe.end();
      expect(await run.finished).toMatchObject({ balanced: true, absorbed: items.length });
      const none = Number.POSITIVE_INFINITY;
      expect(seen).toEqual(model(items, { maxItems: none, maxBytes: none, maxWaitMs: none, ...options }));
      expect(clock.pendingTimers).toBe(0);
    }),
    { numRuns: 200 },
  );
});

test('batch() by time puts together what comes many at once, and leaves their arrays alone', async () => {
  const lengths = fc.array(fc.constantFrom(0, 1, 5, 31, 32, 33, 64, 200, 700), { maxLength: 8 });
  const ways = fc.constantFrom({}, { fuse: false }, { generate: false }, { context: true });
  const most = fc.constantFrom(1, 3, 40, 100, 500);
  class Own extends Array<number> {}
  await fc.assert(
    fc.asyncProperty(lengths, most, ways, fc.boolean(), async (sizes, maxItems, way, isNested) => {
      let next = 0;
      const lists = sizes.map((length, at) => Array.from({ length }, () => (at % 2 === 0 ? next++ : { id: next++ })));
      const before = structuredClone(lists);
      const items = lists.flat();
      const source = isNested ? from(lists).pipeThrough(flatten()) : from(items);
      const stage = batch<unknown>({ maxItems, maxWaitMs: 1000 });
      const made: unknown[][] = [];
      const run = source
        .pipeThrough(stage)
        .run((each) => void made.push(each), { clock: virtualClock(), maxInFlight: 3000, ...way });
      expect(await run.finished).toMatchObject({ balanced: true, read: isNested ? lists.length : items.length });
      expect(made.flat()).toEqual(items);
      expect(made.map(({ length }) => length)).toEqual(
        Array.from({ length: Math.ceil(items.length / maxItems) }, (_, at) =>
          Math.min(maxItems, items.length - at * maxItems),
        ),
      );
      for (const each of made) each.push(-1);
      expect(lists).toEqual(before);
    }),
    { numRuns: 100 },
  );
  const sparse = new Array<number>(40);
  sparse[39] = 1;
  for (const list of [sparse, Own.from(sparse), Uint8Array.from({ length: 40 }, () => 7)]) {
    const [all] = await from(list as number[])
      .pipeThrough(batch({ maxItems: 40, maxWaitMs: 1000 }))
      .toArray({ clock: virtualClock() });
    expect(all).toStrictEqual(Array.from(list));
    expect(all?.every(() => true) && Object.keys(all)).toHaveLength(40);
  }
});
