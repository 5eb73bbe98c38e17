import {
  batch,
  batchWhileBusy,
  buffer,
  bufferUnordered,
  cached,
  channel,
  concat,
  conflate,
  debounce,
  dedupe,
  dedupeConsecutive,
  delay,
  drop,
  dropWhile,
  enumerate,
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

/** Gives so many numbers from 0 on, as one more input. */
export type Numbers = (items: number) => Pipeline<number>;

/** A pipeline with one stage that is looked at, of about `items` numbers. */
export type StageProgram = (numbers: Numbers, items: number) => Pipeline<unknown>;

const after =
  (through: (input: Pipeline<number>, items: number) => Pipeline<unknown>): StageProgram =>
  (numbers, items) =>
    through(numbers(items), items);

const joined =
  (join: (first: Pipeline<number>, second: Pipeline<number>) => Pipeline<unknown>): StageProgram =>
  (numbers, items) =>
    join(numbers(items / 2), numbers(items / 2));

const later = async (n: number): Promise<number> => n;
const timeMs = (n: number): number => n;
/** Numbers in no order, as many as items, of which none comes twice soon. */
const keyOf = (n: number): number => (n * 7919) % 1_000_003;
const isEven = (n: number): boolean => n % 2 === 0;

/** Each stage that has items pass through it, so that none of it should grow with their number. */
export const EVERY_STAGE: Readonly<Record<string, StageProgram>> = {
  map: after((p) => p.pipeThrough(map((n) => n + 1))),
  filter: after((p) => p.pipeThrough(filter(isEven))),
  filterMap: after((p) => p.pipeThrough(filterMap((n) => (isEven(n) ? n : undefined)))),
  tap: after((p) => p.pipeThrough(tap(() => {}))),
  take: after((p, items) => p.pipeThrough(take(items))),
  drop: after((p) => p.pipeThrough(drop(1))),
  takeWhile: after((p) => p.pipeThrough(takeWhile((n) => n >= 0))),
  dropWhile: after((p) => p.pipeThrough(dropWhile((n) => n < 1))),
  flatMap: (numbers, items) => numbers(items / 100).pipeThrough(flatMap((n) => Array.from({ length: 100 }, () => n))),
  flatten: (numbers, items) =>
    numbers(items / 100)
      .pipeThrough(map((n) => Array.from({ length: 100 }, () => n)))
      .pipeThrough(flatten()),
  scan: after((p) => p.pipeThrough(scan((sum: number, n) => (sum + n) % 1_000, 0))),
  statefulMap: after((p) =>
    p.pipeThrough(
      statefulMap({ start: () => ({ sum: 0 }), map: (total, n: number) => (total.sum = (total.sum + n) % 9) }),
    ),
  ),
  pairwise: after((p) => p.pipeThrough(pairwise())),
  enumerate: after((p) => p.pipeThrough(enumerate())),
  dedupeConsecutive: after((p) => p.pipeThrough(dedupeConsecutive((n) => n >> 1))),
  dedupe: after((p) => p.pipeThrough(dedupe({ key: keyOf, maxKeys: 1_000 }))),
  'dedupe-ttl': after((p) => p.pipeThrough(dedupe({ key: keyOf, maxKeys: 1_000, ttlMs: 10 }))),
  batch: after((p) => p.pipeThrough(batch({ maxItems: 100 }))),
  'batch-bytes': after((p) => p.pipeThrough(batch({ maxBytes: 1_000, sizeOf: () => 8 }))),
  'batch-time': after((p) => p.pipeThrough(batch({ maxItems: 100, maxWaitMs: 10 }))),
  conflate: after((p) => p.pipeThrough(conflate((_, n: number) => n))),
  batchWhileBusy: after((p) => p.pipeThrough(batchWhileBusy({ maxItems: 100 }))),
  'window-tumbling': after((p) => p.pipeThrough(window({ sizeMs: 100, timeMs }))),
  'window-sliding': after((p) => p.pipeThrough(window({ sizeMs: 100, slideMs: 50, timeMs }))),
  'window-session': after((p) => p.pipeThrough(window({ gapMs: 10, timeMs: (n) => n + Math.floor(n / 100) * 20 }))),
  'window-arrival': after((p) =>
    p.pipeThrough(window({ sizeMs: 1, seed: () => 0, fold: (sum: number, n) => (sum + n) % 9 })),
  ),
  cached: after((p) => p.pipeThrough(cached(later, { key: keyOf, maxEntries: 1_000, concurrency: 16 }))),
  mapAsync: after((p) => p.pipeThrough(mapAsync(later, { concurrency: 16 }))),
  'mapAsync-unordered': after((p) => p.pipeThrough(mapAsync(later, { concurrency: 16, ordered: false }))),
  'mapAsync-keyBy': after((p) => p.pipeThrough(mapAsync(later, { concurrency: 16, keyBy: (n) => n % 100 }))),
  bufferUnordered: after((p) => p.pipeThrough(map((n) => () => later(n))).pipeThrough(bufferUnordered(16))),
  channel: after((p) => {
    const { sender, receiver } = channel<number>(50);
    void p.run((n) => sender.send(n)).finished.then(() => sender.close());
    return receiver;
  }),
  buffer: after((p) => p.pipeThrough(buffer(100))),
  'buffer-drop-oldest': after((p) => p.pipeThrough(buffer(100, { overflow: 'drop-oldest' }))),
  debounce: after((p) => p.pipeThrough(debounce({ waitMs: 1 }))),
  throttle: after((p) => p.pipeThrough(throttle({ intervalMs: 1, trailing: true }))),
  sample: after((p) => p.pipeThrough(sample({ intervalMs: 1 }))),
  delay: after((p) => p.pipeThrough(delay({ delayMs: 1, maxItems: 10_000 }))),
  rateLimit: after((p) => p.pipeThrough(rateLimit({ limit: 1_000_000, intervalMs: 1, burst: 1_000_000 }))),
  merge: joined((first, second) => merge(first, second)),
  zip: joined((first, second) => zip(first, second)),
  concat: joined((first, second) => concat(first, second)),
  interleave: joined((first, second) => interleave(first, second)),
  mergeSorted: joined((first, second) => mergeSorted(first, second, { by: (n) => n, highWaterMark: 16 })),
  broadcast: after((p) => merge(...p.broadcast(2, { highWaterMark: 16 }))),
  route: after((p) => {
    const { even, odd } = p.route({ even: isEven, odd: () => true }, { highWaterMark: 16 });
    return merge(even, odd);
  }),
  partition: after((p) => merge(...p.partition(isEven, { highWaterMark: 16 }))),
  balance: after((p) => merge(...p.balance(3, { highWaterMark: 16 }))),
  partitionBy: after((p) =>
    p.pipeThrough(
      partitionBy(
        (n) => n % 1_000,
        { maxKeys: 1_000 },
        (key) => key.pipeThrough(map((n) => n + 1)),
      ),
    ),
  ),
  'partitionBy-evict': after((p) =>
    p.pipeThrough(
      partitionBy(
        (n) => n >> 3,
        { maxKeys: 1_000 },
        (key) => key.pipeThrough(mapAsync(later)).pipeThrough(batch({ maxItems: 8 })),
      ),
    ),
  ),
};
