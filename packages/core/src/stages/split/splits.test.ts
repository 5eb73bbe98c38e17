import {
  type DeadLetter,
  deadLetter,
  from,
  map,
  mapAsync,
  merge,
  type Pipeline,
  type RunOptions,
  runAll,
} from '@millrace/core';
import { source } from '@millrace/core/authoring';
import fc from 'fast-check';
import { expect, test } from 'vitest';

// Each item goes to one branch, as in arrays, whatever the branches do with it; nothing is lost, and no more is held than
// is printed.

const kinds = fc.constantFrom('loop', 'now', 'later', 'steps');

function numbers(kind: string, count: number): Pipeline<number> {
  const items = Array.from({ length: count }, (_, n) => n);
  if (kind === 'loop') return from(items);
  if (kind === 'steps') return from(items).pipeThrough(mapAsync(async (n) => n, { concurrency: 3 }));
  let next = 0;
  return source<number>({
    name: kind,
    open: () => ({
      read(max) {
        const burst = items.slice(next, next + Math.min(max, 5));
        next += burst.length;
        const answer = burst.length === 0 ? undefined : burst;
        return kind === 'later' ? Promise.resolve(answer) : answer;
      },
      close() {},
    }),
  });
}

/** What a branch does with its items. */
const works = fc.constantFrom<(branch: Pipeline<number>) => Pipeline<number>>(
  (branch) => branch,
  (branch) => branch.pipeThrough(map((n) => n)),
  (branch) => branch.pipeThrough(mapAsync(async (n) => n, { concurrency: 2 })),
  (branch) => branch.pipeThrough(mapAsync((n: number) => n, { highWaterMark: 2 })),
);

const ways = fc.constantFrom<RunOptions>({}, { fuse: false }, { generate: false });

interface Outcome {
  readonly seen: readonly (readonly number[])[];
}

async function outcomeOf(branches: readonly Pipeline<number>[], isMerged: boolean, way: RunOptions): Promise<Outcome> {
  const seen: number[][] = branches.map(() => []);
  const into = (at: number) => (n: number) => void seen[at]?.push(n);
  const run = isMerged
    ? merge(...branches.map((branch, at) => branch.pipeThrough(map((n) => ({ n, at }))))).run(
        ({ n, at }) => into(at)(n),
        way,
      )
    : runAll(...branches.map((branch, at) => branch.into(into(at))), way);
  const summary = await run.finished;
  expect(summary.balanced).toBe(true);
  expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
  expect(run.inFlight).toBe(0);
  return { seen };
}

test('route(), partition() and balance() give each item to one branch, in order, in balance and within the bound', async () => {
  await fc.assert(
    fc.asyncProperty(
      kinds,
      fc.nat(60),
      fc.array(works, { minLength: 3, maxLength: 3 }),
      fc.integer({ min: 1, max: 4 }),
      fc.boolean(),
      ways,
      fc.constantFrom('none', 'skip', 'letters'),
      fc.boolean(),
      async (kind, count, work, mark, isMerged, way, policy, isWeighed) => {
        const letters: number[] = [];
        const writable = new WritableStream<DeadLetter<number>>({ write: async ({ item }) => void letters.push(item) });
        const onError = policy === 'letters' ? deadLetter(writable) : 'skip';
        const isOut = (n: number): boolean => policy !== 'none' && n % 4 === 1;
        const all = Array.from({ length: count }, (_, n) => n).filter((n) => !isOut(n));
        const highWaterMark = isWeighed ? new CountQueuingStrategy({ highWaterMark: mark }) : mark;
        const picky = (n: number): number => {
          if (isOut(n)) throw new Error('no');
          return n;
        };
        const working = (branches: readonly Pipeline<number>[]) => branches.map((each, at) => work[at]?.(each) ?? each);
        const routed = numbers(kind, count).route(
          { thirds: (n) => picky(n) % 3 === 0, even: (n) => n % 2 === 0, rest: (_, index) => index % 5 > 0 },
          { highWaterMark, unmatched: 'drop', onError },
        );
        const routes = await outcomeOf(working([routed.thirds, routed.even, routed.rest]), isMerged, way);
        expect(routes.seen).toEqual([
          all.filter((n) => n % 3 === 0),
          all.filter((n) => n % 3 !== 0 && n % 2 === 0),
          all.filter((n) => n % 3 !== 0 && n % 2 !== 0 && n % 5 > 0),
        ]);
        const parts = numbers(kind, count).partition((n) => picky(n) % 7 < 3, { highWaterMark, onError });
        const halves = await outcomeOf(working(parts), isMerged, way);
        expect(halves.seen).toEqual([all.filter((n) => n % 7 < 3), all.filter((n) => n % 7 >= 3)]);
        const shared = numbers(kind, count).balance(3, { highWaterMark: isWeighed ? highWaterMark : mark - 1 });
        const { seen } = await outcomeOf(working(shared), isMerged, way);
        expect(seen.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, n) => n));
        const out = Array.from({ length: count }, (_, n) => n).filter(isOut);
        expect(letters).toEqual(policy === 'letters' ? [...out, ...out] : []);
        for (const items of seen) expect(items).toEqual([...items].sort((a, b) => a - b));
      },
    ),
    { numRuns: 200 },
  );
});
