import {
  batch,
  buffer,
  dedupeConsecutive,
  drop,
  dropWhile,
  enumerate,
  filter,
  filterMap,
  flatMap,
  flatten,
  from,
  map,
  mapAsync,
  type Pipeline,
  pairwise,
  type RunOptions,
  range,
  type StageError,
  type Streamable,
  scan,
  statefulMap,
  take,
  takeWhile,
  tap,
} from '@millrace/core';
import { describe, expect, test } from 'vitest';

// Every shape of pipeline gives the same results from every kind of source, fused or not, generated or copied.

const sources: Record<string, () => Streamable<number>> = {
  array: () => [1, 2, 3, 4, 5, 6],
  'typed array': () => Float64Array.of(1, 2, 3, 4, 5, 6),
  set: () => new Set([1, 2, 3, 4, 5, 6]),
  generator: () =>
    function* () {
      yield* [1, 2, 3, 4, 5, 6];
    },
  'async generator': () =>
    async function* () {
      yield* [1, 2, 3, 4, 5, 6];
    },
  'function that gives an array': () => () => [1, 2, 3, 4, 5, 6],
  stream: () =>
    new ReadableStream({
      start(controller) {
        for (const n of [1, 2, 3, 4, 5, 6]) controller.enqueue(n);
        controller.close();
      },
    }),
  promise: () => Promise.resolve([1, 2, 3, 4, 5, 6]),
  pipeline: () => range(1, 7),
};

const ways: Record<string, RunOptions> = {
  'fused, generated': {},
  'not fused, generated': { fuse: false },
  'fused, copied': { generate: false },
  'not fused, copied': { fuse: false, generate: false },
};

type Shape = (numbers: Pipeline<number>, options: RunOptions) => Promise<unknown>;

