import { batch, filter, from, map, type Pipeline, take } from '@millrace/core';
import { expectTypeOf, test } from 'vitest';

test('types flow through a pipe', () => {
  const lengths = from([{ id: 1, delay: 2 }])
    .pipeThrough(filter((flight) => flight.delay > 0))
    .pipeThrough(map((flight, index) => ({ ...flight, index })))
    .pipeThrough(take(3))
    .pipeThrough(batch({ maxItems: 2 }))
    .pipeThrough(map((flights) => flights.length));
  expectTypeOf(lengths).toEqualTypeOf<Pipeline<number>>();
});

test('a type guard narrows', () => {
  const words = from<string | number>(['a', 1]).pipeThrough(filter((each): each is string => typeof each === 'string'));
  expectTypeOf(words).toEqualTypeOf<Pipeline<string>>();
});

test('a mismatch is an error where the stages are joined', () => {
  // @ts-expect-error a stage that takes strings does not take numbers
  from([1]).pipeThrough(map((text: string) => text.length));
});

test('map() refuses a function that returns a promise', () => {
  // @ts-expect-error use mapAsync()
  from([1]).pipeThrough(map(async (n) => n));
});
