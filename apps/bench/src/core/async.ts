import { setTimeout as wait } from 'node:timers/promises';
import type { Case, Side } from '../model.js';
import type { Random } from '../random.js';
import { drawReadings, type Reading } from '../readings.js';
import { versionOf } from '../version-of.js';
import { cut, drawNumbers, millraceOn, programOn } from './programs.js';

type Draw<I> = (items: number, random: Random) => I;
type Load<I> = () => Promise<(input: I) => unknown>;

const millrace = <I>(draw: Draw<I>, load: Load<I>): Side => ({ name: 'Millrace', load: () => millraceOn(draw, load) });
const other = <I>(name: string, draw: Draw<I>, load: Load<I>): Side => ({
  name,
  load: async () => programOn(draw, await load()),
});

function compared(name: string, items: number, own: Side, against: readonly Side[], options: string = ''): Case {
  return { suite: 'core', name, condition: 'polluted', options, metric: 'cpu', items, millrace: own, against };
}

const later = async (value: number): Promise<number> => value * 2;
const atOnce = (value: number): number => value * 2;
const afterTimer = (value: number): Promise<number> =>
  new Promise((resolve) => {
    setTimeout(resolve, 1, value * 2);
  });

function oneByOne(name: string, fn: (value: number) => number | Promise<number>): Case {
  return compared(
    name,
    100_000,
    millrace(drawNumbers, async () => {
      const { oneByOne: work } = await import('../millrace/async.js');
      return (numbers) => work(numbers, fn);
    }),
    [
      other('hand await loop', drawNumbers, async () => {
        const { oneByOne: work } = await import('../hand/async.js');
        return (numbers) => work(numbers, fn);
      }),
    ],
  );
}

interface Concurrent {
  mapConcurrently(numbers: readonly number[], fn: (value: number) => Promise<number>): unknown;
}

function mapAsync100(): Case {
  const on =
    (load: () => Promise<Concurrent>): Load<number[]> =>
    async () => {
      const { mapConcurrently } = await load();
      return (numbers) => mapConcurrently(numbers, afterTimer);
    };
  const peer = (name: string, from: string, load: () => Promise<Concurrent>): Side =>
    other(`${name} ${versionOf(from)}`, drawNumbers, on(load));
  return compared(
    'map-async-100',
    10_000,
    millrace(
      drawNumbers,
      on(() => import('../millrace/async.js')),
    ),
    [
      peer('p-map', 'p-map', () => import('../peers/p-map.js')),
      peer('Effect Stream', 'effect', () => import('../peers/effect.js')),
      peer('streaming-iterables', 'streaming-iterables', () => import('../peers/streaming-iterables.js')),
    ],
  );
}

const drawArrays =
  (size: number): Draw<Reading[][]> =>
  (items, random) =>
    cut(drawReadings(items, random), size);

async function* oneAfterTheOther<T>(arrays: readonly T[]): AsyncGenerator<T> {
  for (const array of arrays) yield array;
}

const asyncSource64 = compared(
  'async-source-64',
  300_000,
  millrace(drawArrays(64), async () => {
    const { fourOverArrays } = await import('../millrace/async.js');
    return (arrays) => fourOverArrays(oneAfterTheOther(arrays));
  }),
  [
    other('hand for await', drawArrays(64), async () => {
      const { fourOverArrays } = await import('../hand/async.js');
      return (arrays) => fourOverArrays(oneAfterTheOther(arrays));
    }),
  ],
);

const streams = () => import('../peers/web-streams.js');

const throughArrays = compared(
  'through-native',
  500_000,
  millrace(drawArrays(256), async () => {
    const [{ fourThroughArrays }, { streamOf }] = await Promise.all([import('../millrace/async.js'), streams()]);
    return (arrays) => fourThroughArrays(streamOf(arrays, globalThis));
  }),
  [other('hand loop', drawArrays(256), async () => (await import('../hand/async.js')).fourInArrays)],
  'arrays of 256',
);

const throughItems = compared(
  'through-native',
  20_000,
  millrace(drawReadings, async () => {
    const [{ fourThroughItems }, { streamOf }] = await Promise.all([import('../millrace/async.js'), streams()]);
    return (readings) => fourThroughItems(streamOf(readings, globalThis));
  }),
  [
    other('native TransformStreams', drawReadings, async () => {
      const [{ nativeStreams }, { streamOf }] = await Promise.all([import('../peers/native-streams.js'), streams()]);
      return (readings) => nativeStreams.fourOf(streamOf(readings, globalThis));
    }),
  ],
  'item by item',
);

const WARM_UP_BEATS = 10;

async function* beats(count: number): AsyncGenerator<number> {
  for (let beat = 0; beat < count; beat++) {
    await wait(50);
    yield performance.now();
  }
}

const latency: Case = {
  ...compared(
    'latency',
    60,
    millrace(
      (items) => items,
      async () => {
        const { latencies } = await import('../millrace/async.js');
        return async (items) => {
          const all = (await latencies(beats(WARM_UP_BEATS + items))).slice(WARM_UP_BEATS).sort((a, b) => a - b);
          return all[Math.ceil(all.length * 0.99) - 1];
        };
      },
    ),
    [],
    'p99',
  ),
  condition: 'clean',
  metric: 'ms',
};

const start: Case = {
  suite: 'core',
  name: 'start',
  condition: 'clean',
  options: '',
  metric: 'ms',
  items: 1,
  millrace: {
    name: 'Millrace',
    async load() {
      return {
        prepare: () => async () => {
          const beganMs = performance.now();
          await import('@millrace/core');
          return performance.now() - beganMs;
        },
      };
    },
  },
  against: [],
};

/** Asynchronous functions, sources and native streams; how late an item comes out, and how long the import takes. */
export const ASYNC_CASES: readonly Case[] = [
  oneByOne('async-1', later),
  oneByOne('async-sync-answer', atOnce),
  asyncSource64,
  mapAsync100(),
  throughArrays,
  throughItems,
  latency,
  start,
];
