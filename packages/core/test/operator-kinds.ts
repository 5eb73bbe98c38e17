import {
  batch,
  conflate,
  type ErrorPolicy,
  enumerate,
  flatten,
  from,
  map,
  mapAsync,
  merge,
  mergeSorted,
  type OnError,
  type Pipeline,
  partitionBy,
  rateLimit,
  window,
} from '@millrace/core';

export const no = (n: number): never => {
  throw new Error(`not ${n}`);
};

/** Fails on 2 and 5 of 0 … 7. */
export const picky = (n: number): number => (n % 3 === 2 ? no(n) : n);

/** A function of the user in a stage that is no step of a loop. */
export interface Kind {
  /** The stage in a pipeline, by its default name, with a policy. */
  readonly through: (numbers: Pipeline<number>, onError: OnError<number>) => Pipeline<unknown>;
  /** What comes out of 0 … 7 when 2 and 5 are left out. */
  readonly skipped: readonly unknown[];
  /** The same with a policy that may be `fallback()`, what that gives, and what comes out then. */
  readonly falling?: {
    readonly through: (numbers: Pipeline<number>, onError: ErrorPolicy<number, never>) => Pipeline<unknown>;
    readonly instead: unknown;
    readonly fallen: readonly unknown[];
  };
  /** Whether the order of what comes out depends on who is ready first. */
  readonly isUnordered?: boolean;
}

const items = (windows: Pipeline<{ readonly items: number[] }>): Pipeline<unknown> =>
  windows.pipeThrough(map((each) => each.items));

export const begun = (n: number): number[] => [picky(n)];
export const folded = (all: number[], n: number): number[] => [...all, picky(n)];
const flat = (arrays: Pipeline<number[]>): Pipeline<unknown> => arrays.pipeThrough(flatten());

const same = () => map((n: number) => n);

export const WHOLE: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7];
const LEFT: readonly number[] = [0, 1, 3, 4, 6, 7];
const TIMED = { maxBytes: 2, maxWaitMs: 9, sizeOf: (n: number) => picky(n) * 0 + 1 };
const BY_KEY = { concurrency: 2, keyBy: picky, retry: { attempts: 3 } };
export const RATE = { limit: 1_000_000, intervalMs: 1, burst: 1_000 };

/** One for each such function. */
export const KINDS: Readonly<Record<string, Kind>> = {
  rateLimit: {
    through: (p, onError) => p.pipeThrough(rateLimit(RATE, { cost: picky, onError })),
    skipped: LEFT,
    falling: {
      through: (p, onError) => p.pipeThrough(rateLimit(RATE, { cost: picky, onError })),
      instead: 1,
      fallen: WHOLE,
    },
  },
  conflate: {
    through: (p, onError) => flat(p.pipeThrough(conflate(folded, { seed: begun, onError }))),
    skipped: LEFT,
    falling: {
      through: (p, onError) => flat(p.pipeThrough(conflate(folded, { seed: begun, onError }))),
      instead: [-1],
      fallen: [0, 1, -1, 3, 4, -1, 6, 7],
    },
  },
  'mapAsync, by keyBy': {
    through: (p, onError) => p.pipeThrough(mapAsync(async (n: number) => n, { ...BY_KEY, onError })),
    skipped: LEFT,
    falling: {
      through: (p, onError) => p.pipeThrough(mapAsync(async (n: number) => n, { ...BY_KEY, onError })),
      instead: -1,
      fallen: [0, 1, -1, 3, 4, -1, 6, 7],
    },
  },
  route: {
    isUnordered: true,
    through: (p, onError) => {
      const { low, rest } = p.route({ low: (n) => picky(n) < 3, rest: () => true }, { onError });
      return merge(low, rest);
    },
    skipped: LEFT,
    falling: {
      through: (p, onError) => {
        const { low, rest } = p.route({ low: (n) => picky(n) < 3, rest: () => true }, { onError });
        return merge(low, rest.pipeThrough(map((n) => n * 10)));
      },
      instead: 'rest',
      fallen: [0, 1, 20, 30, 40, 50, 60, 70],
    },
  },
  partition: {
    isUnordered: true,
    through: (p, onError) => merge(...p.partition((n) => picky(n) < 3, { onError })),
    skipped: LEFT,
    falling: {
      through: (p, onError) => {
        const [yes, no] = p.partition((n) => picky(n) < 3, { onError });
        return merge(yes, no.pipeThrough(map((n) => n * 10)));
      },
      instead: true,
      fallen: [0, 1, 2, 30, 40, 5, 60, 70],
    },
  },
  mergeSorted: {
    through: (p, onError) => mergeSorted(p, from<number>([]), { by: (n) => picky(n), onError }),
    skipped: LEFT,
    falling: {
      through: (p, onError) => mergeSorted(p, from<number>([]), { by: (n) => picky(n) * 0, onError }),
      instead: 0,
      fallen: WHOLE,
    },
  },
  'partitionBy, of loops': {
    through: (p, onError) =>
      p.pipeThrough(
        partitionBy(
          (n: number) => picky(n) % 3,
          { maxKeys: 4, onError },
          (each) => each.pipeThrough(same()),
        ),
      ),
    skipped: LEFT,
    falling: {
      through: (p, onError) =>
        p.pipeThrough(
          partitionBy(
            (n: number) => `${picky(n)}`,
            { maxKeys: 9, onError },
            (each) => each.pipeThrough(enumerate()),
          ),
        ),
      instead: '1',
      fallen: [
        [0, 0],
        [0, 1],
        [1, 2],
        [0, 3],
        [0, 4],
        [2, 5],
        [0, 6],
        [0, 7],
      ],
    },
  },
  'partitionBy, of nodes': {
    isUnordered: true,
    through: (p, onError) =>
      p.pipeThrough(
        partitionBy(
          (n: number) => picky(n) % 3,
          { maxKeys: 4, onError },
          (each) => each.pipeThrough(mapAsync(async (n) => n)),
        ),
      ),
    skipped: LEFT,
  },
  'window, by keyBy': {
    through: (p, onError) =>
      items(p.pipeThrough(window({ sizeMs: 4, timeMs: (n) => n, keyBy: (n) => picky(n) * 0, maxItems: 9, onError }))),
    skipped: [
      [0, 1, 3],
      [4, 6, 7],
    ],
  },
  'window, by timeMs': {
    through: (p, onError) => items(p.pipeThrough(window({ sizeMs: 4, timeMs: picky, maxItems: 9, onError }))),
    skipped: [
      [0, 1, 3],
      [4, 6, 7],
    ],
  },
  'window, by fold': {
    through: (p, onError) =>
      p
        .pipeThrough(
          window({
            sizeMs: 4,
            slideMs: 2,
            timeMs: (n: number) => n,
            seed: () => 0,
            fold: (sum: number, n) => sum + picky(n),
            maxWindows: 4,
            onError,
          }),
        )
        .pipeThrough(map(({ value }) => value)),
    skipped: [1, 4, 7, 17, 13],
  },
  batch: {
    through: (p, onError) => p.pipeThrough(batch({ ...TIMED, onError })),
    skipped: [
      [0, 1],
      [3, 4],
      [6, 7],
    ],
    falling: {
      through: (p, onError) => p.pipeThrough(batch({ ...TIMED, onError })),
      instead: 2,
      fallen: [[0, 1], [2], [3, 4], [5], [6, 7]],
    },
  },
};
