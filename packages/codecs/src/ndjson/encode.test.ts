import { ndjson } from '@millrace/codecs';
import { batch, type DeadLetter, deadLetter, from, range } from '@millrace/core';
import { expect, test } from 'vitest';
import { joined } from '../../test/bytes.js';

const text = (chunks: readonly Uint8Array[]): string => new TextDecoder().decode(joined(chunks));

test('ndjson.encode() makes chunks of about 64 KiB from what there is, at most 256 records each', async () => {
  const small = await from(Array.from({ length: 600 }, (_, id) => ({ id })))
    .pipeThrough(ndjson.encode())
    .toArray();
  const sizes = small.map((chunk) => text([chunk]).split('\n').length - 1);
  expect(sizes.reduce((sum, size) => sum + size)).toBe(600);
  expect(Math.max(...sizes)).toBe(256);
  expect(sizes.length).toBeLessThan(6);
  const large = await from(Array.from({ length: 10 }, () => 'x'.repeat(30_000)))
    .pipeThrough(ndjson.encode())
    .toArray();
  expect(joined(large)).toHaveLength(300_030);
  expect(Math.max(...large.map((chunk) => chunk.length))).toBe(90_009);
});

test('ndjson.encode() behind a batch holds as many batches as have 256 members, one at least', async () => {
  const encoded = (maxItems: number) => range(0, 1_000).pipeThrough(batch({ maxItems })).pipeThrough(ndjson.encode());
  expect(encoded(100).explain().rooms.slice(-2)).toMatchObject([{ items: 200 }, { items: 200 }]);
  expect(encoded(900).explain().rooms.slice(-2)).toMatchObject([{ items: 900 }, { items: 900 }]);
  const chunks = await encoded(100).toArray();
  expect(Math.max(...chunks.map((chunk) => text([chunk]).split('\n').length - 1))).toBeLessThanOrEqual(2);
});

test('ndjson.encode() does not wait for a chunk to be full', async () => {
  let release: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const source = from(async function* () {
    yield 1;
    await gate;
    yield 2;
  });
  const iterator = source.pipeThrough(ndjson.encode()).values();
  expect(text([(await iterator.next()).value])).toBe('1\n');
  release();
  expect(text([(await iterator.next()).value])).toBe('2\n');
  expect(await iterator.next()).toMatchObject({ done: true });
});

test('ndjson.encode() fails behind the chunk of the records before', async () => {
  const seen: Uint8Array[] = [];
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  for (const value of [undefined, () => {}, 5n, cycle]) {
    seen.length = 0;
    const run = from([1, 2, value, 4])
      .pipeThrough(ndjson.encode())
      .run((chunk) => void seen.push(chunk));
    const error = await run.finished.catch((reason) => reason);
    expect(text(seen)).toBe('1\n2\n');
    expect(error).toMatchObject({
      stage: 'ndjson.encode',
      index: 2,
      cause: { code: 'ERR_CODECS_VALUE', recordIndex: 2 },
    });
    expect(run.inFlight).toBe(0);
  }
});

test('ndjson.encode() skips or dead-letters a record that has no form in JSON, and counts it', async () => {
  const skipping = from([undefined, 1, undefined, 2, undefined]).pipeThrough(ndjson.encode({ onError: 'skip' }));
  const seen: Uint8Array[] = [];
  const summary = await skipping.run((chunk) => void seen.push(chunk)).finished;
  expect(text(seen)).toBe('1\n2\n');
  expect(summary).toMatchObject({ read: 5, dropped: 3, absorbed: 2, balanced: true });
  expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
  const letters: DeadLetter[] = [];
  const office = deadLetter(new WritableStream({ write: (letter) => void letters.push(letter) }));
  await from([1, 7n])
    .pipeThrough(ndjson.encode({ onError: office }))
    .toArray();
  expect(letters).toEqual([
    expect.objectContaining({ stage: 'ndjson.encode', index: 1, item: 7n, error: expect.any(Error) }),
  ]);
});

test('ndjson.encode() throws at once for options that make no sense', () => {
  expect(() => ndjson.encode({ maxBytes: 5 } as never)).toThrow(/option "maxBytes" is unknown/);
  expect(() => ndjson.encode({ onError: 1 as never })).toThrow(/onError is 1/);
});
