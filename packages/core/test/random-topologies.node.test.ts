import {
  batch,
  buffer,
  type Delivery,
  filter,
  flatMap,
  map,
  mapAsync,
  merge,
  type Pipeline,
  type RunOptions,
  type RunSummary,
  range,
  runAll,
  StageError,
  take,
} from '@millrace/core';
import { source } from '@millrace/core/authoring';
import { sinkProbe, virtualClock } from '@millrace/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';

// Random graphs of merges, broadcasts and stages against a model of arrays, whose order says nothing. A failure prints
// the seed and the path that repeat it.

interface Made {
  readonly text: string;
  /** Made anew for each run: a branch is used once. */
  build(): Pipeline<number>;
  readonly model: number[];
}

interface Step {
  readonly text: string;
  add(numbers: Pipeline<number>): Pipeline<number>;
  model(numbers: number[]): number[];
}

const small = fc.integer({ min: 1, max: 4 });

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.constant<Step>({
    text: 'map',
    add: (p) => p.pipeThrough(map((n) => n + 1)),
    model: (a) => a.map((n) => n + 1),
  }),
  fc.constant<Step>({
    text: 'filter',
    add: (p) => p.pipeThrough(filter((n) => n % 3 !== 0)),
    model: (a) => a.filter((n) => n % 3 !== 0),
  }),
  fc.constant<Step>({
    text: 'flatMap',
    add: (p) => p.pipeThrough(flatMap((n) => [n, n + 7])),
    model: (a) => a.flatMap((n) => [n, n + 7]),
  }),
  small.map<Step>((items) => ({ text: `buffer ${items}`, add: (p) => p.pipeThrough(buffer(items)), model: (a) => a })),
  fc.tuple(small, fc.boolean()).map<Step>(([concurrency, ordered]) => ({
    text: `mapAsync ${concurrency} ${ordered}`,
    add: (p) =>
      p.pipeThrough(mapAsync((n: number) => (n % 2 === 0 ? n : Promise.resolve(n)), { concurrency, ordered })),
    model: (a) => a,
  })),
  small.map<Step>((maxItems) => ({
    text: `batch ${maxItems}`,
    add: (p) => p.pipeThrough(batch<number>({ maxItems })).pipeThrough(flatMap((items) => items)),
    model: (a) => a,
  })),
);

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

const { graph } = fc.letrec<{ graph: Made }>((tie) => ({
  graph: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.tuple(fc.integer({ min: 0, max: 30 }), fc.constantFrom('loop', 'now', 'later')).map<Made>(([items, kind]) => ({
      text: `${kind} ${items}`,
      build: () => (kind === 'loop' ? range(0, items) : numbersOf(items, kind === 'later')),
      model: Array.from({ length: items }, (_, n) => n),
    })),
    fc.tuple(tie('graph'), steps).map<Made>(([before, step]) => ({
      text: `${before.text} → ${step.text}`,
      build: () => step.add(before.build()),
      model: step.model(before.model),
    })),
    fc.tuple(fc.array(tie('graph'), { minLength: 1, maxLength: 3 }), small).map<Made>(([inputs, highWaterMark]) => ({
      text: `merge ${highWaterMark} (${inputs.map(({ text }) => text).join(', ')})`,
      build: () => merge(...inputs.map((input) => input.build()), { highWaterMark }),
      model: inputs.flatMap(({ model }) => model),
    })),
    fc
      .tuple(
        tie('graph'),
        fc.array(fc.array(steps, { maxLength: 2 }), { minLength: 2, maxLength: 3 }),
        fc.integer({ min: 0, max: 3 }),
      )
      .map<Made>(([before, branches, highWaterMark]) => ({
        text: `${before.text} → diamond ${highWaterMark} (${branches.map((branch) => branch.map(({ text }) => text).join(' → ')).join(', ')})`,
        build() {
          const copies = before.build().broadcast(branches.length, { highWaterMark });
          return merge(
            ...branches.map((branch, at) =>
              branch.reduce<Pipeline<number>>((p, step) => step.add(p), copies[at] as Pipeline<number>),
            ),
          );
        },
        model: branches.flatMap((branch) => branch.reduce((a, step) => step.model(a), before.model)),
      })),
  ),
}));

const inOrder = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);
const ways: readonly RunOptions[] = [{}, { fuse: false }, { generate: false }];
const seed = Number(process.env['MILLRACE_SEED'] ?? 20261122);
const quiet = { warned: () => {} };

