import {
  batch,
  dropWhile,
  enumerate,
  fallback,
  flatten,
  from,
  map,
  type Pipeline,
  pairwise,
  type Stage,
  statefulMap,
  takeWhile,
} from '@millrace/core';
import { expectTypeOf, test } from 'vitest';

test('takeWhile() and dropWhile() pass what comes in, narrowed by a type guard', () => {
  const isText = (each: string | number): each is string => typeof each === 'string';
  const mixed = from<string | number>(['a', 1]);
  expectTypeOf(mixed.pipeThrough(takeWhile(isText))).toEqualTypeOf<Pipeline<string>>();
  expectTypeOf(mixed.pipeThrough(takeWhile(isText, { onError: 'skip' }))).toEqualTypeOf<Pipeline<string>>();
  // With the item that is no text as the last.
  expectTypeOf(mixed.pipeThrough(takeWhile(isText, { inclusive: true }))).toEqualTypeOf<Pipeline<string | number>>();
  expectTypeOf(mixed.pipeThrough(dropWhile((each) => each === 1))).toEqualTypeOf<Pipeline<string | number>>();
});

test('flatten() gives what its iterables give', () => {
  expectTypeOf(
    from([1])
      .pipeThrough(batch({ maxItems: 2 }))
      .pipeThrough(flatten()),
  ).toEqualTypeOf<Pipeline<number>>();
  expectTypeOf(from([new Set(['a']), ['b']]).pipeThrough(flatten())).toEqualTypeOf<Pipeline<string>>();
  // @ts-expect-error: a number is not iterable.
  from([1]).pipeThrough(flatten());
});

test('pairwise() and enumerate() give pairs', () => {
  expectTypeOf(from(['a']).pipeThrough(pairwise())).toEqualTypeOf<Pipeline<[previous: string, item: string]>>();
  expectTypeOf(from(['a']).pipeThrough(enumerate())).toEqualTypeOf<Pipeline<[index: number, item: string]>>();
  from(['a'])
    .pipeThrough(enumerate())
    .pipeThrough(map(([index, letter]) => letter.repeat(index)));
});

test('statefulMap() knows its state, what comes in, and what goes out', () => {
  const sums = from([1]).pipeThrough(
    statefulMap({
      start: () => ({ sum: 0 }),
      map: (state, n) => {
        expectTypeOf(state).toEqualTypeOf<{ sum: number }>();
        expectTypeOf(n).toEqualTypeOf<number>();
        return `${n}`;
      },
      flush: (state) => `${state.sum}`,
    }),
  );
  expectTypeOf(sums).toEqualTypeOf<Pipeline<string>>();
  const or = statefulMap({ start: () => ({}), map: (_, n: number) => `${n}`, onError: fallback(() => null) });
  expectTypeOf(or).toEqualTypeOf<Stage<number, string | null>>();
  // @ts-expect-error: a number cannot be changed in place.
  statefulMap({ start: () => 0, map: (sum: number, n: number) => sum + n });
});
