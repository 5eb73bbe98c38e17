import {
  batch,
  batchWhileBusy,
  buffer,
  bufferUnordered,
  cached,
  compose,
  concat,
  conflate,
  deadLetter,
  debounce,
  dedupe,
  dedupeConsecutive,
  delay,
  drop,
  dropWhile,
  enumerate,
  fallback,
  filter,
  filterMap,
  flatMap,
  flatten,
  interleave,
  map,
  mapAsync,
  merge,
  mergeSorted,
  type Pipeline,
  pairwise,
  partitionBy,
  rateLimit,
  type Stage,
  sample,
  scan,
  statefulMap,
  take,
  takeWhile,
  tap,
  throttle,
  window,
  zip,
} from '@millrace/core';
import { type ConformOptions, conform, type StageFactory } from '@millrace/testkit';
import { expect, type TestContext, test } from 'vitest';

/** One line for each stage; `pnpm conform` prints what each did under each law. */
function conforms<I, O>(name: string, factory: StageFactory<I, O>, options?: ConformOptions<I>): void {
  test(`${name} conforms`, async ({ task }: TestContext) => {
    const { laws } = await conform(factory, options);
    Object.assign(task.meta, { stage: name, laws });
    expect(laws.filter(({ passed }) => !passed)).toEqual([]);
  });
}

const same = <T>(items: T): T => items;

const no = (): never => {
  throw new Error('no');
};

const later = async (n: number): Promise<number> => {
  for (let turn = 0; turn < n % 4; turn++) await undefined;
  return n * 10;
};

conforms('map()', (user) => map(user((n: number) => n * 2)));
conforms('map() with an edge', (user) =>
  map(
    user((n: number) => n * 2),
    { highWaterMark: 4 },
  ),
);
conforms('filter()', (user) => filter(user((n: number) => n % 2 === 0)));
conforms('filterMap()', (user) => filterMap(user((n: number) => (n % 3 === 0 ? `${n}` : undefined))));
conforms('flatMap() of arrays', (user) => flatMap(user((n: number) => [n, n, n])));
conforms('flatMap() of nothing', (user) => flatMap(user((n: number) => (n % 3 === 2 ? [n] : []))), { reads: 16 });
conforms('flatMap() of generators', (user) =>
  flatMap(
    user(function* (n: number) {
      yield n;
      yield -n;
    }),
  ),
);
conforms('map() that skips', () => map((n: number) => (n % 3 === 0 ? no() : n), { onError: 'skip' }), { reads: 2 });
conforms(
  'filter() with a fallback',
  () => filter((n: number) => (n % 3 === 0 ? no() : true), { onError: fallback(() => false) }),
  { reads: 2 },
);
conforms('flatMap() that skips', () => flatMap((n: number) => (n % 3 === 0 ? no() : [n, n]), { onError: 'skip' }), {
  reads: 16,
});
conforms(
  'map() with dead letters',
  () => map((n: number) => (n % 3 === 0 ? no() : n), { onError: deadLetter(new WritableStream()) }),
  { reads: 2 },
);
conforms('take()', () => take<number>(3));
conforms('take(0)', () => take<number>(0), { reads: 0 });
conforms('drop()', () => drop<number>(3), { reads: 4 });
conforms('takeWhile()', (user) => takeWhile(user((n: number) => n < 5)));
conforms('takeWhile() with the item that ends it', (user) =>
  takeWhile(
    user((n: number) => n < 5),
    { inclusive: true },
  ),
);
conforms('dropWhile()', (user) => dropWhile(user((n: number) => n < 3)), { reads: 4 });
conforms('flatten()', () => flatten<number>(), { input: (index) => [index, index] });
conforms('statefulMap()', (user) =>
  statefulMap({
    start: () => ({ sum: 0 }),
    map: user((state: { sum: number }, n: number) => {
      state.sum += n;
      return state.sum;
    }),
    flush: ({ sum }) => -sum,
  }),
);
conforms('pairwise()', () => pairwise<number>(), { reads: 2 });
conforms('enumerate()', () => enumerate<number>());
conforms('tap()', (user) => tap(user((_n: number) => {})));
conforms('scan()', (user) =>
  scan(
    user((sum: number, n: number) => sum + n),
    0,
  ),
);
conforms('batch() by count', () => batch<number>({ maxItems: 5 }));
conforms('batch() by size', (user) => batch({ maxItems: 4, maxBytes: 9, sizeOf: user((n: number) => n) }));
conforms('batch() by time', () => batch<number>({ maxItems: 5, maxWaitMs: 100 }));
conforms('batch() by time alone', () => batch<number>({ maxWaitMs: 100 }));
conforms('batch() by time and size', (user) =>
  batch({ maxItems: 4, maxBytes: 9, sizeOf: user((n: number) => n), maxWaitMs: 100 }),
);
conforms(
  'partitionBy() of loops',
  (user) =>
    partitionBy(
      user((n: number) => n % 3),
      { maxKeys: 4 },
      (branch) => branch.pipeThrough(map((n) => n + 1)),
    ),
  { reads: 64 },
);
conforms(
  'partitionBy() of nodes',
  (user) =>
    partitionBy(
      user((n: number) => n % 3),
      { maxKeys: 4 },
      (branch) => branch.pipeThrough(mapAsync(later)),
    ),
  { reads: 64, ordered: false },
);
/** Splits and joins are no stages: as the sub-pipeline of one key they are looked at like one. */
const ofOneKey = <O>(build: (branch: Pipeline<number>) => Pipeline<O>): Stage<number, O> =>
  partitionBy(() => 0, { maxKeys: 1 }, build);
