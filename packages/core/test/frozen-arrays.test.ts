import {
  batch,
  batchWhileBusy,
  buffer,
  concat,
  conflate,
  dedupe,
  flatMap,
  interleave,
  map,
  mapAsync,
  merge,
  mergeSorted,
  type Pipeline,
  partitionBy,
  runAll,
  type Stage,
  scan,
  take,
  window,
  zip,
} from '@millrace/core';
import { source } from '@millrace/core/authoring';
import { describe, expect, test } from 'vitest';

// A source goes on using the arrays that it gives: no stage, join or split may change one.

const ITEMS = 20;

/** Gives arrays that can't be changed, at once or as promises. */
function frozen(later: boolean): Pipeline<number> {
  return source<number>({
    name: 'frozen',
    open() {
      let given = 0;
      const next = (max: number): readonly number[] | undefined => {
        const length = Math.min(max, 5, ITEMS - given);
        if (length === 0) return undefined;
        given += length;
        return Object.freeze(Array.from({ length }, (_, at) => given - length + at));
      };
      return { read: (max) => (later ? Promise.resolve(next(max)) : next(max)), close: () => {} };
    },
  });
}

const twice = async (n: number): Promise<number> => n * 2;
const STAGES: Readonly<Record<string, () => Stage<number, unknown>>> = {
  map: () => map((n) => n + 1),
  'map behind an edge': () => map((n) => n + 1, { highWaterMark: 3 }),
  flatMap: () => flatMap((n) => [n, n]),
  take: () => take(7),
  scan: () => scan((sum: number, n) => sum + n, 0),
  dedupe: () => dedupe({ maxKeys: 3 }),
  batch: () => batch({ maxItems: 3 }),
  'batch by bytes': () => batch({ maxBytes: 30, sizeOf: () => 10 }),
  'batch by time': () => batch({ maxItems: 3, maxWaitMs: 60_000 }),
  batchWhileBusy: () => batchWhileBusy({ maxItems: 4 }),
  conflate: () => conflate((a: number, b: number) => a + b, {}),
  window: () => window({ sizeMs: 7, timeMs: (n) => n }),
  'mapAsync, in order': () => mapAsync(twice, { concurrency: 3 }),
  'mapAsync, unordered': () => mapAsync(twice, { concurrency: 3, ordered: false }),
  'mapAsync, by key': () => mapAsync(twice, { concurrency: 3, keyBy: (n) => n % 2 }),
  'mapAsync behind an edge that weighs': () => mapAsync(twice, { concurrency: 3, highWaterMark: 9, size: () => 2 }),
  buffer: () => buffer(3),
  'buffer that drops': () => buffer(3, { overflow: 'drop-oldest' }),
  partitionBy: () =>
    partitionBy(
      (n) => n % 3,
      { maxKeys: 3 },
      (lane) => lane.pipeThrough(map((n) => n)),
    ),
};

const JOINS: Readonly<Record<string, (a: Pipeline<number>, b: Pipeline<number>) => Pipeline<unknown>>> = {
  merge,
  zip,
  concat,
  interleave,
  mergeSorted: (a, b) => mergeSorted(a, b, { by: (n: number) => n }),
};

const SPLITS: Readonly<Record<string, (numbers: Pipeline<number>) => readonly Pipeline<number>[]>> = {
  broadcast: (numbers) => numbers.broadcast(3),
  balance: (numbers) => numbers.balance(3),
  partition: (numbers) => numbers.partition((n) => n % 2 === 0),
  route: (numbers) => Object.values(numbers.route({ even: (n) => n % 2 === 0, odd: () => true })),
};

describe.each([
  ['at once', false],
  ['as promises', true],
] as const)('arrays of a source that are given %s are left as they are', (_, later) => {
  test.each(Object.entries(STAGES))('by %s', async (_name, stage) => {
    expect(await frozen(later).pipeThrough(stage()).count()).toBeGreaterThan(0);
  });

  test.each(Object.entries(JOINS))('by %s', async (_name, join) => {
    expect(await join(frozen(later), frozen(later)).count()).toBeGreaterThan(0);
  });

  test.each(Object.entries(SPLITS))('by %s, and by a merge() behind it', async (_name, split) => {
    const items: number[] = [];
    await runAll(...split(frozen(later)).map((branch) => branch.into(async (n) => void items.push(n)))).finished;
    const [first, ...others] = split(frozen(later)) as [Pipeline<number>, ...Pipeline<number>[]];
    const merged = await merge(first.pipeThrough(mapAsync(async (n) => n, { concurrency: 2 })), ...others).toArray();
    const byValue = (a: number, b: number): number => a - b;
    expect(merged.sort(byValue)).toEqual(items.sort(byValue));
  });
});
