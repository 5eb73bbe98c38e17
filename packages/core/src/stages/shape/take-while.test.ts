import { batch, flatMap, from, generate, range, takeWhile } from '@millrace/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const ways = fc.constantFrom({}, { fuse: false }, { generate: false });

test('takeWhile() passes what comes before the first item that is not true, with it where that is inclusive', async () => {
  const small = (n: number): boolean => n < 7;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(9)), fc.boolean(), ways, async (items, inclusive, options) => {
      const end = items.findIndex((n) => !small(n));
      const passed = from(items).pipeThrough(takeWhile(small, { inclusive }));
      expect(await passed.toArray(options)).toEqual(end < 0 ? items : items.slice(0, end + (inclusive ? 1 : 0)));
    }),
  );
});

test('takeWhile() closes its source with the item that ends it, asks no more, and counts that as filtered', async () => {
  const asked: number[] = [];
  let closed = 0;
  const source = from(function* () {
    try {
      for (let n = 0; ; n++) yield n;
    } finally {
      closed++;
    }
  });
  const small = takeWhile((n: number, index) => asked.push(index) <= 3 && n < 9);
  const run = source.pipeThrough(small).run(() => {});
  expect(await run.finished).toMatchObject({ read: 4, emitted: 3, filtered: 1, abandoned: 0, balanced: true });
  expect([asked, closed]).toEqual([[0, 1, 2, 3], 1]);
});

test.for([{}, { fuse: false }, { generate: false }])(
  'takeWhile() ends in the middle of what a stage before it unfolds, and what is behind it is flushed, with %o',
  async (way) => {
    const small = range(0, 9)
      .pipeThrough(flatMap((n) => [n, n]))
      .pipeThrough(takeWhile((_, index) => index < 5))
      .pipeThrough(batch({ maxItems: 3 }));
    expect(await small.toArray(way)).toEqual([
      [0, 0, 1],
      [1, 2],
    ]);
    const { filtered, balanced } = await small.run(() => {}, way).finished;
    expect([filtered, balanced]).toEqual([1, true]);
  },
);

test('takeWhile() deals with a predicate that throws as onError says, and refuses one that gives a promise', async () => {
  const picky = (n: number): boolean => {
    if (n === 1) throw new Error('one');
    return n < 3;
  };
  await expect(range(0, 9).pipeThrough(takeWhile(picky)).toArray()).rejects.toMatchObject({
    stage: 'takeWhile',
    index: 1,
  });
  expect(
    await range(0, 9)
      .pipeThrough(takeWhile(picky, { onError: 'skip' }))
      .toArray(),
  ).toEqual([0, 2]);
  const promising = takeWhile((async () => true) as never);
  await expect(
    generate((n) => n)
      .pipeThrough(promising)
      .toArray(),
  ).rejects.toMatchObject({
    cause: { message: 'the predicate returned a promise (must be a boolean: decide in mapAsync() first)' },
  });
});

test('takeWhile() refuses wrong arguments by name', () => {
  expect(() => takeWhile(1 as never)).toThrow('Cannot build takeWhile(): predicate is 1 (must be a function)');
  expect(() => takeWhile(() => true, { inclusive: 1 as never })).toThrow(
    'Cannot build takeWhile(): inclusive is 1 (must be true or false)',
  );
  expect(() => takeWhile(() => true, { including: true } as never)).toThrow('option "including" is unknown');
});
