import { from } from '@millrace/core';
import { foreign } from '@millrace/core/authoring';
import { expect, test } from 'vitest';

test('foreign() makes a pair for each run, and says that what is inside cannot be counted', async () => {
  let pairs = 0;
  const double = foreign<number, number>({
    name: 'double',
    open() {
      pairs++;
      return new TransformStream<number, number>({ transform: (n, controller) => controller.enqueue(n * 2) });
    },
  });
  const doubled = from([1, 2]).pipeThrough(double);
  expect(pairs).toBe(0);
  expect(await doubled.toArray()).toEqual([2, 4]);
  expect(await doubled.toArray()).toEqual([2, 4]);
  expect(pairs).toBe(2);
  expect(String(doubled.explain())).toContain('not counted');
});
