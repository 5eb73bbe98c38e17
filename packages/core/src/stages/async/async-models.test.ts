import { bufferUnordered, cached, from, type RunOptions } from '@millrace/core';
import { explore } from '@millrace/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';

// What cached() and bufferUnordered() give, whatever the order in which answers come, against a plain list.

const ways: fc.Arbitrary<RunOptions> = fc.constantFrom({}, { fuse: false }, { generate: false }, { context: true });
const keys = fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 25 });
const few = fc.integer({ min: 1, max: 5 });
const orders = fc.nat(1_000_000);

test('cached() gives what its function would, and asks once for a key that it keeps', async () => {
  await fc.assert(
    fc.asyncProperty(
      keys,
      few,
      fc.integer({ min: 1, max: 8 }),
      fc.boolean(),
      ways,
      orders,
      async (items, concurrency, maxEntries, ordered, way, seed) => {
        await explore(
          async (schedule) => {
            const distinct = new Set(items);
            const isEnough = maxEntries >= distinct.size;
            const asked: number[] = [];
            const pending = new Set<number>();
            const look = async (key: number): Promise<string> => {
              if (isEnough) expect(pending).not.toContain(key);
              asked.push(key);
              pending.add(key);
              await schedule.any(`look up ${key}`);
              pending.delete(key);
              return `of ${key}`;
            };
            const out = await from(items)
              .pipeThrough(cached(look, { concurrency, maxEntries, ordered, into: (key, value) => `${key} ${value}` }))
              .toArray({ ...way, clock: schedule.clock });
            const expected = items.map((key) => `${key} of ${key}`);
            expect(ordered ? out : [...out].sort()).toEqual(ordered ? expected : [...expected].sort());
            expect(new Set(asked)).toEqual(distinct);
            if (isEnough) expect(asked.length).toBe(distinct.size);
          },
          { runs: 1, seed },
        );
      },
    ),
    { numRuns: 150 },
  );
});

test('bufferUnordered() gives the result of each task once, in the order of completion, of at most so many at once', async () => {
  await fc.assert(
    fc.asyncProperty(keys, few, ways, orders, async (items, concurrency, way, seed) => {
      await explore(
        async (schedule) => {
          let [running, most] = [0, 0];
          const ended: number[] = [];
          const tasks = items.map((_, at) => async () => {
            most = Math.max(most, ++running);
            await schedule.any(`task ${at}`);
            running--;
            ended.push(at);
            return at;
          });
          const out = await from(tasks)
            .pipeThrough(bufferUnordered(concurrency))
            .toArray({ ...way, clock: schedule.clock });
          expect(out).toEqual(ended);
          expect(most).toBeLessThanOrEqual(concurrency);
          expect([...out].sort((a, b) => a - b)).toEqual(items.map((_, at) => at));
        },
        { runs: 1, seed },
      );
    }),
    { numRuns: 150 },
  );
});
