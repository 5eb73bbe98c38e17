import { cbor, ndjson } from '@millrace/codecs';
import { fallback } from '@millrace/core';
import { type ConformOptions, conform, type StageFactory } from '@millrace/testkit';
import { expect, type TestContext, test } from 'vitest';
import { utf8 } from './bytes.js';

function conforms<I, O>(name: string, factory: StageFactory<I, O>, options?: ConformOptions<I>): void {
  test(`${name} conforms`, { timeout: 60_000 }, async ({ task }: TestContext) => {
    const { laws } = await conform(factory, options);
    Object.assign(task.meta, { stage: name, laws });
    expect(laws.filter(({ passed }) => !passed)).toEqual([]);
  });
}

const line = (index: number): Uint8Array => utf8(`{"id":${index}}\n{"id":-${index}}\n`);
const item = (index: number): Uint8Array => Uint8Array.of(0x18, 24 + index, 0x81, index);
/** Large enough for a chunk of its own: small records share one with those that happen to be in the burst. */
const large = (index: number): string => `${index}`.padStart(65_536, '-');

conforms('ndjson.decode()', () => ndjson.decode(), { input: line });
conforms('ndjson.decode() without an edge', () => ndjson.decode({ highWaterMark: 0, onError: 'skip' }), {
  input: line,
});
conforms('cbor.decode()', () => cbor.decode(), { input: item });
conforms('cbor.decode() without an edge', () => cbor.decode({ highWaterMark: 0, onError: 'skip' }), { input: item });
conforms('ndjson.encode()', () => ndjson.encode<string>(), { input: large, items: 6 });
conforms('ndjson.encode() with a small edge', () => ndjson.encode<string>({ highWaterMark: 4, onError: 'skip' }), {
  input: large,
  items: 6,
});
conforms('cbor.encode()', () => cbor.encode<string>(), { input: large, items: 6 });
conforms('cbor.encode() with a small edge', () => cbor.encode<string>({ highWaterMark: 4, onError: 'skip' }), {
  input: large,
  items: 6,
});
conforms(
  'ndjson.decode() with fallback()',
  () => ndjson.decode({ highWaterMark: 0, onError: fallback((_error, bytes) => bytes.length) }),
  { input: (index: number): Uint8Array => utf8(`no ${index}\n{"id":${index}}\n`) },
);
conforms(
  'ndjson.encode() with fallback()',
  () => ndjson.encode<() => string>({ highWaterMark: 4, onError: fallback((_error, of) => of()) }),
  { input: (index: number) => () => large(index), items: 6 },
);
