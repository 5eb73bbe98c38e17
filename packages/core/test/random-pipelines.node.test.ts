import {
  batch,
  buffer,
  filter,
  flatMap,
  map,
  mapAsync,
  type Pipeline,
  type RunOptions,
  type RunSummary,
  range,
  type Sink,
  scan,
  take,
} from '@millrace/core';
import { source } from '@millrace/core/authoring';
import { sinkProbe, virtualClock } from '@millrace/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';

// Random linear pipelines against a model of arrays. A failure prints the seed and the path that repeat it.

interface Kind {
  readonly add: (numbers: Pipeline<number>) => Pipeline<number>;
  readonly model: (numbers: number[]) => number[];
}

const edge = fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined });
const withEdge = (highWaterMark: number | undefined) => (highWaterMark === undefined ? {} : { highWaterMark });

const mapped = edge.map((mark) => ({
  text: `map ${mark}`,
  add: (p: Pipeline<number>) => p.pipeThrough(map((n) => n + 1, withEdge(mark))),
  model: (a: number[]) => a.map((n) => n + 1),
}));
const mappedAsync = fc.tuple(fc.integer({ min: 1, max: 5 }), edge).map(([concurrency, mark]) => ({
  text: `mapAsync ${concurrency} ${mark}`,
  add: (p: Pipeline<number>) =>
    p.pipeThrough(mapAsync((n: number) => (n % 3 === 0 ? n : Promise.resolve(n)), { concurrency, ...withEdge(mark) })),
  model: (a: number[]) => a,
}));
const buffered = fc.integer({ min: 1, max: 7 }).map((items) => ({
  text: `buffer ${items}`,
  add: (p: Pipeline<number>) => p.pipeThrough(buffer(items)),
  model: (a: number[]) => a,
}));
const others = fc.oneof(
  fc.constant({
    text: 'filter',
    add: (p: Pipeline<number>) => p.pipeThrough(filter((n) => n % 3 !== 0)),
    model: (a: number[]) => a.filter((n) => n % 3 !== 0),
  }),
  fc.constant({
    text: 'scan',
    add: (p: Pipeline<number>) => p.pipeThrough(scan((sum, n: number) => (sum + n) % 1000, 0)),
    model: (a: number[]) => {
      let sum = 0;
      return a.map((n) => (sum = (sum + n) % 1000));
    },
  }),
  fc.integer({ min: 0, max: 20 }).map((items) => ({
    text: `take ${items}`,
    add: (p: Pipeline<number>) => p.pipeThrough(take(items)),
    model: (a: number[]) => a.slice(0, items),
  })),
  fc.tuple(fc.integer({ min: 1, max: 6 }), edge).map(([maxItems, mark]) => ({
    text: `batch ${maxItems} ${mark}, flatMap`,
    add: (p: Pipeline<number>) =>
      p
        .pipeThrough(batch<number>({ maxItems, ...withEdge(mark) }))
        .pipeThrough(flatMap((items) => [...items, items.length])),
    model: (a: number[]) =>
      Array.from({ length: Math.ceil(a.length / maxItems) }, (_, at) =>
        a.slice(at * maxItems, (at + 1) * maxItems),
      ).flatMap((items) => [...items, items.length]),
  })),
  fc.constant({
    text: 'batch, map',
    add: (p: Pipeline<number>) =>
      p.pipeThrough(batch<number>({ maxItems: 3 })).pipeThrough(map((items) => items.length)),
    model: (a: number[]) => Array.from({ length: Math.ceil(a.length / 3) }, (_, at) => Math.min(3, a.length - at * 3)),
  }),
);

const build = (numbers: Pipeline<number>, kinds: readonly Kind[]): Pipeline<number> =>
  kinds.reduce((pipeline, kind) => kind.add(pipeline), numbers);

/** A source with all it is asked for at hand, now or by a promise. */
const numbersOf = (items: number, isLater: boolean): Pipeline<number> =>
  source<number>({
    name: 'numbers',
    open() {
      let next = 0;
      const take = (max: number): number[] | undefined => {
        const count = Math.min(max, items - next, 1000);
        return count === 0 ? undefined : Array.from({ length: count }, () => next++);
      };
      return { read: (max) => (isLater ? Promise.resolve(take(max)) : take(max)), close() {} };
    },
  });

