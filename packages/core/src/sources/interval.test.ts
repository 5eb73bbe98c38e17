import { interval, take } from '@millrace/core';
import { sinkProbe, virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';

test('interval() hands on one late tick, leaves out those missed besides, and keeps to its times', async () => {
  const clock = virtualClock();
  const sink = sinkProbe<number>({ highWaterMark: 0 });
  const times: string[] = [];
  const run = interval(10).run(sink.sink, { clock });
  const take1 = async (): Promise<void> => {
    const [tick] = await sink.take();
    times.push(`${tick} at ${clock.now()}`);
  };
  await clock.advance(10);
  await take1();
  await clock.advance(10);
  // Tick 1 waits at the sink; those due at 30, 40 and 50 nobody asks for.
  await clock.advance(35);
  await take1();
  await clock.settle();
  await take1();
  const next = take1();
  await clock.advance(4);
  expect(times).toEqual(['0 at 10', '1 at 55', '2 at 55']);
  await clock.advance(1);
  await next;
  expect(times.at(-1)).toBe('3 at 60');
  run.abort('enough');
  await expect(run.finished).rejects.toBe('enough');
  expect(clock.pendingTimers).toBe(0);
});

test('interval() has no timer before it is asked, and none after it ended', async () => {
  const clock = virtualClock();
  const ticks = interval(10).pipeThrough(take(2)).toArray({ clock });
  await clock.advance(20);
  expect(await ticks).toEqual([0, 1]);
  expect(clock.pendingTimers).toBe(0);
});
