import { batch, compose, filter, from, type ItemOf, map, merge, type Pipeline, type Stage } from '@millrace/core';
import { expectTypeOf, test } from 'vitest';

test('compose() goes from what the first stage takes to what the last gives', () => {
  const stage = compose(
    filter((text: string) => text !== ''),
    map((text) => text.length),
    batch({ maxItems: 2 }),
  );
  expectTypeOf(stage).toEqualTypeOf<Stage<string, number[]>>();
  expectTypeOf(compose(stage, { name: 'lengths' })).toEqualTypeOf<Stage<string, number[]>>();
});

test('compose() refuses stages that do not fit', () => {
  const length = map((text: string) => text.length);
  // @ts-expect-error: the second takes texts, the first gives numbers.
  compose(length, length);
});

test('merge() gives the items of all its pipelines', () => {
  const merged = merge(from([1]), from(['a']), from([true]), { name: 'all' });
  expectTypeOf(merged).toEqualTypeOf<Pipeline<number | string | boolean>>();
  expectTypeOf<ItemOf<Pipeline<Date>>>().toEqualTypeOf<Date>();
  // @ts-expect-error: an array is not a pipeline.
  merge(from([1]), [2]);
});

test('broadcast() gives as many branches as it was asked for', () => {
  const branches = from([1]).broadcast(3);
  expectTypeOf(branches).toEqualTypeOf<[Pipeline<number>, Pipeline<number>, Pipeline<number>]>();
  const [a, b] = from(['a']).broadcast(2);
  expectTypeOf([a, b]).toEqualTypeOf<Pipeline<string>[]>();
  // @ts-expect-error: there are two.
  from([1]).broadcast(2)[2];
  expectTypeOf(from([1]).broadcast(2 as number)).toEqualTypeOf<readonly Pipeline<number>[]>();
});
