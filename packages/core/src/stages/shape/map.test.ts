import { from, map, range, StageError } from '@millrace/core';
import { expect, test } from 'vitest';

test('map() gives its function the item and its index, and passes on undefined, null and NaN', async () => {
  const odd = map((item: string, index: number) => [undefined, null, Number.NaN, `${item}${index}`][index]);
  expect(await from(['a', 'b', 'c', 'd']).pipeThrough(odd).toArray()).toEqual([undefined, null, Number.NaN, 'd3']);
});

test('map() serves any number of pipelines, and begins at index 0 in each', async () => {
  const numbered = map((item: string, index: number) => `${index}${item}`);
  const letters = from(['a', 'b']).pipeThrough(numbered);
  expect(await letters.toArray()).toEqual(['0a', '1b']);
  expect(await letters.toArray()).toEqual(['0a', '1b']);
  expect(await from(['c']).pipeThrough(numbered).toArray()).toEqual(['0c']);
});

test('map() fails with the name of the stage, the index, and what was thrown as it was', async () => {
  const thrown = { not: 'an Error' };
  const picky = map(
    (n: number) => {
      if (n === 3) throw thrown;
      return n;
    },
    { name: 'picky' },
  );
  const error = await range(1, 9)
    .pipeThrough(picky)
    .toArray()
    .catch((reason) => reason);
  expect(error).toBeInstanceOf(StageError);
  expect(error).toMatchObject({ code: 'ERR_CORE_STAGE', stage: 'picky', index: 2, attempt: 1, others: [] });
  expect(error.cause).toBe(thrown);
  expect(error.message).toBe('Cannot process item 2 in stage "picky": [object Object]');
});

test('map() is told apart by a number where two stages of a pipeline have one name', async () => {
  const boom = map((): never => {
    throw new Error('boom');
  });
  const twice = range(0, 3)
    .pipeThrough(map((n) => n))
    .pipeThrough(boom);
  await expect(twice.toArray()).rejects.toMatchObject({ stage: 'map 2', index: 0 });
});

test('map() with a highWaterMark reads ahead by that much', async () => {
  let made = 0;
  const items = range(0, 100)
    .pipeThrough(map(() => made++))
    .pipeThrough(map((n) => n, { highWaterMark: 3 }))
    .values();
  expect(made).toBe(0);
  await items.next();
  await Promise.resolve();
  expect(made).toBe(4);
  await items.return?.();
});
