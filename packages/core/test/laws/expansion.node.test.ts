import { buffer, filter, flatMap, from, map, mapAsync, type Stage } from '@millrace/core';
import { expect, test } from 'vitest';

// One input that unfolds into ten million: what is made and not yet done with stays within the bound, all the time.

const MANY = 10_000_000;

const behind: Record<string, { readonly stages: readonly Stage<number, number>[] }> = {
  'a loop': { stages: [map((n: number) => n + 1), filter((n: number) => n >= 0)] },
  'a buffer': { stages: [buffer<number>(64)] },
  'mapAsync()': { stages: [mapAsync((n: number) => n, { concurrency: 16 })] },
  'a second flatMap()': { stages: [flatMap((n: number) => [n])] },
};

test.each(Object.keys(behind))('flatMap() unfolds 10,000,000 items of one into %s and holds a few', async (name) => {
  let made = 0;
  let done = 0;
  let most = 0;
  const unfolded = from([0]).pipeThrough(
    flatMap(() => ({
      [Symbol.iterator]: () => ({
        next(): IteratorResult<number> {
          if (made === MANY) return { done: true, value: undefined };
          const ahead = ++made - done;
          if (ahead > most) most = ahead;
          return { done: false, value: made };
        },
      }),
    })),
  );
  const pipeline = (behind[name]?.stages ?? []).reduce((all, stage) => all.pipeThrough(stage), unfolded);
  const run = pipeline.run(() => void done++);
  const { inFlightMax, emitted, balanced } = await run.finished;
  const { bound } = run.explain();
  expect([emitted, balanced]).toEqual([MANY, true]);
  expect(inFlightMax).toBeLessThanOrEqual(bound);
  expect(most).toBeLessThanOrEqual(bound);
  expect(bound).toBeLessThan(200);
});
