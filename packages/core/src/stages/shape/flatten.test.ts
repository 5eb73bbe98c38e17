import { flatten, from } from '@millrace/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const ways = fc.constantFrom({}, { fuse: false }, { generate: false });

test('flatten() gives what the flat() of an array gives, one level deep', async () => {
  const lists = fc.array(fc.array(fc.nat()));
  await fc.assert(
    fc.asyncProperty(fc.array(lists), ways, async (items, options) => {
      expect(await from(items).pipeThrough(flatten()).toArray(options)).toEqual(items.flat(1));
    }),
  );
});

test('flatten() takes sets, generators and typed arrays apart as they are asked for, and closes what is left open', async () => {
  let [made, closed] = [0, 0];
  const endless = (function* () {
    try {
      for (;;) yield made++;
    } finally {
      closed++;
    }
  })();
  const items = from<Iterable<number>>([new Set([7]), Uint8Array.of(8, 9), endless])
    .pipeThrough(flatten())
    .values();
  const seen: unknown[] = [];
  for (let n = 0; n < 5; n++) seen.push((await items.next()).value);
  expect([seen, made]).toEqual([[7, 8, 9, 0, 1], 2]);
  await items.return?.();
  expect(closed).toBe(1);
});

test.for([
  ['text', 'the item is a string'],
  [null, 'the item is null'],
  [{ length: 2 }, 'the item is an object'],
  [(async function* () {})(), 'the item is an object'],
] as const)('flatten() refuses to take %o apart', async ([item, message]) => {
  const failed = from([[1], item as never])
    .pipeThrough(flatten())
    .toArray();
  const cause = new TypeError(`${message} (must be an array or another iterable object)`);
  await expect(failed).rejects.toMatchObject({ stage: 'flatten', index: 1, cause });
});

test('flatten() refuses options that it has not', () => {
  expect(() => flatten({ depth: 2 } as never)).toThrow('Cannot build flatten(): option "depth" is unknown');
  expect(() => flatten({ onError: 'skip' } as never)).toThrow('option "onError" is unknown');
});
