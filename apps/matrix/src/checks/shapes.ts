import {
  batch,
  buffer,
  compose,
  dedupeConsecutive,
  drop,
  filter,
  flatMap,
  from,
  map,
  mapAsync,
  merge,
  type Pipeline,
  type RunOptions,
  range,
  runAll,
  scan,
  take,
  tap,
} from '@millrace/core';
import { type Check, same } from '../check.js';

const WAYS: Readonly<Record<string, RunOptions>> = {
  generated: {},
  copied: { generate: false },
  'not fused': { fuse: false },
};

type Work = (numbers: Pipeline<number>, options: RunOptions) => Promise<unknown>;

const itself = (n: number): number => n;

/** Each over the numbers from 1 to 6, with what must come of it. */
const SHAPES: Readonly<Record<string, readonly [Work, unknown]>> = {
  'map, filter, scan, reduce': [
    (numbers, options) =>
      numbers
        .pipeThrough(map((n) => n * 3))
        .pipeThrough(filter((n) => n % 2 === 1))
        .pipeThrough(scan((sum, n) => sum + n, 0))
        .reduce((total, n) => total + n, 0, options),
    3 + 12 + 27,
  ],
  'drop, tap, dedupeConsecutive, take': [
    (numbers, options) =>
      numbers
        .pipeThrough(drop(1))
        .pipeThrough(tap(itself))
        .pipeThrough(dedupeConsecutive((n) => n >> 1))
        .pipeThrough(take(2))
        .toArray(options),
    [2, 4],
  ],
  'flatMap, batch': [
    (numbers, options) =>
      numbers
        .pipeThrough(flatMap((n) => Array.from({ length: n % 3 }, () => n)))
        .pipeThrough(batch({ maxItems: 4 }))
        .toArray(options),
    [
      [1, 2, 2, 4],
      [5, 5],
    ],
  ],
  'mapAsync, one at a time and many': [
    (numbers, options) =>
      numbers
        .pipeThrough(mapAsync(async (n) => n * 2))
        .pipeThrough(mapAsync((n) => (n % 4 === 0 ? n : Promise.resolve(-n)), { concurrency: 3 }))
        .toArray(options),
    [-2, 4, -6, 8, -10, 12],
  ],
  'batch by time, buffer': [
    (numbers, options) =>
      numbers
        .pipeThrough(buffer(2))
        .pipeThrough(batch({ maxItems: 4, maxWaitMs: 1000 }))
        .toArray(options),
    [
      [1, 2, 3, 4],
      [5, 6],
    ],
  ],
  'compose, merge': [
    (numbers, options) =>
      merge(
        numbers,
        numbers.pipeThrough(
          compose(
            map((n: number) => n * 10),
            take(2),
          ),
        ),
      ).reduce((sum, n) => sum + n, 0, options),
    21 + 10 + 20,
  ],
  collectInto: [
    async (numbers, options) => {
      const out = new Float64Array(6);
      return [await numbers.collectInto(out, options), ...out];
    },
    [6, 1, 2, 3, 4, 5, 6],
  ],
  'for await': [
    async (numbers, options) => {
      const seen: number[] = [];
      for await (const n of numbers.values(options)) {
        if (n === 4) break;
        seen.push(n);
      }
      return seen;
    },
    [1, 2, 3],
  ],
};

async function* later(): AsyncGenerator<number> {
  yield* [1, 2, 3, 4, 5, 6];
}

const SOURCES: Readonly<Record<string, () => Pipeline<number>>> = {
  array: () => from([1, 2, 3, 4, 5, 6]),
  'typed array': () => from(Float32Array.of(1, 2, 3, 4, 5, 6)),
  range: () => range(1, 7),
  set: () => from(new Set([1, 2, 3, 4, 5, 6])),
  'async generator': () => from(later),
};

const shapeChecks = Object.entries(SHAPES).map(
  ([name, [work, expected]]): Check => ({
    name,
    async run() {
      for (const source of Object.values(SOURCES)) {
        for (const options of Object.values(WAYS)) same(await work(source(), options), expected);
      }
    },
  }),
);

/** The kinds of stages and ends, each from several kinds of sources, fused and not, generated and copied. */
export const SHAPE_CHECKS: readonly Check[] = [
  ...shapeChecks,
  {
    name: 'broadcast to two sinks, counted',
    async run() {
      const seen: number[] = [];
      const squared: number[] = [];
      const [all, squares] = range(1, 7).broadcast(2);
      const run = runAll(
        all.into((n) => void seen.push(n)),
        squares.pipeThrough(map((n) => n * n)).into((n) => void squared.push(n)),
      );
      const { read, emitted, balanced } = await run.finished;
      same(
        [seen, squared],
        [
          [1, 2, 3, 4, 5, 6],
          [1, 4, 9, 16, 25, 36],
        ],
      );
      same([read, emitted, balanced], [6, 12, true]);
    },
  },
  {
    name: 'a million items',
    async run() {
      const work = range(0, 1_000_000)
        .pipeThrough(filter((n) => n % 3 !== 0))
        .pipeThrough(map((n) => n * 2));
      same(await work.count(), 666_666);
      same(await work.reduce((sum, n) => sum + n, 0), 666_665_333_334);
    },
  },
];
