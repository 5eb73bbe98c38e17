import { concat, from, interleave, map, mapAsync, mergeSorted, type Pipeline, zip } from '@millrace/core';
import { source } from '@millrace/core/authoring';
import fc from 'fast-check';
import { expect, test } from 'vitest';

// Joins by a rule give what the same rule gives of arrays, whatever their inputs are, and hold no more than they print.

interface Input {
  readonly kind: 'loop' | 'at hand' | 'later' | 'both' | 'steps';
  readonly items: readonly number[];
}

const inputs = fc.array(
  fc.record<Input>({
    kind: fc.constantFrom('loop', 'at hand', 'later', 'both', 'steps'),
    items: fc.array(fc.nat({ max: 30 }), { maxLength: 12 }),
  }),
  { minLength: 1, maxLength: 4 },
);

function pipelineOf({ kind, items }: Input): Pipeline<number> {
  if (kind === 'loop') return from(items);
  if (kind === 'steps') return from(items).pipeThrough(mapAsync(async (n) => n, { concurrency: 2 }));
  let next = 0;
  return source<number>({
    name: kind,
    open: () => ({
      read(max) {
        const burst = items.slice(next, next + max);
        next += burst.length;
        const isLater = kind === 'later' || (kind === 'both' && next % 2 === 0);
        const answer = burst.length === 0 ? undefined : burst;
        return isLater ? Promise.resolve(answer) : answer;
      },
      close() {},
    }),
  });
}

type Join = (inputs: readonly Pipeline<number>[], highWaterMark: number) => Pipeline<unknown>;
type Model = (inputs: ReadonlyArray<readonly number[]>) => readonly unknown[];

const shortest = (arrays: ReadonlyArray<readonly number[]>): number => Math.min(...arrays.map(({ length }) => length));

const joins: Record<string, readonly [Join, Model]> = {
  zip: [
    (given, highWaterMark) => zip(...given, { highWaterMark }),
    (arrays) => Array.from({ length: shortest(arrays) }, (_, at) => arrays.map((items) => items[at])),
  ],
  concat: [(given) => concat(...given), (arrays) => arrays.flat()],
  interleave: [
    (given, highWaterMark) => interleave(...given, { highWaterMark }),
    (arrays) =>
      Array.from({ length: Math.max(...arrays.map(({ length }) => length)) }, (_, at) =>
        arrays.flatMap((items) => items.slice(at, at + 1)),
      ).flat(),
  ],
  mergeSorted: [
    (given, highWaterMark) =>
      mergeSorted(...given.map(tagged), { by: ({ n }) => n, highWaterMark }).pipeThrough(
        map(({ n, input }) => `${n} of ${input}`),
      ),
    (arrays) =>
      arrays
        .flatMap((items, input) => items.map((n) => ({ n, input })))
        .sort((a, b) => a.n - b.n)
        .map(({ n, input }) => `${n} of ${input}`),
  ],
};

function tagged(pipeline: Pipeline<number>, input: number): Pipeline<{ n: number; input: number }> {
  return pipeline.pipeThrough(map((n) => ({ n, input })));
}

test.each(Object.entries(joins))(
  '%s() gives what its model gives of arrays, within its bound',
  async (name, [join, model]) => {
    await fc.assert(
      fc.asyncProperty(inputs, fc.integer({ min: 1, max: 5 }), fc.boolean(), async (random, highWaterMark, isSlow) => {
        const sorted = (items: readonly number[]): readonly number[] => [...items].sort((a, b) => a - b);
        const given = name === 'mergeSorted' ? random.map((each) => ({ ...each, items: sorted(each.items) })) : random;
        const joined = join(given.map(pipelineOf), highWaterMark);
        const seen: unknown[] = [];
        const run = joined.run((item) => {
          seen.push(item);
          return isSlow ? Promise.resolve() : undefined;
        });
        const summary = await run.finished;
        expect(seen).toEqual(model(given.map(({ items }) => items)));
        expect(summary.balanced).toBe(true);
        expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
        expect(run.inFlight).toBe(0);
        // What is compiled for other sinks asks for other numbers at a time.
        const again = await join(given.map(pipelineOf), highWaterMark).toArray();
        expect(again).toEqual(seen);
      }),
      { numRuns: 300 },
    );
  },
);
