import { batch, buffer, from, type ItemContext, map, mapAsync, range, StageError } from '@millrace/core';
import { virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';

const never = (): Promise<never> => new Promise(() => {});

test('run() fails with a TimeoutError when it takes longer than timeoutMs', async () => {
  const clock = virtualClock();
  const run = range(0, 100)
    .pipeThrough(mapAsync((n) => clock.sleep(10).then(() => n)))
    .run(() => {}, { clock, timeoutMs: 55 });
  const error = await clock.until(run.finished.catch((reason) => reason));
  expect(error).toMatchObject({ name: 'TimeoutError', code: 'ERR_CORE_TIMEOUT' });
  expect(error.message).toBe('Cannot finish the run: it took longer than 55 ms');
  expect(clock.now()).toBe(55);
  expect(run.inFlight).toBe(0);
});

test('run() fails with a TimeoutError when nothing moves for idleTimeoutMs, and not before', async () => {
  const clock = virtualClock();
  const run = range(0, 100)
    .pipeThrough(mapAsync((n) => (n < 20 ? clock.sleep(70).then(() => n) : never())))
    .run(() => {}, { clock, idleTimeoutMs: 100 });
  const error = await clock.until(run.finished.catch((reason) => reason));
  expect(error.message).toBe('Cannot finish the run: nothing moved for 100 ms');
  expect(clock.now()).toBeGreaterThanOrEqual(20 * 70 + 100);
  expect(clock.now()).toBeLessThanOrEqual(20 * 70 + 125);
  expect(clock.pendingTimers).toBe(0);
});

test('run() within its limits leaves no timer', async () => {
  const clock = virtualClock();
  const items = range(0, 3).toArray({ clock, timeoutMs: 1_000, idleTimeoutMs: 1_000 });
  expect(await clock.until(items)).toEqual([0, 1, 2]);
  expect(clock.pendingTimers).toBe(0);
});

for (const way of [{}, { fuse: false }, { generate: false }]) {
  test(`drain() that comes to its deadline aborts the signals of calls under way: ${JSON.stringify(way)}`, async () => {
    const clock = virtualClock();
    const signals: AbortSignal[] = [];
    const call = (_: number, { signal }: ItemContext): Promise<never> => {
      signals.push(signal);
      return never();
    };
    const run = range(0, 9)
      .pipeThrough(mapAsync(call))
      .run(() => {}, { ...way, clock, closeGraceMs: 10 });
    await clock.settle();
    const summary = await clock.until(run.drain({ deadlineMs: 10 }));
    expect(summary.abandoned).toBeGreaterThan(0);
    expect(signals[0]?.reason).toMatchObject({ code: 'ERR_CORE_ABORTED' });
  });
}

test('StageError says how full every edge was', async () => {
  const clock = virtualClock();
  const failing = range(0, 100)
    .pipeThrough(batch({ maxItems: 2 }))
    .pipeThrough(buffer(4))
    .pipeThrough(
      mapAsync(
        async (pair: number[]) => {
          await clock.sleep(5);
          if (pair[0] === 10) throw new Error('no');
          return pair;
        },
        { name: 'slow' },
      ),
    )
    .pipeThrough(map((pair) => pair))
    .run(() => {}, { clock });
  const error: StageError = await clock.until(failing.finished.catch((reason) => reason));
  expect(error).toBeInstanceOf(StageError);
  expect(error.edges).toEqual([{ stage: 'buffer', waiting: 4, highWaterMark: 4 }]);
  const none = from([1]).pipeThrough(
    map((): number => {
      throw new Error('no');
    }),
  );
  expect((await none.toArray().catch((reason) => reason)).edges).toEqual([]);
});
