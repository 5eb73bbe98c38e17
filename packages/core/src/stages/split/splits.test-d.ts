import { batch, type DeadLetter, deadLetter, fallback, from, type Pipeline, partitionBy } from '@millrace/core';
import { expectTypeOf, test } from 'vitest';

const isText = (value: string | number): value is string => typeof value === 'string';

test('types of branches flow', () => {
  const mixed = from<string | number>(['a', 1]);
  const { texts, rest } = mixed.route({ texts: isText, rest: () => true });
  expectTypeOf(texts).toEqualTypeOf<Pipeline<string>>();
  expectTypeOf(rest).toEqualTypeOf<Pipeline<string | number>>();
  const [yes, no] = mixed.partition(isText);
  expectTypeOf(yes).toEqualTypeOf<Pipeline<string>>();
  expectTypeOf(no).toEqualTypeOf<Pipeline<number>>();
  const [a, b] = mixed.balance(2);
  expectTypeOf(a).toEqualTypeOf<Pipeline<string | number>>();
  expectTypeOf(b).toEqualTypeOf<Pipeline<string | number>>();
  // @ts-expect-error a predicate of other items
  mixed.route({ dates: (date: Date) => date.getTime() > 0 });
});

test('types of policies and sizes of branches flow', () => {
  const texts = from(['a']);
  const { a, b } = texts.route({ a: () => true, b: () => true }, { onError: fallback(() => 'b') });
  expectTypeOf([a, b]).toEqualTypeOf<Pipeline<string>[]>();
  texts.route({ a: () => true, b: () => true }, { onError: fallback((_error, text) => (text === '' ? 'a' : 'b')) });
  // @ts-expect-error the fallback gives no name
  texts.route({ a: () => true }, { onError: fallback(() => 1) });
  // @ts-expect-error dead letters of other items
  texts.route({ a: () => true }, { onError: deadLetter(new WritableStream<DeadLetter<number>>()) });
  texts.partition(() => true, { highWaterMark: 8, size: (text) => text.length, onError: fallback(() => false) });
  // @ts-expect-error the fallback gives no answer
  texts.partition(() => true, { onError: fallback(() => 'no') });
  texts.balance(2, { highWaterMark: new CountQueuingStrategy({ highWaterMark: 2 }) });
  // @ts-expect-error a size of other items
  texts.balance(2, { highWaterMark: 8, size: (n: number) => n });
});

test('types of a sub-pipeline flow', () => {
  const byLength = partitionBy(
    (text: string) => text.length,
    { maxKeys: 10 },
    (branch) => branch.pipeThrough(batch({ maxItems: 2 })),
  );
  expectTypeOf(from(['a']).pipeThrough(byLength)).toEqualTypeOf<Pipeline<string[]>>();
  // @ts-expect-error items of another type
  from([1]).pipeThrough(byLength);
  const options = { maxKeys: 1, onError: fallback((_error, text: string) => text.length) };
  const other = partitionBy(
    (text: string) => text.length,
    options,
    (branch) => branch,
  );
  expectTypeOf(from(['a']).pipeThrough(other)).toEqualTypeOf<Pipeline<string>>();
  const wrong = { maxKeys: 1, onError: fallback(() => 'no') };
  partitionBy(
    (text: string) => text.length,
    // @ts-expect-error a key of another type
    wrong,
    (branch) => branch,
  );
});
