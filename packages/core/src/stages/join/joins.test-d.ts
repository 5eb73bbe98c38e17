import { concat, from, interleave, mergeSorted, type Pipeline, zip } from '@millrace/core';
import { expectTypeOf, test } from 'vitest';

test('types of joined pipelines flow', () => {
  const [numbers, texts] = [from([1]), from(['a'])];
  expectTypeOf(zip(numbers, texts)).toEqualTypeOf<Pipeline<[number, string]>>();
  expectTypeOf(zip(numbers, texts, { highWaterMark: 2 })).toEqualTypeOf<Pipeline<[number, string]>>();
  expectTypeOf(concat(numbers, texts)).toEqualTypeOf<Pipeline<number | string>>();
  expectTypeOf(interleave(numbers, texts, { name: 'both' })).toEqualTypeOf<Pipeline<number | string>>();
  expectTypeOf(mergeSorted(numbers, numbers, { by: (n) => n })).toEqualTypeOf<Pipeline<number>>();
  // @ts-expect-error without a key or a function that compares
  mergeSorted(numbers, numbers, {});
});
