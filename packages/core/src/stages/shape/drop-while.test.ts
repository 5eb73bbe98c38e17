import { dropWhile, from, range } from '@millrace/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const ways = fc.constantFrom({}, { fuse: false }, { generate: false });

test('dropWhile() passes the first item that is not true and all behind it', async () => {
  const small = (n: number): boolean => n < 7;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(9)), ways, async (items, options) => {
      const begin = items.findIndex((n) => !small(n));
      const passed = from(items).pipeThrough(dropWhile(small));
      expect(await passed.toArray(options)).toEqual(begin < 0 ? [] : items.slice(begin));
    }),
  );
});

test('dropWhile() asks no more behind the first that passes, begins anew in each run, and counts what it leaves out', async () => {
  const asked: number[] = [];
  const later = range(0, 9).pipeThrough(dropWhile((n, index) => asked.push(index) > 0 && n < 2));
  for (let time = 0; time < 2; time++) {
    const { filtered, emitted, balanced } = await later.run(() => {}).finished;
    expect([filtered, emitted, balanced]).toEqual([2, 7, true]);
  }
  expect(asked).toEqual([0, 1, 2, 0, 1, 2]);
});

test('dropWhile() deals with a predicate that throws as onError says, and refuses wrong arguments by name', async () => {
  const picky = (n: number): boolean => {
    if (n === 1) throw new Error('one');
    return n < 3;
  };
  const numbers = range(0, 5);
  await expect(numbers.pipeThrough(dropWhile(picky)).toArray()).rejects.toMatchObject({ stage: 'dropWhile', index: 1 });
  expect(await numbers.pipeThrough(dropWhile(picky, { onError: 'skip' })).toArray()).toEqual([3, 4]);
  expect(() => dropWhile(1 as never)).toThrow('Cannot build dropWhile(): predicate is 1 (must be a function)');
  expect(() => dropWhile(() => true, { inclusive: true } as never)).toThrow('option "inclusive" is unknown');
});