const reads = { reads: 64 };
const inAnyOrder = { reads: 64, ordered: false };

conforms(
  'broadcast() and merge()',
  (user) =>
    ofOneKey((branch) => {
      const [one, other] = branch.broadcast(2);
      return merge(one.pipeThrough(map(user((n: number) => -n))), other);
    }),
  inAnyOrder,
);
conforms(
  'broadcast() and zip()',
  (user) =>
    ofOneKey((branch) => {
      const [one, other] = branch.broadcast(2);
      return zip(one.pipeThrough(map(user((n: number) => -n))), other);
    }),
  reads,
);
conforms(
  'broadcast() and interleave()',
  (user) =>
    ofOneKey((branch) => {
      const [one, other] = branch.broadcast(2);
      return interleave(one.pipeThrough(map(user((n: number) => -n))), other);
    }),
  reads,
);
conforms(
  'broadcast() and mergeSorted()',
  (user) =>
    ofOneKey((branch) => {
      const [one, other] = branch.broadcast(2);
      return mergeSorted(one.pipeThrough(map(user((n: number) => n))), other, { by: (n) => n });
    }),
  reads,
);
conforms('concat()', (user) => ofOneKey((branch) => concat(branch.pipeThrough(map(user((n: number) => n))))), reads);
conforms(
  'partition() and merge()',
  (user) => ofOneKey((branch) => merge(...branch.partition(user((n: number) => n % 2 === 0)))),
  inAnyOrder,
);
conforms(
  'route() and merge()',
  (user) =>
    ofOneKey((branch) => {
      const { even, odd } = branch.route({ even: user((n: number) => n % 2 === 0), odd: () => true });
      return merge(even, odd);
    }),
  inAnyOrder,
);
conforms(
  'balance() and merge()',
  (user) => ofOneKey((branch) => merge(...branch.pipeThrough(map(user((n: number) => n))).balance(2))),
  inAnyOrder,
);
conforms(
  'partitionBy() that skips',
  () =>
    partitionBy(
      (n: number) => (n % 3 === 0 ? no() : n % 2),
      { maxKeys: 4, onError: 'skip' },
      (branch) => branch.pipeThrough(map((n) => n + 1)),
    ),
  { reads: 64 },
);
conforms(
  'partitionBy() with dead letters',
  () =>
    partitionBy(
      (n: number) => (n % 3 === 0 ? no() : n % 2),
      { maxKeys: 4, onError: deadLetter(new WritableStream()) },
      (branch) => branch.pipeThrough(mapAsync(later)),
    ),
  { reads: 64, ordered: false },
);
conforms(
  'compose() of steps',
  (user) =>
    compose(
      map((n: number) => n + 1),
      filter(user((n: number) => n % 2 === 0)),
      { name: 'both' },
    ),
  { reads: 2 },
);
conforms('compose() of stages of every kind', (user) =>
  compose(
    batch<number>({ maxItems: 2 }),
    mapAsync(async (items) => items, { concurrency: 2 }),
    compose(
      flatMap((items) => items),
      map(user((n: number) => n * 2)),
    ),
  ),
);
conforms('dedupeConsecutive()', () => dedupeConsecutive<number>(), { input: (index) => index >> 1 });
conforms('dedupeConsecutive() by key', (user) => dedupeConsecutive(user((n: number) => n >> 1)));
// What they gather depends on when the consumer asks; what that is in all does not.
conforms('batchWhileBusy()', () => compose(batchWhileBusy<number>({ maxItems: 4 }), flatMap(same)));
// So does how often its functions are called: the one that counts calls is before it.
conforms('conflate()', (user) =>
  compose(
    map(user((n: number) => n)),
    conflate((sums: number[], n: number) => [...sums, n], { seed: (n: number) => [n] }),
    flatMap(same),
  ),
);
conforms('conflate() that skips', () =>
  compose(
    conflate((sums: number[], n: number) => (n % 3 === 0 ? no() : [...sums, n]), {
      seed: (n: number) => (n % 3 === 0 ? no() : [n]),
      onError: 'skip',
    }),
    flatMap(same),
  ),
);
conforms(
  'mapAsync() by a key that fails',
  () => mapAsync(later, { concurrency: 3, keyBy: (n: number) => (n % 3 === 0 ? no() : n % 2), onError: 'skip' }),
  { reads: 6 },
);
conforms('window() by time of events', (user) =>
  window({ sizeMs: 4, timeMs: user((n: number) => n), keyBy: (n) => n % 2, maxItems: 20 }),
);
conforms('window() by arrival', (user) =>
  compose(
    window({ sizeMs: 50, keyBy: user((n: number) => n % 2), maxItems: 5 }),
    map(({ items }) => items),
  ),
);
conforms('window() that slides and folds', (user) =>
  window({
    sizeMs: 6,
    slideMs: 2,
    timeMs: user((n: number) => n),
    seed: () => 0,
    fold: (sum, n) => sum + n,
  }),
);
conforms('window() of sessions, with late items to a stream', (user) =>
  window({
    gapMs: 3,
    timeMs: user((n: number) => (n % 6 === 5 ? 0 : n * (n % 4))),
    allowedLatenessMs: 2,
    onLate: deadLetter(new WritableStream()),
  }),
);
conforms('window() that skips', () =>
  window({ sizeMs: 4, timeMs: (n: number) => n, keyBy: (n) => (n % 3 === 0 ? no() : n % 2), onError: 'skip' }),
);
conforms('window() with dead letters', () =>
  window({
    sizeMs: 4,
    timeMs: (n: number) => (n % 3 === 0 ? no() : n),
    onError: deadLetter(new WritableStream()),
  }),
);
conforms('dedupe()', (user) => dedupe({ key: user((n: number) => n % 5), maxKeys: 3 }));
conforms('dedupe() that forgets', (user) => dedupe({ key: user((n: number) => n >> 1), ttlMs: 100 }));
conforms('mapAsync()', (user) => mapAsync(user(later)));
conforms('mapAsync() of 4', (user) => mapAsync(user(later), { concurrency: 4 }));
conforms('mapAsync() of 4 with an edge', (user) => mapAsync(user(later), { concurrency: 4, highWaterMark: 3 }));
conforms('mapAsync() out of order', (user) => mapAsync(user(later), { concurrency: 4, ordered: false }), {
  ordered: false,
});
conforms('mapAsync() by key', (user) => mapAsync(user(later), { concurrency: 3, keyBy: (n) => n % 3 }));
conforms('mapAsync() by key with room', (user) =>
  mapAsync(user(later), { concurrency: 2, keyBy: (n) => n % 2, highWaterMark: 4 }),
);
conforms(
  'mapAsync() by key out of order',
  // Calls that run past others are not in the order of their items; those of the key are.
  (user) => mapAsync(later, { concurrency: 3, ordered: false, keyBy: user((n: number) => n % 2), highWaterMark: 2 }),
  { ordered: false },
);
conforms('mapAsync() by a key that the user finds', (user) =>
  mapAsync(later, { concurrency: 3, keyBy: user((n: number) => n % 2), highWaterMark: 2 }),
);
conforms('mapAsync() that answers at once', (user) =>
  mapAsync(
    user((n: number) => n + 1),
    { concurrency: 2 },
  ),
);
conforms('mapAsync() with retry and a time limit', (user) =>
  mapAsync(user(later), {
    concurrency: 3,
    retry: { attempts: 2, backoffMs: 1, when: () => false },
    timeoutMs: 60_000,
  }),
);
conforms('mapAsync() one at a time, with retry', (user) =>
  mapAsync(user(later), { retry: { attempts: 2, backoffMs: 1, when: () => false } }),
);
conforms(
  'mapAsync() that skips, unordered',
  () =>
    mapAsync(
      async (n: number) => {
        if (n % 3 === 0) throw new Error('no');
        return n;
      },
      { concurrency: 3, ordered: false, onError: 'skip' },
    ),
  { reads: 6 },
);
conforms('bufferUnordered()', (): Stage<() => Promise<number>, number> => bufferUnordered(3), {
  input: (index) => () => later(index),
  ordered: false,
});
conforms('cached()', (user) => cached(user(later), { concurrency: 2 }));
conforms('buffer()', () => buffer<number>(4));
conforms('buffer() by size', () => buffer<number>(4, { size: (n) => n % 3 }), { reads: 4 });
conforms('mapAsync() with an edge by size', (user) =>
  mapAsync(user(later), { concurrency: 2, highWaterMark: 4, size: (n: number) => n % 3 }),
);
conforms('buffer() that drops the oldest', () => buffer<number>(20, { overflow: 'drop-oldest' }), { reads: 12 });
conforms('buffer() that drops the newest', () => buffer<number>(20, { overflow: 'drop-newest' }), { reads: 12 });
conforms('buffer() that fails', () => buffer<number>(20, { overflow: 'fail' }), { reads: 12 });
conforms('debounce()', () => debounce<number>({ waitMs: 100 }), { reads: 12 });
conforms('debounce() with a limit', () => debounce<number>({ waitMs: 100, maxWaitMs: 150 }), { reads: 12 });
conforms('throttle()', () => throttle<number>({ intervalMs: 100 }), { reads: 12 });
conforms('throttle() with the last', () => throttle<number>({ intervalMs: 100, trailing: true }), { reads: 12 });
conforms(
  'throttle() with the last alone',
  () => throttle<number>({ intervalMs: 100, leading: false, trailing: true }),
  {
    reads: 12,
  },
);
conforms('sample()', () => sample<number>({ intervalMs: 100 }), { reads: 12 });
conforms('delay()', () => delay<number>({ delayMs: 100 }));
conforms('delay() of 3', () => delay<number>({ delayMs: 100, maxItems: 3 }));
conforms('rateLimit()', () => rateLimit<number>({ limit: 10, intervalMs: 100 }));
conforms('rateLimit() by cost', (user) =>
  rateLimit<number>({ limit: 10, intervalMs: 100, burst: 4 }, { cost: user((n: number) => n % 7) }),
);
conforms('rateLimit() that skips', () =>
  rateLimit<number>(
    { limit: 10, intervalMs: 100, burst: 4 },
    { cost: (n) => (n % 3 === 0 ? no() : 1), onError: 'skip' },
  ),
);
conforms('rateLimit() with dead letters', () =>
  rateLimit<number>(
    { limit: 10, intervalMs: 100, burst: 4 },
    { cost: (n) => (n % 3 === 0 ? no() : 1), onError: deadLetter(new WritableStream()) },
  ),
);
conforms('rateLimit() with an edge', () => rateLimit<number>({ limit: 10, intervalMs: 100 }, { highWaterMark: 3 }));
