import { enumerate, filter, from, range } from '@millrace/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const ways = fc.constantFrom({}, { fuse: false }, { generate: false });

test('enumerate() gives the entries() of an array', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.anything()), ways, async (items, options) => {
      expect(await from(items).pipeThrough(enumerate()).toArray(options)).toEqual([...items.entries()]);
    }),
  );
});

test('enumerate() counts what enters it, from 0 in each run', async () => {
  const odd = range(0, 6)
    .pipeThrough(filter((n) => n % 2 === 1))
    .pipeThrough(enumerate());
  for (let time = 0; time < 2; time++) {
    expect(await odd.toArray()).toEqual([
      [0, 1],
      [1, 3],
      [2, 5],
    ]);
  }
  expect(() => enumerate({ from: 1 } as never)).toThrow('Cannot build enumerate(): option "from" is unknown');
});
