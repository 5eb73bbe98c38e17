import {
  type Checkpoint,
  concat,
  interleave,
  map,
  mapAsync,
  mergeSorted,
  type Pipeline,
  range,
  type Sink,
  zip,
} from '@millrace/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { numbersOf } from './numbers-of.js';

const inputs = fc.array(
  fc.record({ items: fc.nat(15), kind: fc.constantFrom('loop', 'now', 'later'), hasSteps: fc.boolean() }),
  { minLength: 1, maxLength: 3 },
);

test.each([
  ['zip', zip(range(0, 3), range(0, 3))],
  ['interleave', interleave(range(0, 3), range(0, 3))],
  ['mergeSorted', mergeSorted(range(0, 3), range(0, 3), { by: (n) => n })],
])('%s() is refused under a checkpoint', (name, joined: Pipeline<unknown>) => {
  const checkpoint = { load: () => undefined, save: () => {} };
  expect(() => joined.run(() => {}, { checkpoint })).toThrow(
    `Cannot build the pipeline: stage "${name}" waits for all of its inputs, which do not come to a barrier together (must be merge() or concat(), under a checkpoint)`,
  );
});

test('concat() goes on from any checkpoint as if it had never ended', async () => {
  await fc.assert(
    fc.asyncProperty(inputs, fc.integer({ min: 1, max: 7 }), fc.nat(), async (given, everyItems, pick) => {
      const build = (): Pipeline<unknown> =>
        concat(
          ...given.map(({ items, kind, hasSteps }, at) => {
            const numbers = kind === 'loop' ? range(0, items) : numbersOf(items, kind === 'later');
            const tagged = numbers.pipeThrough(map((n) => at * 1000 + n));
            return hasSteps ? tagged.pipeThrough(mapAsync(async (n) => n, { concurrency: 2 })) : tagged;
          }),
        );
      const run = async (last?: Checkpoint): Promise<{ seen: unknown[]; at: number[]; all: Checkpoint[] }> => {
        const [seen, at, all]: [unknown[], number[], Checkpoint[]] = [[], [], []];
        const sink: Sink<unknown> = {
          maxBurst: 3,
          open: () => ({ write: async (items) => void seen.push(...items), flush: () => void at.push(seen.length) }),
        };
        const checkpoint = {
          everyItems,
          load: () => last,
          save: async (saved: Checkpoint) => void all.push(structuredClone(saved)),
        };
        const summary = await build().run(sink, { checkpoint }).finished;
        expect([summary.balanced, summary.emitted]).toEqual([true, seen.length]);
        return { seen, at, all };
      };
      const whole = await build().toArray();
      const first = await run();
      expect(first.seen).toEqual(whole);
      const at = pick % first.all.length;
      const rest = await run(first.all[at]);
      const before = first.seen.slice(0, at === first.all.length - 1 ? undefined : first.at[at]);
      expect([...before, ...rest.seen]).toEqual(whole);
    }),
    { seed: Number(process.env['MILLRACE_SEED'] ?? 20261122), numRuns: 300 },
  );
});
