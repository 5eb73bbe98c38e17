import {
  batch,
  dedupe,
  dedupeConsecutive,
  filter,
  filterMap,
  flatMap,
  from,
  map,
  type Pipeline,
  scan,
  take,
  tap,
} from '@millrace/core';
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

test('stages that call a synchronous function refuse one that returns a promise, and take any other', () => {
  const numbers = from([1]);
  // @ts-expect-error use mapAsync()
  numbers.pipeThrough(map(async (n) => n));
  // @ts-expect-error use mapAsync()
  numbers.pipeThrough(filter(async (n) => n > 0));
  // @ts-expect-error use mapAsync()
  numbers.pipeThrough(filterMap(async (n) => n));
  // @ts-expect-error use mapAsync()
  numbers.pipeThrough(flatMap(async (n) => [n]));
  // @ts-expect-error use mapAsync()
  numbers.pipeThrough(tap(async (n) => void n));
  // @ts-expect-error use mapAsync()
  numbers.pipeThrough(scan(async (sum, n) => sum + n, 0));
  // @ts-expect-error use mapAsync()
  numbers.pipeThrough(dedupeConsecutive(async (n) => n));
  // @ts-expect-error use mapAsync()
  numbers.pipeThrough(dedupe({ key: async (n) => n }));
  expectTypeOf(numbers.pipeThrough(tap((n) => n + 1)).pipeThrough(tap(() => {}))).toEqualTypeOf<Pipeline<number>>();
  expectTypeOf(numbers.pipeThrough(scan((sum, n) => sum + n, 0))).toEqualTypeOf<Pipeline<number>>();
  expectTypeOf(from(['a']).pipeThrough(scan((all, text) => all + text, ''))).toEqualTypeOf<Pipeline<string>>();
  expectTypeOf(numbers.pipeThrough(flatMap((n) => [`${n}`]))).toEqualTypeOf<Pipeline<string>>();
});
