import { dedupeConsecutive, from } from '@millrace/core';
import { expect, test } from 'vitest';

test('dedupeConsecutive() compares with the one before alone; NaN equals itself, 0 equals -0, objects are themselves', async () => {
  const one = {};
  const items = [undefined, undefined, Number.NaN, Number.NaN, 0, -0, '0', one, one, {}, undefined];
  const seen: unknown[] = [];
  const run = from(items)
    .pipeThrough(dedupeConsecutive())
    .run((item) => void seen.push(item));
  expect(await run.finished).toMatchObject({ read: 11, deduped: 4, emitted: 7, balanced: true });
  expect(seen).toEqual([undefined, Number.NaN, 0, '0', one, {}, undefined]);
});

test('dedupeConsecutive() with a key passes the first of a series, and fails with what the key throws', async () => {
  const words = from(['ape', 'ant', 'bee', 'boa', 'asp']).pipeThrough(dedupeConsecutive((word) => word[0]));
  expect(await words.toArray()).toEqual(['ape', 'bee', 'asp']);
  const failed = from(['a', null as never]).pipeThrough(dedupeConsecutive((word: string) => word.length));
  await expect(failed.toArray()).rejects.toMatchObject({ stage: 'dedupeConsecutive', index: 1 });
});