const ways: readonly RunOptions[] = [{}, { fuse: false }, { generate: false }, { fuse: false, generate: false }];
const seed = Number(process.env['MILLRACE_SEED'] ?? 20261122);

test('random pipelines give what a model of arrays gives, in balance and within their bound', async () => {
  const kinds = fc.array(fc.oneof(mapped, mappedAsync, buffered, others), { maxLength: 7 });
  await fc.assert(
    fc.asyncProperty(
      kinds,
      fc.integer({ min: 0, max: 60 }),
      fc.constantFrom('loop', 'now', 'later'),
      async (made, items, from) => {
        const numbers = from === 'loop' ? range(0, items) : numbersOf(items, from === 'later');
        const expected = made.reduce(
          (all, kind) => kind.model(all),
          Array.from({ length: items }, (_, n) => n),
        );
        for (const options of ways) {
          const seen: number[] = [];
          const run = build(numbers, made).run((n) => void seen.push(n), options);
          const summary = await run.finished;
          expect(seen).toEqual(expected);
          expect(summary.balanced).toBe(true);
          expect(run.inFlight).toBe(0);
          expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
        }
      },
    ),
    { seed, numRuns: 150 },
  );
});

/** A sink that takes an item at a time when it is told to: one that has an edge, or a function. */
function stalling(highWaterMark: number | undefined): {
  sink: Sink<number> | (() => Promise<void>);
  take(items: number): Promise<unknown>;
} {
  if (highWaterMark !== undefined) return sinkProbe<number>({ highWaterMark });
  let release: (() => void) | undefined;
  const sink = (): Promise<void> =>
    new Promise((resolve) => {
      release = resolve;
    });
  const { settle } = virtualClock();
  return {
    sink,
    async take(items) {
      for (let taken = 0; taken < items; taken++) {
        release?.();
        await settle();
      }
    },
  };
}

test('random pipelines hold exactly their bound when the sink stalls, where all stages are steps, mapAsync or buffer', async () => {
  const kinds = fc.array(fc.oneof(mapped, mappedAsync, buffered), { maxLength: 6 });
  const sinks = fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined, freq: 2 });
  await fc.assert(
    fc.asyncProperty(kinds, sinks, fc.boolean(), async (made, highWaterMark, isLater) => {
      const clock = virtualClock();
      const probe = stalling(highWaterMark);
      const run = build(numbersOf(1000, isLater), made).run(probe.sink, { clock });
      run.finished.catch(() => {});
      await clock.settle();
      const { bound } = run.explain();
      expect(run.inFlight).toBe(bound);
      await probe.take(3);
      await clock.settle();
      expect(run.inFlight).toBe(bound);
      run.abort('enough');
      await run.finished.catch(() => {});
      expect(run.inFlight).toBe(0);
    }),
    { seed, numRuns: 100 },
  );
});

test('random pipelines balance and stay within their bound, however they end', async () => {
  const kinds = fc.array(fc.oneof(mapped, mappedAsync, buffered, others), { maxLength: 7 });
  const ends = fc.constantFrom('well', 'throws', 'rejects', 'aborts');
  const where = fc.record({
    ending: ends,
    at: fc.integer({ min: 0, max: 20 }),
    /** The sink waits for every so many items. */
    waits: fc.integer({ min: 1, max: 3 }),
    way: fc.constantFrom(...ways),
    isLater: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(kinds, fc.integer({ min: 0, max: 300 }), where, async (made, items, how) => {
      const { ending, at, waits, way, isLater } = how;
      let summary: RunSummary | undefined;
      const observer = {
        ended: (told: RunSummary) => {
          summary = told;
        },
      };
      const run = build(numbersOf(items, isLater), made).run(
        (_item, index) => {
          if (index === at && ending === 'aborts') run.abort('enough');
          if (index === at && ending === 'throws') throw new Error('no');
          if (index === at && ending === 'rejects') return Promise.reject(new Error('no'));
          return index % waits === 0 ? Promise.resolve() : undefined;
        },
        { ...way, observer },
      );
      const { bound } = run.explain();
      await run.finished.catch(() => {});
      expect(run.inFlight).toBe(0);
      expect(summary?.balanced).toBe(true);
      expect(summary?.inFlightMax).toBeLessThanOrEqual(bound);
    }),
    { seed, numRuns: 300 },
  );
});
