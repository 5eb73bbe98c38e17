import { from, sample } from '@millrace/core';
import { marbles, sourceProbe, virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';

test('sample() hands on the latest item at multiples of intervalMs, and nothing where none is new', async () => {
  const { source, expect } = marbles();
  const values = source<string>('-ab-c---------d---|');
  await expect(values.pipeline.pipeThrough(sample({ intervalMs: 5 })), '-----c---------d--|');
});

test('sample() does not lose the last item at the end, nor wait with it', async () => {
  const { source, expect } = marbles();
  await expect(source<string>('ab-c|').pipeline.pipeThrough(sample({ intervalMs: 50 })), '----(c|)');
});

test('sample() does not drift: after an hour a sample is on time', async () => {
  const clock = virtualClock(0.25);
  const source = sourceProbe<number>();
  const seen: number[] = [];
  const run = source.pipeline
    .pipeThrough(sample({ intervalMs: 0.1 }))
    .run(() => void seen.push(clock.now()), { clock });
  await clock.advance(3_600_000);
  source.release(1);
  await clock.advance(1);
  source.end();
  await run.finished;
  expect(seen).toHaveLength(1);
  expect(((seen[0] as number) - 0.25) / 0.1).toBeCloseTo(36_000_001, 3);
});

test('sample() of a source with all items at hand gets its turn, and so do timers', async () => {
  let given = 0;
  const endless = from(
    (function* () {
      for (;;) yield given++;
    })(),
  );
  const seen: number[] = [];
  for await (const n of endless.pipeThrough(sample({ intervalMs: 5 }))) {
    seen.push(n);
    if (seen.length === 3) break;
  }
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(given).toBeGreaterThan(seen[2] as number);
});
