import { buffer, from, mapAsync, type Pipeline, type Sink } from '@millrace/core';
import { expectTypeOf, test } from 'vitest';

test('size is given what comes in, and a strategy does not widen it', () => {
  const bytes = from([new Uint8Array(1)]);
  const strategy = new ByteLengthQueuingStrategy({ highWaterMark: 10 });
  expectTypeOf(bytes.pipeThrough(buffer(strategy))).toEqualTypeOf(bytes);
  expectTypeOf(bytes.pipeThrough(buffer(10, { size: (chunk) => chunk.byteLength }))).toEqualTypeOf(bytes);
  const length = mapAsync((chunk: Uint8Array) => chunk.length, { highWaterMark: strategy });
  expectTypeOf(bytes.pipeThrough(length)).toEqualTypeOf<Pipeline<number>>();
  bytes.pipeThrough(mapAsync((chunk) => chunk.length, { highWaterMark: 10, size: (chunk) => chunk.byteLength }));
});

test('size of other items is refused', () => {
  // @ts-expect-error: texts have no bytes.
  mapAsync((text: string) => text, { highWaterMark: new ByteLengthQueuingStrategy({ highWaterMark: 1 }) });
  // @ts-expect-error: the stage takes texts.
  mapAsync((text: string) => text, { highWaterMark: 1, size: (n: number) => n });
  const sink: Sink<string> = { size: (text) => text.length, highWaterMark: 1, open: () => ({ write: () => {} }) };
  from(['a']).run(sink);
});
