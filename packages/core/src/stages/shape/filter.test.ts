import { filter, filterMap, from, range } from '@millrace/core';
import { expect, test } from 'vitest';

test('filter() lets pass what is true or as good as true, and counts what is not', async () => {
  const seen: unknown[] = [];
  const answers = [true, false, 1, 0, 'x', '', {}, null, undefined, Number.NaN];
  const run = from(answers)
    .pipeThrough(filter((item) => item as boolean))
    .run((item) => void seen.push(item));
  expect(await run.finished).toMatchObject({ read: 10, filtered: 6, emitted: 4, balanced: true });
  expect(seen).toEqual([true, 1, 'x', {}]);
});

test('filter() gives its predicate the index of the item among those that came in', async () => {
  const even = filter((_item: string, index: number) => index % 2 === 0);
  expect(await from(['a', 'b', 'c', 'd']).pipeThrough(even).toArray()).toEqual(['a', 'c']);
});

test.for([{ generate: true }, { generate: false }])(
  'filter() refuses a predicate that returns a promise, %o',
  async (options) => {
    const later = filter<number>((async (n: number) => n > 1) as never);
    const failed = range(0, 3).pipeThrough(later).toArray(options);
    await expect(failed).rejects.toMatchObject({
      code: 'ERR_CORE_STAGE',
      stage: 'filter',
      index: 0,
      cause: new TypeError('the predicate returned a promise (must be a boolean: decide in mapAsync() first)'),
    });
  },
);

test('filter() fails with what its predicate throws', async () => {
  const cause = new Error('no');
  const failed = range(0, 3).pipeThrough(
    filter((n) => {
      if (n === 2) throw cause;
      return false;
    }),
  );
  await expect(failed.toArray()).rejects.toMatchObject({ stage: 'filter', index: 2, cause });
});

test('filterMap() leaves out undefined alone, and counts it as filtered', async () => {
  const seen: unknown[] = [];
  const run = from([0, 1, 2, 3, 4])
    .pipeThrough(filterMap((n, index) => [undefined, null, false, '', index][n]))
    .run((item) => void seen.push(item));
  expect(await run.finished).toMatchObject({ read: 5, filtered: 1, emitted: 4, balanced: true });
  expect(seen).toEqual([null, false, '', 4]);
});
