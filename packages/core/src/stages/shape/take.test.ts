import { drop, flatMap, generate, type Pipeline, range, scan, take, tap } from '@millrace/core';
import { type SourceProbe, sourceProbe } from '@millrace/testkit';
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
