import { cbor, ndjson } from '@millrace/codecs';
import { from } from '@millrace/core';
import { sinkProbe, sourceProbe, virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';

const bytes = new ByteLengthQueuingStrategy({ highWaterMark: 10 });
const lengthOf = (text: string): number => text.length;

test('ndjson.decode() by size lets chunks wait by their bytes', async () => {
  const source = sourceProbe<Uint8Array>();
  const sink = sinkProbe<number>({ highWaterMark: 0 });
  const run = source.pipeline.pipeThrough(ndjson.decode<number>({ highWaterMark: bytes })).run(sink.sink);
  const chunk = new TextEncoder().encode('1\n22\n');
  source.release(...Array.from({ length: 20 }, () => chunk));
  source.end();
  await virtualClock().settle();
  // One is being decoded, and 5 + 5 bytes wait.
  expect(source.read).toBe(3);
  void sink.take(Number.POSITIVE_INFINITY);
  expect(await run.finished).toMatchObject({ balanced: true, emitted: 40 });
});

test('decoders and encoders print their edges by size', () => {
  const chunks = from([new Uint8Array(1)]);
  const texts = from(['a']);
  const stages = [
    chunks.pipeThrough(ndjson.decode({ highWaterMark: bytes })),
    chunks.pipeThrough(cbor.decode({ highWaterMark: bytes })),
    texts.pipeThrough(ndjson.encode({ highWaterMark: 10, size: lengthOf })),
    texts.pipeThrough(cbor.encode({ highWaterMark: 10, size: lengthOf })),
  ];
  for (const stage of stages) expect(String(stage.explain())).toContain('edge: 10 by size');
});

test('decoders give a budget of bytes back chunk by chunk', async () => {
  const source = sourceProbe<Uint8Array>();
  const sink = sinkProbe<number>({ highWaterMark: 0 });
  const sizeOf = (chunk: Uint8Array): number => chunk.byteLength;
  const run = source.pipeline
    .pipeThrough(ndjson.decode<number>({ highWaterMark: 64 }))
    .run(sink.sink, { maxBytesInFlight: 20, sizeOf });
  const chunk = new TextEncoder().encode('1\n22\n');
  source.release(...Array.from({ length: 20 }, () => chunk));
  source.end();
  const { settle } = virtualClock();
  for (let taken = 0; taken < 10; taken++) {
    await settle();
    expect(source.read).toBeLessThanOrEqual(4 + taken);
    // That all records of a chunk have left is seen one record later.
    expect(source.read).toBeGreaterThanOrEqual(3 + taken);
    await sink.take(2);
  }
  void sink.take(Number.POSITIVE_INFINITY);
  expect(await run.finished).toMatchObject({ balanced: true, emitted: 40 });
});
