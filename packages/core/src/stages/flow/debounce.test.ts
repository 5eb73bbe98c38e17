import { batch, debounce, map, type Pipeline, type RunSummary } from '@millrace/core';
import { marbles, sinkProbe, sourceProbe, virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';

test('debounce() hands on an item when it has been quiet for waitMs', async () => {
  const { source, expect } = marbles();
  const typed = source<string>('ab-c----d-----|');
  await expect(typed.pipeline.pipeThrough(debounce({ waitMs: 3 })), '------c----d--|');
});

test('debounce() hands on the latest after maxWaitMs where it is never quiet', async () => {
  const { source, expect } = marbles();
  const typed = source<string>('abcdefghi---|');
  await expect(typed.pipeline.pipeThrough(debounce({ waitMs: 2, maxWaitMs: 3.5 })), '---d---h--i-|');
});

test('debounce() does not lose the last item at the end, nor wait with it', async () => {
  const { source, expect } = marbles();
  await expect(source<string>('a-b|').pipeline.pipeThrough(debounce({ waitMs: 10 })), '---(b|)');
});

test('debounce() hands the last item on before an upstream error', async () => {
  const { source, expect } = marbles();
  await expect(source<string>('a-b#').pipeline.pipeThrough(debounce({ waitMs: 10 })), '---(b#)');
});

test('debounce() reads on while its consumer is busy, and keeps the newest of what is due', async () => {
  const clock = virtualClock();
  const source = sourceProbe<number>();
  const sink = sinkProbe<number>({ highWaterMark: 0 });
  const run = source.pipeline.pipeThrough(debounce({ waitMs: 10 })).run(sink.sink, { clock });
  for (const n of [1, 2, 3, 4]) {
    await clock.settle();
    source.release(n);
    await clock.advance(20);
  }
  // 1 is with the sink, 2 and 3 gave way to 4.
  expect([source.read, run.inFlight]).toEqual([4, 2]);
  source.end();
  void sink.take(Number.POSITIVE_INFINITY);
  expect(await run.finished).toMatchObject({ read: 4, emitted: 2, dropped: 2, balanced: true });
  expect(sink.items).toEqual([1, 4]);
});

test('debounce() has one timer for any number of items, and none when the run is over', async () => {
  const clock = virtualClock();
  const source = sourceProbe<number>();
  const run = source.pipeline.pipeThrough(debounce({ waitMs: 10 })).run(() => {}, { clock });
  run.finished.catch(() => {});
  for (let n = 0; n < 100; n++) {
    source.release(n);
    await clock.advance(1);
    expect(clock.pendingTimers).toBe(1);
  }
  run.abort('enough');
  await expect(run.finished).rejects.toBe('enough');
  expect(clock.pendingTimers).toBe(0);
});

test('debounce() hands on at a drain what it holds, and counts it as abandoned at an abort', async () => {
  const ended = async (end: 'drain' | 'abort'): Promise<RunSummary | undefined> => {
    const clock = virtualClock();
    const source = sourceProbe<number>();
    let summary: RunSummary | undefined;
    const observer = {
      ended(sum: RunSummary): void {
        summary = sum;
      },
    };
    const run = source.pipeline.pipeThrough(debounce({ waitMs: 10 })).run(() => {}, { clock, observer });
    run.finished.catch(() => {});
    source.release(1, 2);
    await clock.settle();
    const over = end === 'drain' ? run.drain({ deadlineMs: 5 }) : Promise.resolve(run.abort('enough'));
    await over;
    await run.finished.catch(() => {});
    return summary;
  };
  expect(await ended('drain')).toMatchObject({ emitted: 1, dropped: 1, abandoned: 0, balanced: true });
  expect(await ended('abort')).toMatchObject({ emitted: 0, dropped: 1, abandoned: 1, balanced: true });
});

test('debounce() prints what it may hold, and counts a batch as its items', () => {
  const quiet = debounce<unknown>({ waitMs: 10 });
  const { pipeline } = sourceProbe<number>();
  expect(pipeline.pipeThrough(quiet).explain().rooms).toContainEqual({ stage: 'debounce', where: 'latest', items: 66 });
  const batches = pipeline.pipeThrough(batch({ maxItems: 100 })).pipeThrough(quiet);
  expect(batches.explain().rooms).toContainEqual({ stage: 'debounce', where: 'latest', items: 300 });
});

test('debounce() keeps the type of its items', () => {
  const texts: Pipeline<string> = sourceProbe<number>()
    .pipeline.pipeThrough(debounce({ waitMs: 1 }))
    .pipeThrough(map((n) => n.toFixed()));
  expect(texts.explain().bound).toBeGreaterThan(0);
});