const shapes: Record<string, [Shape, unknown]> = {
  'map, filter, batch': [
    (p, o) =>
      p
        .pipeThrough(map((n) => n * 2))
        .pipeThrough(filter((n) => n > 4))
        .pipeThrough(batch({ maxItems: 3 }))
        .toArray(o),
    [[6, 8, 10], [12]],
  ],
  'flatMap of arrays before take': [
    (p, o) =>
      p
        .pipeThrough(flatMap((n) => [n, n * 10]))
        .pipeThrough(take(3))
        .toArray(o),
    [1, 10, 2],
  ],
  'flatMap of generators in flatMap': [
    (p, o) =>
      p
        .pipeThrough(
          flatMap(function* (n: number) {
            yield n;
            yield n * 10;
          }),
        )
        .pipeThrough(flatMap((n) => [n, n]))
        .pipeThrough(drop(1))
        .pipeThrough(take(5))
        .toArray(o),
    [1, 10, 10, 2, 2],
  ],
  'batch before take': [
    (p, o) =>
      p
        .pipeThrough(batch({ maxItems: 4 }))
        .pipeThrough(take(1))
        .toArray(o),
    [[1, 2, 3, 4]],
  ],
  'take before batches before flatMap': [
    (p, o) =>
      p
        .pipeThrough(take(5))
        .pipeThrough(batch({ maxItems: 4 }))
        .pipeThrough(flatMap((items) => items))
        .pipeThrough(batch({ maxItems: 2 }))
        .toArray(o),
    [[1, 2], [3, 4], [5]],
  ],
  'batch by size': [
    (p, o) => p.pipeThrough(batch({ maxBytes: 6, sizeOf: (n) => n })).toArray(o),
    [[1, 2, 3], [4], [5], [6]],
  ],
  'batch by time': [
    (p, o) => p.pipeThrough(batch({ maxItems: 4, maxWaitMs: 1000 })).toArray(o),
    [
      [1, 2, 3, 4],
      [5, 6],
    ],
  ],
  'take(0)': [(p, o) => p.pipeThrough(take(0)).count(o), 0],
  'scan, dedupeConsecutive': [
    (p, o) =>
      p
        .pipeThrough(scan((sum, n: number) => sum + n, 0))
        .pipeThrough(map((sum) => sum >> 2))
        .pipeThrough(dedupeConsecutive())
        .toArray(o),
    [0, 1, 2, 3, 5],
  ],
  'dropWhile, takeWhile, pairwise, enumerate': [
    (p, o) =>
      p
        .pipeThrough(dropWhile((n) => n < 2))
        .pipeThrough(takeWhile((n) => n < 6))
        .pipeThrough(pairwise())
        .pipeThrough(enumerate())
        .toArray(o),
    [
      [0, [2, 3]],
      [1, [3, 4]],
      [2, [4, 5]],
    ],
  ],
  'statefulMap, flatten': [
    (p, o) =>
      p
        .pipeThrough(
          statefulMap({
            start: () => ({ sum: 0 }),
            map: (state, n: number) => {
              state.sum += n;
              return n % 2 ? [] : [state.sum];
            },
            flush: ({ sum }) => [-sum],
          }),
        )
        .pipeThrough(flatten())
        .toArray(o),
    [3, 10, 21, -21],
  ],
  filterMap: [(p, o) => p.pipeThrough(filterMap((n) => (n % 2 ? `${n}` : undefined))).toArray(o), ['1', '3', '5']],
  'mapAsync in order': [
    (p, o) =>
      p
        .pipeThrough(mapAsync(async (n) => n + 1, { concurrency: 3 }))
        .pipeThrough(map((n) => n))
        .toArray(o),
    [2, 3, 4, 5, 6, 7],
  ],
  'mapAsync out of order': [
    async (p, o) => {
      const results = await p.pipeThrough(mapAsync((n) => n + 1, { concurrency: 3, ordered: false })).toArray(o);
      return results.sort();
    },
    [2, 3, 4, 5, 6, 7],
  ],
  'buffers and edges': [
    (p, o) =>
      p
        .pipeThrough(buffer(2))
        .pipeThrough(map((n) => n, { highWaterMark: 3 }))
        .toArray(o),
    [1, 2, 3, 4, 5, 6],
  ],
  reduce: [(p, o) => p.reduce((a, b) => a + b, 0, o), 21],
  'reduce with promises': [(p, o) => p.reduce(async (a, b) => (await a) + b, 0 as number, o), 21],
  first: [(p, o) => p.first(o), 1],
  last: [(p, o) => p.last(o), 6],
  find: [(p, o) => p.find((n) => n > 3, o), 4],
  some: [(p, o) => p.some((n) => n > 3, o), true],
  every: [(p, o) => p.every((n) => n > 3, o), false],
  count: [(p, o) => p.count(o), 6],
  'forEach with promises': [
    async (p, o) => {
      const seen: number[] = [];
      await p.forEach(async (n) => {
        await undefined;
        seen.push(n);
      }, o);
      return seen;
    },
    [1, 2, 3, 4, 5, 6],
  ],
  collectInto: [
    async (p, o) => {
      const target = new Float64Array(8);
      const items = await p.collectInto(target, o);
      return [...target.subarray(0, items)];
    },
    [1, 2, 3, 4, 5, 6],
  ],
  'for await that leaves early': [
    async (p, o) => {
      const seen: number[] = [];
      for await (const n of p.pipeThrough(map((each) => each + 1)).values(o)) {
        seen.push(n);
        if (n > 3) break;
      }
      return seen;
    },
    [2, 3, 4],
  ],
  pipeTo: [
    async (p, o) => {
      const seen: number[] = [];
      await p.pipeTo(new WritableStream({ write: (n) => void seen.push(n) }), o);
      return seen;
    },
    [1, 2, 3, 4, 5, 6],
  ],
  'an error with its place': [
    async (p, o) => {
      const seen: number[] = [];
      const error: StageError = await p
        .pipeThrough(filter((n) => n !== 2))
        .pipeThrough(
          map(
            (n) => {
              if (n === 5) throw new Error('five');
              return n;
            },
            { name: 'boom' },
          ),
        )
        .pipeThrough(tap((n) => void seen.push(n)))
        .toArray(o)
        .catch((reason) => reason);
      return [error.stage, error.index, (error.cause as Error).message, seen];
    },
    ['boom', 3, 'five', [1, 3, 4]],
  ],
  'a balance': [
    async (p, o) => {
      const run = p
        .pipeThrough(filter((n) => n !== 2))
        .pipeThrough(batch({ maxItems: 2 }))
        .pipeThrough(flatMap((items) => items))
        .pipeThrough(dedupeConsecutive())
        .run(() => {}, o);
      const summary = await run.finished;
      expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
      return [summary.read, summary.emitted, summary.filtered, summary.balanced];
    },
    [6, 5, 1, true],
  ],
};

for (const [way, options] of Object.entries(ways)) {
  describe(`results, ${way}`, () => {
    for (const [name, [shape, expected]] of Object.entries(shapes)) {
      test.for(Object.entries(sources))(`${name}, from %s`, async ([, source]) => {
        expect(await shape(from(source()), options)).toEqual(expected);
      });
    }
  });
}
