import { buffer, type Overflow, type RunSummary } from '@millrace/core';
import { type SinkProbe, type SourceProbe, sinkProbe, sourceProbe, virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';

interface Stalled {
  readonly source: SourceProbe<number>;
  readonly sink: SinkProbe<number>;
  readonly inFlight: () => number;
  /** Ends the source, takes all, and says what happened. */
  readonly end: () => Promise<RunSummary>;
}

/** Five items for a buffer of two behind which one item is in service. */
async function stalled(overflow: Overflow): Promise<Stalled> {
  const { settle } = virtualClock();
  const source = sourceProbe<number>();
  const sink = sinkProbe<number>({ highWaterMark: 0 });
  const run = source.pipeline.pipeThrough(buffer(2, { overflow })).run(sink.sink);
  run.finished.catch(() => {});
  for (const n of [1, 2, 3, 4, 5]) {
    await settle();
    source.release(n);
  }
  await settle();
  const end = (): Promise<RunSummary> => {
    source.end();
    void sink.take(Number.POSITIVE_INFINITY);
    return run.finished;
  };
  return { source, sink, inFlight: () => run.inFlight, end };
}

test('buffer() that blocks reads as much as has room', async () => {
  const { source, sink, inFlight, end } = await stalled('block');
  expect(source.read).toBe(3);
  expect(inFlight()).toBe(3);
  expect(await end()).toMatchObject({ read: 5, emitted: 5, dropped: 0, balanced: true });
  expect(sink.items).toEqual([1, 2, 3, 4, 5]);
});

test('buffer() that drops the oldest reads on, and keeps the newest', async () => {
  const { source, sink, inFlight, end } = await stalled('drop-oldest');
  expect(source.read).toBe(5);
  expect(inFlight()).toBe(3);
  expect(await end()).toMatchObject({ read: 5, emitted: 3, dropped: 2, balanced: true });
  expect(sink.items).toEqual([1, 4, 5]);
});

test('buffer() that drops the newest reads on, and keeps the oldest', async () => {
  const { source, sink, inFlight, end } = await stalled('drop-newest');
  expect(source.read).toBe(5);
  expect(inFlight()).toBe(3);
  expect(await end()).toMatchObject({ read: 5, emitted: 3, dropped: 2, balanced: true });
  expect(sink.items).toEqual([1, 2, 3]);
});

test('buffer() that fails does so behind what waits, with the index of the item that found it full', async () => {
  const { source, sink, end } = await stalled('fail');
  expect(source.read).toBe(4);
  const error = await end().catch((reason) => reason);
  expect(error).toMatchObject({ code: 'ERR_CORE_STAGE', stage: 'buffer', index: 3 });
  expect(error.cause).toMatchObject({
    code: 'ERR_CORE_OVERFLOW',
    message: 'Cannot buffer the item: 2 wait already (must be fewer, or another overflow policy)',
  });
  expect(sink.items).toEqual([1, 2, 3]);
});

test('buffer() reads nothing before it is asked, then ahead', async () => {
  const probe = sourceProbe<number>();
  const items = probe.pipeline.pipeThrough(buffer(3)).values();
  await virtualClock().settle();
  expect(probe.pulls).toEqual([]);
  probe.release(1, 2, 3, 4, 5, 6);
  expect((await items.next()).value).toBe(1);
  await virtualClock().settle();
  expect(probe.read).toBe(4);
  await items.return?.();
  expect(probe.closes).toHaveLength(1);
});
