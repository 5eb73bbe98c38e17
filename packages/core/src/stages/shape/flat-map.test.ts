import { flatMap, from, range } from '@millrace/core';
import { expect, test } from 'vitest';

test('flatMap() unfolds arrays, sets and generators one level deep', async () => {
  const many = [
    [1, [2]],
    new Set([3]),
    (function* () {
      yield 4;
    })(),
    [],
  ];
  expect(
    await from(many)
      .pipeThrough(flatMap((each: Iterable<unknown>) => each))
      .toArray(),
  ).toEqual([1, [2], 3, 4]);
});

test.for([
  ['text', 'the function returned a string (must be an array or another iterable object)'],
  [undefined, 'the function returned undefined (must be an array or another iterable object)'],
  [null, 'the function returned null (must be an array or another iterable object)'],
  [{ length: 2 }, 'the function returned an object (must be an array or another iterable object)'],
] as const)('flatMap() refuses to take %o apart', async ([item, message]) => {
  for (const generate of [true, false]) {
    const failed = from([item])
      .pipeThrough(flatMap((each) => each as never))
      .toArray({ generate });
    await expect(failed).rejects.toMatchObject({ stage: 'flatMap', index: 0, cause: new TypeError(message) });
  }
});

test('flatMap() stops in the middle of an iterable when nobody asks, and closes it when nobody will', async () => {
  const made: number[] = [];
  let closed = 0;
  const endless = flatMap(function* (from: number) {
    try {
      for (let n = from; ; n++) {
        made.push(n);
        yield n;
      }
    } finally {
      closed++;
    }
  });
  const items = range(10, 20).pipeThrough(endless).values();
  expect((await items.next()).value).toBe(10);
  expect((await items.next()).value).toBe(11);
  expect(made).toEqual([10, 11]);
  await items.return?.();
  expect(closed).toBe(1);
  expect(made).toEqual([10, 11]);
});

test('flatMap() fails with the index of the input whose iterable throws', async () => {
  const cause = new Error('torn');
  const seen: number[] = [];
  const failed = range(0, 4)
    .pipeThrough(
      flatMap(function* (n) {
        yield n;
        if (n === 2) throw cause;
      }),
    )
    .forEach((n) => void seen.push(n));
  await expect(failed).rejects.toMatchObject({ stage: 'flatMap', index: 2, cause });
  expect(seen).toEqual([0, 1, 2]);
});
