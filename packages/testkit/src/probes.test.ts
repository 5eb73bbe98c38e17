import { map } from '@millrace/core';
import { sinkProbe, sourceProbe, virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';

test('sourceProbe() gives what it is told to, and records asks and closes', async () => {
  const probe = sourceProbe<number>();
  const items = probe.pipeline.values();
  expect(probe.isAsked).toBe(false);
  const first = items.next();
  await virtualClock().settle();
  expect(probe.isAsked).toBe(true);
  probe.release(1, 2);
  expect((await first).value).toBe(1);
  expect((await items.next()).value).toBe(2);
  expect(probe.pulls).toEqual([1, 1]);
  probe.end();
  expect((await items.next()).done).toBe(true);
  expect(probe.closes).toEqual([undefined]);
  expect(probe.isSpent).toBe(true);
});

test('sourceProbe() fails behind what it released', async () => {
  const probe = sourceProbe<number>({ name: 'given' });
  const seen: number[] = [];
  probe.release(1);
  probe.fail(new Error('no more'));
  const run = probe.pipeline.forEach((n) => void seen.push(n));
  await expect(run).rejects.toMatchObject({ stage: 'given', index: 1 });
  expect(seen).toEqual([1]);
});

test('sinkProbe() takes only what it is told to', async () => {
  const source = sourceProbe<number>();
  const sink = sinkProbe<number>();
  const clock = virtualClock();
  const run = source.pipeline.pipeThrough(map((n) => n * 2)).run(sink.sink);
  source.release(1, 2, 3);
  await clock.settle();
  expect([sink.isOffered, sink.items]).toEqual([true, []]);
  expect(await sink.take(2)).toEqual([2, 4]);
  source.end();
  expect(await sink.take(5)).toEqual([6]);
  await run.finished;
  expect([sink.closes, sink.aborts]).toEqual([1, []]);
});

test('sinkProbe() records why it was aborted, and gives what it has', async () => {
  const source = sourceProbe<number>();
  const sink = sinkProbe<number>();
  const run = source.pipeline.run(sink.sink);
  const taken = sink.take(3);
  source.release(1);
  await virtualClock().settle();
  const reason = new Error('enough');
  run.abort(reason);
  await expect(run.finished).rejects.toBe(reason);
  expect(await taken).toEqual([1]);
  expect(sink.aborts).toEqual([reason]);
});
