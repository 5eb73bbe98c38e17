import {
  drop,
  filter,
  flatMap,
  generate,
  mapAsync,
  type Pipeline,
  type RunOptions,
  range,
  scan,
  take,
  tap,
} from '@millrace/core';
import { type SourceProbe, sourceProbe, virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';

const four = (): SourceProbe<number> => {
  const probe = sourceProbe<number>();
  probe.release(1, 2, 3, 4);
  return probe;
};
const takers: Record<string, (three: Pipeline<number>) => PromiseLike<unknown>> = {
  'toArray()': (three) => three.toArray(),
  'toArray() that is not fused': (three) => three.toArray({ fuse: false }),
  'run()': (three) => three.run(() => {}).finished,
  'pipeTo()': (three) => three.pipeTo(new WritableStream()),
  'a stage that unfolds': (three) => three.pipeThrough(flatMap((n) => [n, n])).toArray(),
};

test.for(Object.entries(takers))(
  'take() reads no more than it takes for %s, and closes the source',
  async ([, taker]) => {
    const probe = four();
    await taker(probe.pipeline.pipeThrough(take(3)));
    expect(probe.read).toBe(3);
    expect(probe.closes).toHaveLength(1);
  },
);

test('take() of none reads nothing', async () => {
  const probe = sourceProbe<number>();
  expect(await probe.pipeline.pipeThrough(take(0)).toArray()).toEqual([]);
  expect(probe.pulls).toEqual([]);
});

const stalled = (): Promise<never> => new Promise(() => {});

test.for<[string, (numbers: Pipeline<number>, options: RunOptions) => Promise<unknown>]>([
  ['before a function that waits', (numbers, options) => numbers.pipeThrough(take(3)).forEach(stalled, options)],
  [
    'with an edge of its own',
    (numbers, options) => numbers.pipeThrough(take(3, { highWaterMark: 9 })).forEach(stalled, options),
  ],
  [
    'before a stage that unfolds',
    (numbers, options) =>
      numbers
        .pipeThrough(take(3))
        .pipeThrough(flatMap((n) => [n, n]))
        .forEach(stalled, options),
  ],
  [
    'with an edge, before a stage that waits',
    (numbers, options) =>
      numbers
        .pipeThrough(take(3, { highWaterMark: 9 }))
        .pipeThrough(mapAsync(stalled, { concurrency: 2 }))
        .toArray(options),
  ],
])('take() reads nothing beyond its last item %s', async ([, start]) => {
  const probe = sourceProbe<number>();
  probe.release(1, 2, 3, 4, 5, 6, 7, 8);
  const controller = new AbortController();
  const done = start(probe.pipeline, { signal: controller.signal });
  await virtualClock().settle();
  expect(probe.read).toBe(3);
  controller.abort('enough');
  await expect(done).rejects.toBe('enough');
});

test('take() reads on for items that a filter before it drops', async () => {
  const probe = sourceProbe<number>();
  probe.release(1, 2, 3, 4, 5, 6, 7, 8);
  const seen: number[] = [];
  const evens = probe.pipeline.pipeThrough(filter((n) => n % 2 === 0)).pipeThrough(take(3));
  await evens.forEach(async (n) => void seen.push(n));
  expect(seen).toEqual([2, 4, 6]);
  expect(probe.read).toBeLessThanOrEqual(7);
});

test('take() of more than there are takes all', async () => {
  expect(await range(0, 3).pipeThrough(take(10)).toArray()).toEqual([0, 1, 2]);
});

test('drop() counts what it leaves out as filtered', async () => {
  const seen: number[] = [];
  const run = range(0, 5)
    .pipeThrough(drop(3))
    .run((n) => void seen.push(n));
  expect(await run.finished).toMatchObject({ filtered: 3, emitted: 2, balanced: true });
  expect(seen).toEqual([3, 4]);
  expect(await range(0, 5).pipeThrough(drop(9)).count()).toBe(0);
});

test('tap() passes on the item itself, whatever its function returns', async () => {
  const items = [{ a: 1 }, { a: 2 }];
  const indexes: number[] = [];
  const seen = await generate((index) => items[index])
    .pipeThrough(
      tap((_item, index) => {
        indexes.push(index);
        return 'nothing';
      }),
    )
    .pipeThrough(take(2))
    .toArray();
  expect(seen[0]).toBe(items[0]);
  expect(seen[1]).toBe(items[1]);
  expect(indexes).toEqual([0, 1]);
});

test('tap() fails with what its function throws', async () => {
  const cause = new Error('seen too much');
  const failed = range(0, 3).pipeThrough(
    tap((n) => {
      if (n === 1) throw cause;
    }),
  );
  await expect(failed.toArray()).rejects.toMatchObject({ stage: 'tap', index: 1, cause });
});

test('scan() gives the state after each item, never the seed, and begins each run from it', async () => {
  const sums = range(1, 4).pipeThrough(scan((sum, n, index) => sum + n * index, 100));
  expect(await sums.toArray()).toEqual([100, 102, 108]);
  expect(await sums.toArray()).toEqual([100, 102, 108]);
  expect(
    await range(0, 0)
      .pipeThrough(scan((sum, n) => sum + n, 7))
      .toArray(),
  ).toEqual([]);
});
