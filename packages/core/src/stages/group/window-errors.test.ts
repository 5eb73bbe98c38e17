import { type DeadLetter, deadLetter, from, map, type Pipeline, window } from '@millrace/core';
import { virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';

const no = (what: unknown): never => {
  throw new Error(`not ${what}`);
};

/** Windows as their start and what they hold. */
const shown = (
  windows: Pipeline<{ startMs: number; endMs: number; value: unknown }>,
): Promise<[number, number, unknown][]> =>
  windows
    .pipeThrough(map(({ startMs, endMs, value }): [number, number, unknown] => [startMs, endMs, value]))
    .toArray({ clock: virtualClock() });

test('window() leaves an item out of all windows when fold fails on one of them', async () => {
  const letters: number[] = [];
  const writable = new WritableStream<DeadLetter<number>>({ write: ({ item }) => void letters.push(item) });
  const sliding = window({
    sizeMs: 4,
    slideMs: 2,
    timeMs: (n: number) => n,
    seed: (): number[] => [],
    // The window that began before has 1 in it, the other one has not: that one is folded first.
    fold: (all: number[], n: number) => (n === 2 && all.includes(1) ? no(n) : [...all, n]),
    onError: deadLetter(writable),
  });
  expect(await shown(from([1, 2, 3, 7]).pipeThrough(sliding))).toEqual([
    [-2, 2, [1]],
    [0, 4, [1, 3]],
    [2, 6, [3]],
    [4, 8, [7]],
    [6, 10, [7]],
  ]);
  expect(letters).toEqual([2]);
});

test('window() opens no window for an item that is left out', async () => {
  const tumbling = window({
    sizeMs: 10,
    timeMs: (n: number) => n,
    keyBy: (n) => Math.floor(n / 10),
    maxWindows: 1,
    seed: () => 0,
    fold: (sum: number, n: number) => (n % 10 === 5 ? no(n) : sum + n),
    onError: 'skip',
  });
  expect(await shown(from([5, 15, 25, 31, 35, 45, 55]).pipeThrough(tumbling))).toEqual([[30, 40, 31]]);
});

test('window() leaves sessions as they were when an item that would join them fails', async () => {
  const sessions = (fails: 'combine' | 'fold' | 'nothing') =>
    window({
      gapMs: 4,
      timeMs: (n: number) => n,
      maxOutOfOrderMs: 100,
      seed: (): number[] => [],
      fold: (all: number[], n: number) => (fails === 'fold' && n === 3 ? no(n) : [...all, n]),
      combine: (earlier: number[], later: number[]) =>
        fails === 'combine' ? no('both') : ['both', ...earlier, ...later].map(Number),
      onError: 'skip',
    });
  const apart = [
    [0, 4, [0]],
    [6, 10, [6]],
  ];
  expect(await shown(from([0, 6, 3]).pipeThrough(sessions('combine')))).toEqual(apart);
  expect(await shown(from([0, 6, 3]).pipeThrough(sessions('fold')))).toEqual(apart);
  expect(await shown(from([0, 6, 3]).pipeThrough(sessions('nothing')))).toEqual([[0, 10, [Number.NaN, 0, 6, 3]]]);
  // Nor does a session last longer by one that is left out.
  expect(await shown(from([0, 3]).pipeThrough(sessions('fold')))).toEqual([[0, 4, [0]]]);
});

test('window() fails for more than it may hold, whatever onError says', async () => {
  const full = window({ sizeMs: 10, timeMs: (n: number) => n, maxItems: 2, onError: 'skip' });
  await expect(from([1, 2, 3]).pipeThrough(full).toArray()).rejects.toMatchObject({
    stage: 'window',
    index: 2,
    cause: { code: 'ERR_CORE_WINDOW' },
  });
});

test('window() sends late items and those that fail where each is to go', async () => {
  const late: unknown[] = [];
  const failed: unknown[] = [];
  const into = (list: unknown[]) =>
    deadLetter(
      new WritableStream<DeadLetter<number>>({ write: async ({ item, index }) => void list.push([item, index]) }),
    );
  const windows = window({
    sizeMs: 10,
    timeMs: (n: number) => (n === 13 ? no(n) : n),
    onLate: into(late),
    onError: into(failed),
  });
  const run = from([1, 13, 25, 2, 13, 26])
    .pipeThrough(windows)
    .run(() => {});
  expect(await run.finished).toMatchObject({ deadLettered: 3, balanced: true });
  expect([late, failed]).toEqual([
    [[2, 3]],
    [
      [13, 1],
      [13, 4],
    ],
  ]);
});

test('window() refuses a policy that is none, or about nothing, by name', () => {
  const wrong = (onError: never) => () => window({ sizeMs: 1, keyBy: (n: number) => n, onError });
  expect(wrong('ignore' as never)).toThrow(
    'Cannot build window(): onError is "ignore" (must be "fail", "skip" or deadLetter(writable))',
  );
  expect(wrong({ fallback: () => 1 } as never)).toThrow(expect.objectContaining({ code: 'ERR_CORE_ARGUMENT' }));
  expect(() => window({ sizeMs: 1, onError: 'skip' })).toThrow('left out without timeMs, keyBy and fold');
});
