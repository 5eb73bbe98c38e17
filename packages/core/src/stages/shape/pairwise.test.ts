import { from, map, pairwise, range } from '@millrace/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const ways = fc.constantFrom({}, { fuse: false }, { generate: false });

test('pairwise() pairs each item but the first with the one before it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.anything()), ways, async (items, options) => {
      const pairs = await from(items).pipeThrough(pairwise()).toArray(options);
      expect(pairs).toEqual(items.slice(1).map((item, index) => [items[index], item]));
    }),
  );
});

test('pairwise() gives each pair as an array of its own, anew in each run, and counts the first item as filtered', async () => {
  const pairs = range(0, 4).pipeThrough(pairwise());
  expect(new Set(await pairs.toArray()).size).toBe(3);
  const { filtered, emitted, balanced } = await pairs.run(() => {}).finished;
  expect([filtered, emitted, balanced]).toEqual([1, 3, true]);
});

test('pairwise() is fused with its neighbours, under its name', async () => {
  const text = String(
    range(0, 4)
      .pipeThrough(map((n) => n))
      .pipeThrough(pairwise({ name: 'steps' }))
      .explain(),
  );
  expect(text).toContain('range → map → steps/scan → steps/drop');
  expect(() => pairwise({ size: 3 } as never)).toThrow('Cannot build pairwise(): option "size" is unknown');
});
