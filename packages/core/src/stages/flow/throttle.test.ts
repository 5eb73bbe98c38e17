import { from, throttle } from '@millrace/core';
import { marbles, virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';

test('throttle() hands on the first item at once and drops those within intervalMs', async () => {
  const { source, expect } = marbles();
  const moves = source<string>('ab-c-d-----e|');
  await expect(moves.pipeline.pipeThrough(throttle({ intervalMs: 4.5 })), 'a----d-----e|');
});

test('throttle() with trailing hands on the last of those at the end of the interval, which begins another', async () => {
  const { source, expect } = marbles();
  const moves = source<string>('ab-c-d--------e|');
  await expect(moves.pipeline.pipeThrough(throttle({ intervalMs: 4, trailing: true })), 'a---c---d-----e|');
});

test('throttle() without leading begins an interval with the first item and hands on the last', async () => {
  const { source, expect } = marbles();
  const moves = source<string>('ab-c-------d-----|');
  const stage = throttle<string>({ intervalMs: 5, leading: false, trailing: true });
  await expect(moves.pipeline.pipeThrough(stage), '-----c----------d|');
});

test('throttle() does not lose the trailing item at the end, nor wait with it', async () => {
  const { source, expect } = marbles();
  const stage = throttle<string>({ intervalMs: 50, trailing: true });
  await expect(source<string>('ab-c|').pipeline.pipeThrough(stage), 'a---(c|)');
});

test('throttle() counts what it drops', async () => {
  const run = from([1, 2, 3, 4])
    .pipeThrough(throttle({ intervalMs: 5 }))
    .run(() => {}, { clock: virtualClock() });
  expect(await run.finished).toMatchObject({ read: 4, emitted: 1, dropped: 3, balanced: true });
});