test('random topologies give what a model of arrays gives, in balance and within their bound', async () => {
  await fc.assert(
    fc.asyncProperty(graph, fc.constantFrom(...ways), async (made, options) => {
      const seen: number[] = [];
      const run = made.build().run((n) => void seen.push(n), { ...options, observer: quiet });
      const summary = await run.finished;
      expect(inOrder(seen)).toEqual(inOrder(made.model));
      expect(summary.balanced).toBe(true);
      expect(run.inFlight).toBe(0);
      expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
    }),
    { seed, numRuns: 300 },
  );
});

test('random topologies with several sinks, of which some end early, are in balance and within their bound', async () => {
  const sinks = fc.array(fc.tuple(fc.array(steps, { maxLength: 2 }), fc.option(fc.integer({ min: 0, max: 10 }))), {
    minLength: 1,
    maxLength: 3,
  });
  await fc.assert(
    fc.asyncProperty(graph, sinks, fc.integer({ min: 0, max: 2 }), async (made, branches, highWaterMark) => {
      const seen: number[][] = branches.map(() => []);
      const copies = made.build().broadcast(branches.length, { highWaterMark });
      const deliveries = branches.map(([added, most], at): Delivery => {
        const pipeline = added.reduce<Pipeline<number>>((p, step) => step.add(p), copies[at] as Pipeline<number>);
        const numbers = seen[at] as number[];
        const some = most === null ? pipeline : pipeline.pipeThrough(take(most));
        return at % 2 === 0 ? some.into((n) => void numbers.push(n)) : some.into(async (n) => void numbers.push(n));
      });
      const run = runAll(...deliveries, { observer: quiet });
      const summary = await run.finished;
      branches.forEach(([added, most], at) => {
        const all = added.reduce((a, step) => step.model(a), made.model);
        if (most === null) expect(inOrder(seen[at] as number[])).toEqual(inOrder(all));
        else expect(seen[at]).toHaveLength(Math.min(most, all.length));
      });
      expect([summary.balanced, run.inFlight]).toEqual([true, 0]);
      expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
    }),
    { seed, numRuns: 100 },
  );
});

test('random topologies hold at most their bound while the sink stalls, and nothing when they were aborted', async () => {
  await fc.assert(
    fc.asyncProperty(
      graph,
      fc.integer({ min: 0, max: 5 }),
      fc.integer({ min: 0, max: 9 }),
      async (made, mark, taken) => {
        const clock = virtualClock();
        const probe = sinkProbe<number>({ highWaterMark: mark });
        let summary: RunSummary | undefined;
        const observer = {
          ...quiet,
          ended: (end: RunSummary) => {
            summary = end;
          },
        };
        const run = made.build().run(probe.sink, { clock, observer });
        run.finished.catch(() => {});
        const { bound } = run.explain();
        for (let at = 0; at <= taken; at++) {
          await clock.settle();
          expect(run.inFlight).toBeLessThanOrEqual(bound);
          void probe.take(1);
        }
        run.abort('enough');
        await run.finished.catch(() => {});
        expect([run.inFlight, summary?.balanced]).toEqual([0, true]);
        expect(summary?.inFlightMax).toBeLessThanOrEqual(bound);
      },
    ),
    { seed, numRuns: 150 },
  );
});

test('random topologies that fail anywhere are in balance', async () => {
  await fc.assert(
    fc.asyncProperty(graph, graph, fc.integer({ min: 0, max: 20 }), async (a, b, at) => {
      const cause = new Error('broken');
      const failing = a.build().pipeThrough(
        map((n, index) => {
          if (index === at) throw cause;
          return n;
        }),
      );
      let told: [RunSummary, unknown] | undefined;
      const observer = {
        ...quiet,
        ended: (...end: [RunSummary, unknown]) => {
          told = end;
        },
      };
      const run = merge(failing, b.build()).run(() => {}, { observer });
      await run.finished.catch(() => {});
      const [summary, error] = told!;
      expect([summary.balanced, run.inFlight]).toEqual([true, 0]);
      if (at >= a.model.length) expect(error).toBeUndefined();
      else {
        expect(error).toBeInstanceOf(StageError);
        expect([(error as StageError).cause, (error as StageError).index]).toEqual([cause, at]);
      }
    }),
    { seed, numRuns: 150 },
  );
});
