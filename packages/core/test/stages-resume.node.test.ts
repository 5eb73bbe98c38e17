import * as core from '@millrace/core';
import {
  batch,
  batchWhileBusy,
  buffer,
  bufferUnordered,
  type Checkpoint,
  type Checkpointer,
  cached,
  compose,
  conflate,
  debounce,
  dedupe,
  dedupeConsecutive,
  delay,
  distinctUntilChanged,
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
  type RunOptions,
  range,
  rateLimit,
  type Sink,
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
import { source } from '@millrace/core/authoring';
import { virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';

const no = (): never => {
  throw new Error('no');
};

type Chain = (numbers: Pipeline<number>) => Pipeline<unknown>;

/** Stages that give the same, however often the run was ended and gone on with. */
const SAME: Readonly<Record<string, Chain>> = {
  buffer: (p) => p.pipeThrough(buffer(3)),
  bufferUnordered: (p) => p.pipeThrough(map((n) => () => Promise.resolve(n))).pipeThrough(bufferUnordered(1)),
  cached: (p) => p.pipeThrough(cached(async (n: number) => n * 2, { maxEntries: 3 })),
  compose: (p) =>
    p.pipeThrough(
      compose(
        map((n: number) => n + 1),
        scan((sum: number, n: number) => sum + n, 0),
      ),
    ),
  dedupe: (p) => p.pipeThrough(dedupe({ key: (n) => n % 7, maxKeys: 5 })),
  dedupeConsecutive: (p) => p.pipeThrough(dedupeConsecutive((n) => n >> 2)),
  distinctUntilChanged: (p) => p.pipeThrough(distinctUntilChanged((n) => n >> 2)),
  drop: (p) => p.pipeThrough(drop(11)),
  dropWhile: (p) => p.pipeThrough(dropWhile((n) => n % 10 !== 9)),
  enumerate: (p) => p.pipeThrough(filter((n) => n % 2 === 0)).pipeThrough(enumerate()),
  filter: (p) => p.pipeThrough(filter((n) => n % 3 !== 0)),
  filterMap: (p) => p.pipeThrough(filterMap((n, index) => (n % 3 === 0 ? undefined : n + index))),
  flatMap: (p) => p.pipeThrough(flatMap((n, index) => [n, index])),
  flatten: (p) => p.pipeThrough(map((n) => [n, -n])).pipeThrough(flatten()),
  map: (p) => p.pipeThrough(map((n, index) => n + index)),
  mapAsync: (p) => p.pipeThrough(mapAsync(async (n: number, { index }) => n + index, { concurrency: 3 })),
  pairwise: (p) => p.pipeThrough(pairwise()),
  scan: (p) => p.pipeThrough(scan((sum: number, n: number) => sum + n, 0)),
  statefulMap: (p) =>
    p.pipeThrough(
      statefulMap({ start: () => ({ sum: 0 }), map: (state, n: number) => (state.sum += n), flush: () => undefined }),
    ),
  take: (p) => p.pipeThrough(take(17)),
  takeWhile: (p) => p.pipeThrough(takeWhile((n) => n % 20 !== 19)),
  tap: (p) => p.pipeThrough(tap(() => {})),
  window: (p) => p.pipeThrough(window({ sizeMs: 5, timeMs: (n: number) => n })),
  'window, that leaves items out': (p) =>
    p.pipeThrough(window({ sizeMs: 5, timeMs: (n: number) => (n % 7 === 3 ? no() : n), onError: 'skip' })),
  'window, folded': (p) =>
    p.pipeThrough(
      window({
        gapMs: 2,
        timeMs: (n: number) => n,
        keyBy: (n) => n % 3,
        seed: () => 0,
        fold: (sum: number, n) => sum + n,
        combine: (a, b) => a + b,
      }),
    ),
};

/** Those whose state has no way into a checkpoint. */
const REFUSED: Readonly<Record<string, Chain>> = {
  zip: (p) => zip(p, range(0, 9)),
  interleave: (p) => interleave(p, range(0, 9)),
  mergeSorted: (p) => mergeSorted(p, range(0, 9), { by: (n) => n }),
  partitionBy: (p) =>
    p.pipeThrough(
      partitionBy(
        (n) => n % 3,
        { maxKeys: 3 },
        (numbers) => numbers.pipeThrough(enumerate()),
      ),
    ),
};

/** Those of which the branches go on, joined again: what comes before a barrier is the same, in some order. */
const PARTED: Readonly<Record<string, Chain>> = {
  partition: (p) => {
    const [yes, no] = p.partition((_n, index) => index % 3 === 0);
    return merge(yes.pipeThrough(map((n) => n * 100)), no);
  },
  'route, that leaves items out': (p) => {
    const { first, rest } = p.route(
      { first: (n) => (n % 7 === 3 ? no() : n < 20), rest: () => true },
      { onError: 'skip' },
    );
    return merge(first.pipeThrough(map((n) => n * 100)), rest);
  },
  route: (p) => {
    const { first, rest } = p.route({ first: (_n, index) => index < 20, rest: () => true });
    return merge(first.pipeThrough(map((n) => n * 100)), rest);
  },
};

/** Those whose items depend on when they came, or are cut at barriers: here they come all at once, in a time that stands still. */
const BY_TIME: Readonly<Record<string, Chain>> = {
  batch: (p) => p.pipeThrough(batch({ maxItems: 3 })),
  batchWhileBusy: (p) => p.pipeThrough(batchWhileBusy({ maxItems: 3 })),
  conflate: (p) => p.pipeThrough(conflate((_last: number, n: number) => n)),
  debounce: (p) => p.pipeThrough(debounce({ waitMs: 10 })),
  delay: (p) => p.pipeThrough(delay({ delayMs: 1 })),
  rateLimit: (p) => p.pipeThrough(rateLimit({ limit: 1, intervalMs: 1 })),
  sample: (p) => p.pipeThrough(sample({ intervalMs: 10 })),
  throttle: (p) => p.pipeThrough(throttle({ intervalMs: 10 })),
};

/** What core exports besides: sources, joins, classes and what goes into options. */
const OTHERS = [
  ...['from', 'fromEvents', 'fromReader', 'generate', 'interval', 'range', 'channel'],
  ...['merge', 'concat'],
  ...['deadLetter', 'fallback', 'rateBudget', 'runAll', 'stopOnSignals'],
];

/** Numbers that take their time. */
const numbersOf = (items: number): Pipeline<number> =>
  source<number>({
    name: 'numbers',
    open() {
      let next = 0;
      return {
        async read(max) {
          const count = Math.min(max, 3, items - next);
          return count === 0 ? undefined : Array.from({ length: count }, () => next++);
        },
        close() {},
        position: () => next,
        resume(position) {
          next = position as number;
        },
      };
    },
  });

const ITEMS = 40;
const sources: Readonly<Record<string, () => Pipeline<number>>> = {
  loop: () => range(0, ITEMS),
  reader: () => numbersOf(ITEMS),
};
const ways: readonly RunOptions[] = [{}, { fuse: false }, { generate: false }, { context: true }];

interface Ran {
  readonly seen: unknown[];
  /** How much had been seen at each checkpoint, but the last. */
  readonly at: number[];
  readonly all: Checkpoint[];
}

async function ran(job: Pipeline<unknown>, options: RunOptions, last?: Checkpoint): Promise<Ran> {
  const seen: unknown[] = [];
  const at: number[] = [];
  const all: Checkpoint[] = [];
  const checkpoint: Checkpointer = {
    everyItems: 4,
    load: () => structuredClone(last),
    save: (next) => void all.push(structuredClone(next)),
  };
  const sink: Sink<unknown> = {
    open: () => ({ write: (items) => void seen.push(...items), flush: () => void at.push(seen.length) }),
  };
  const clock = virtualClock();
  const run = job.run(sink, { ...options, checkpoint, clock, observer: { warned() {} } });
  let isOver = false;
  const over = run.finished.finally(() => {
    isOver = true;
  });
  await clock.settle();
  while (!isOver) await clock.advance(1);
  expect(await over).toMatchObject({ balanced: true });
  return { seen, at, all };
}

test.each(Object.keys(SAME))('%s() goes on from each of its checkpoints as if it had never ended', async (name) => {
  const stage = SAME[name] as Chain;
  for (const build of Object.values(sources)) {
    for (const options of ways) {
      const whole = await stage(build()).toArray();
      const first = await ran(stage(build()), options);
      expect(first.seen).toEqual(whole);
      for (const [number, checkpoint] of first.all.entries()) {
        const before = first.seen.slice(0, first.at[number]);
        const { seen } = await ran(stage(build()), options, checkpoint);
        expect([name, number, ...before, ...seen]).toEqual([name, number, ...whole]);
      }
    }
  }
});

test.each(Object.keys(PARTED))(
  '%s() goes on from each of its checkpoints with the index of each item',
  async (name) => {
    const stage = PARTED[name] as Chain;
    const sorted = (numbers: readonly unknown[]): unknown[] => [...numbers].sort((a, b) => Number(a) - Number(b));
    for (const build of Object.values(sources)) {
      const whole = sorted(await stage(build()).toArray());
      const first = await ran(stage(build()), {});
      for (const [number, checkpoint] of first.all.entries()) {
        const before = first.seen.slice(0, first.at[number]);
        const { seen } = await ran(stage(build()), {}, checkpoint);
        expect([number, ...sorted([...before, ...seen])]).toEqual([number, ...whole]);
      }
    }
  },
);

test.each(Object.keys(BY_TIME))('%s() goes on from each of its checkpoints, and ends', async (name) => {
  const stage = BY_TIME[name] as Chain;
  for (const build of Object.values(sources)) {
    const first = await ran(stage(build()), {});
    for (const checkpoint of first.all) await ran(stage(build()), {}, checkpoint);
    expect(first.all.length).toBeGreaterThan(0);
  }
});

test.each(Object.keys(REFUSED))('%s() is refused under a checkpoint', (name) => {
  const job = (REFUSED[name] as Chain)(range(0, 9));
  const checkpoint: Checkpointer = { load: () => undefined, save() {} };
  expect(() => job.run(() => {}, { checkpoint })).toThrow(expect.objectContaining({ code: 'ERR_CORE_CHECKPOINT' }));
});

test('every stage that core exports is tried here', () => {
  const functions = Object.entries(core).flatMap(([name, value]) => (typeof value === 'function' ? [name] : []));
  const stages = functions.filter((name) => !/^[A-Z]/.test(name) && !OTHERS.includes(name));
  expect(stages.filter((name) => ![SAME, BY_TIME, REFUSED].some((tried) => name in tried))).toEqual([]);
});
