import { batchWhileBusy, flatMap, from, mapAsync, range } from '@millrace/core';
import { sinkProbe, sourceProbe, virtualClock } from '@millrace/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';

test('batchWhileBusy() hands on at once while the consumer waits, and all that came while it was busy as one batch', async () => {
  const clock = virtualClock();
  const probe = sourceProbe<number>();
  const seen: string[] = [];
  const work = async (batch: number[]): Promise<void> => {
    seen.push(`${batch.join()} at ${clock.now()}`);
    await clock.sleep(100);
  };
  const run = probe.pipeline
    .pipeThrough(batchWhileBusy({ maxItems: 4 }))
    .pipeThrough(mapAsync(work))
    .run(() => {}, { clock });
  await clock.advance(30);
  for (const item of [1, 2, 3, 4, 5, 6]) {
    probe.release(item);
    await clock.advance(10);
  }
  await clock.advance(340);
  probe.release(7);
  await clock.advance(5);
  probe.end();
  await clock.until(run.finished);
  expect(seen).toEqual(['1 at 30', '2,3,4,5 at 130', '6 at 230', '7 at 430']);
  expect(clock.pendingTimers).toBe(0);
});

test('batchWhileBusy() reads no more than maxItems ahead of a consumer that stalls', async () => {
  const clock = virtualClock();
  const probe = sourceProbe<number>();
  probe.release(...Array.from({ length: 50 }, (_, n) => n));
  const sink = sinkProbe<number[]>({ highWaterMark: 0 });
  const run = probe.pipeline.pipeThrough(batchWhileBusy({ maxItems: 7 })).run(sink.sink, { clock });
  await clock.settle();
  expect(probe.read).toBe(14);
  expect(run.counts()[1]).toMatchObject({ in: 14, held: 7, absorbed: 7, out: 1 });
  expect(run.inFlight).toBeLessThanOrEqual(run.explain().bound);
  run.abort('enough');
  await run.finished.catch(() => {});
  expect(run.counts()[1]).toMatchObject({ held: 0, abandoned: 7 });
});

test('batchWhileBusy() has all items in order in batches that are neither empty nor too long', async () => {
  const lags = fc.array(fc.nat(3), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(fc.nat(60), fc.integer({ min: 1, max: 9 }), lags, async (items, maxItems, turns) => {
      const sizes: number[] = [];
      const lag = async (batch: number[]): Promise<number[]> => {
        sizes.push(batch.length);
        for (let turn = turns[sizes.length % turns.length] ?? 0; turn > 0; turn--) await undefined;
        return batch;
      };
      const source = from(async function* () {
        for (let n = 0; n < items; n++) {
          for (let turn = turns[n % turns.length] ?? 0; turn > 0; turn--) await undefined;
          yield n;
        }
      });
      const seen: number[] = [];
      const run = source
        .pipeThrough(batchWhileBusy({ maxItems }))
        .pipeThrough(mapAsync(lag))
        .pipeThrough(flatMap((batch) => batch))
        .run((n) => void seen.push(n));
      expect(await run.finished).toMatchObject({ balanced: true, read: items, emitted: items });
      expect(seen).toEqual(Array.from({ length: items }, (_, n) => n));
      expect(sizes.every((size) => size >= 1 && size <= maxItems)).toBe(true);
    }),
  );
});

test('batchWhileBusy() hands on what it collected before an error of its source', async () => {
  const probe = sourceProbe<number>();
  const sink = sinkProbe<number[]>({ highWaterMark: 0 });
  const run = probe.pipeline.pipeThrough(batchWhileBusy({ maxItems: 9 })).run(sink.sink);
  const failed = expect(run.finished).rejects.toMatchObject({ stage: 'probe', index: 3 });
  probe.release(1);
  await virtualClock().settle();
  probe.release(2, 3);
  probe.fail(new Error('cut'));
  await virtualClock().settle();
  expect(await sink.take(3)).toEqual([[1], [2, 3]]);
  await failed;
});

test('batchWhileBusy() counts as its maxItems in the bound, and refuses wrong options by name', () => {
  expect(
    range(0, 9)
      .pipeThrough(batchWhileBusy({ maxItems: 7 }))
      .explain().bound,
  ).toBeLessThan(40);
  expect(() => batchWhileBusy({} as never)).toThrow(
    'Cannot build batchWhileBusy(): maxItems is undefined (must be a whole number of 1 or more)',
  );
  expect(() => batchWhileBusy({ maxItems: 2, maxBytes: 2 } as never)).toThrow(
    'Cannot build batchWhileBusy(): option "maxBytes" is unknown (must be one of "name", "maxItems")',
  );
});
