import { delay, from, range } from '@millrace/core';
import { marbles, sinkProbe, sourceProbe, virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';

test('delay() hands on each item delayMs after it came, then the end', async () => {
  const { source, expect } = marbles();
  const letters = source<string>('ab--c|');
  await expect(letters.pipeline.pipeThrough(delay({ delayMs: 4 })), '----ab--(c|)');
});

test('delay() passes an upstream error on behind the items before it', async () => {
  const { source, expect } = marbles();
  await expect(source<string>('a-b#').pipeline.pipeThrough(delay({ delayMs: 3 })), '---a-(b#)');
});

test('delay() reads no more than maxItems ahead', async () => {
  const clock = virtualClock();
  const source = sourceProbe<number>();
  source.release(1, 2, 3, 4, 5, 6);
  source.end();
  const sink = sinkProbe<number>({ highWaterMark: 0 });
  const run = source.pipeline
    .pipeThrough(delay({ delayMs: 10, maxItems: 3 }))
    .run(sink.sink, { clock, maxInFlight: 4 });
  await clock.advance(9);
  expect([source.read, sink.isOffered]).toEqual([3, false]);
  await clock.advance(1);
  expect([source.read, sink.isOffered]).toEqual([4, true]);
  void sink.take(Number.POSITIVE_INFINITY);
  const summary = await clock.until(run.finished);
  expect(sink.items).toEqual([1, 2, 3, 4, 5, 6]);
  expect(summary).toMatchObject({ emitted: 6, balanced: true });
  expect(summary.inFlightMax).toBeLessThanOrEqual(4);
});

test('delay() without maxItems has no bound, and is refused under maxInFlight', () => {
  const delayed = range(0, 3).pipeThrough(delay({ delayMs: 1 }));
  expect(delayed.explain().bound).toBe(Number.POSITIVE_INFINITY);
  expect(() => delayed.run(() => {}, { maxInFlight: 1000 })).toThrow('delay');
});

test('delay() of many items at once keeps their order and loses none', async () => {
  const clock = virtualClock();
  const items = Array.from({ length: 5000 }, (_, n) => n);
  const delayed = from(items).pipeThrough(delay({ delayMs: 5 }));
  expect(await clock.until(delayed.toArray({ clock }))).toEqual(items);
});

test('delay() lets go of the bytes of an item when it hands the item on, however many wait behind it', async () => {
  const clock = virtualClock();
  const probe = sourceProbe<number>();
  const seen: string[] = [];
  const run = probe.pipeline
    .pipeThrough(delay({ delayMs: 10, maxItems: 100 }))
    .run((n) => void seen.push(`${n} at ${clock.now()}`), { clock, maxBytesInFlight: 4, sizeOf: () => 1 });
  for (let n = 0; n < 20; n++) {
    await clock.settle();
    probe.release(n);
    await clock.advance(4);
  }
  probe.end();
  await clock.until(run.finished);
  expect(seen).toEqual(Array.from({ length: 20 }, (_, n) => `${n} at ${n * 4 + 10}`));
});
