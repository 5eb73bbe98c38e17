import {
  batch,
  type DeadLetter,
  deadLetter,
  fallback,
  filter,
  flatMap,
  from,
  map,
  mapAsync,
  type Pipeline,
  scan,
  tap,
  window,
} from '@millrace/core';
import { expectTypeOf, test } from 'vitest';

test('one stream of dead letters serves stages of any item, and what comes says what they take', () => {
  const rejects = deadLetter(new WritableStream<DeadLetter>());
  const priced = from(['{"id":1}'])
    .pipeThrough(map((line) => JSON.parse(line.trim()) as { id: number }, { onError: rejects }))
    .pipeThrough(filter((order) => order.id > 0, { onError: rejects }))
    .pipeThrough(tap((order) => order.id, { onError: rejects }))
    .pipeThrough(mapAsync(async (order) => order.id, { concurrency: 2, onError: rejects }))
    .pipeThrough(flatMap((id) => [id.toFixed()], { onError: rejects }))
    .pipeThrough(scan((most, id) => Math.max(most, id.length), 0, { onError: rejects }))
    .pipeThrough(batch({ maxBytes: 8, sizeOf: (each) => each + 1, onError: rejects }));
  expectTypeOf(priced).toEqualTypeOf<Pipeline<number[]>>();
  const seconds = from([1]).pipeThrough(
    window({ sizeMs: 1_000, timeMs: (at) => at + 1, onLate: rejects, onError: rejects }),
  );
  expectTypeOf(seconds.toArray).returns.resolves.items.toHaveProperty('items').toEqualTypeOf<number[]>();
});

test('the function of fallback() is given the item of its stage, and letters are of it or of any', () => {
  const given = from([1]).pipeThrough(map((n) => n.toFixed(), { onError: fallback((_error, n: number) => n) }));
  expectTypeOf(given).toEqualTypeOf<Pipeline<string | number>>();
  from([1]).pipeThrough(map((n) => n, { onError: deadLetter(new WritableStream<DeadLetter<number>>()) }));
  // @ts-expect-error letters of texts are not for a stage that takes numbers
  from([1]).pipeThrough(map((n) => n, { onError: deadLetter(new WritableStream<DeadLetter<string>>()) }));
});
