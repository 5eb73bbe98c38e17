import { type Clock, from, generate, type Pipeline, type Rate, rateBudget, rateLimit } from '@millrace/core';
import { source } from '@millrace/core/authoring';
import { sinkProbe, sourceProbe, type VirtualClock, virtualClock } from '@millrace/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const HOUR_MS = 3_600_000;

/** An endless count. */
const numbers = (): Pipeline<number> => {
  let next = 0;
  return generate(() => next++);
};

test.each([
  { limit: 3, intervalMs: 10_000, burst: 1 },
  { limit: 7, intervalMs: 30_000, burst: 20 },
  { limit: 0.3, intervalMs: 777.7, burst: 2.5 },
])('rateLimit() does not drift: in an hour $limit in $intervalMs ms pass, and $burst more', async (rate) => {
  const clock = virtualClock(0.1);
  let passed = 0;
  const run = numbers()
    .pipeThrough(rateLimit(rate))
    .run(() => void passed++, { clock });
  run.finished.catch(() => {});
  await clock.advance(HOUR_MS);
  expect(passed).toBe(Math.floor((HOUR_MS / rate.intervalMs) * rate.limit + rate.burst));
  run.abort('enough');
  expect(clock.pendingTimers).toBe(0);
});

test('rateLimit() passes a burst after a pause, and never more than that', async () => {
  const clock = virtualClock();
  const probe = sourceProbe<number>();
  const seen: string[] = [];
  const run = probe.pipeline
    .pipeThrough(rateLimit({ limit: 1, intervalMs: 10, burst: 3 }))
    .run((n) => void seen.push(`${n} at ${clock.now()}`), { clock });
  probe.release(1, 2, 3, 4, 5);
  await clock.advance(1000);
  probe.release(6, 7, 8, 9);
  probe.end();
  await clock.until(run.finished);
  expect(seen.slice(0, 5)).toEqual(['1 at 0', '2 at 0', '3 at 0', '4 at 10', '5 at 20']);
  expect(seen.slice(5)).toEqual(['6 at 1000', '7 at 1000', '8 at 1000', '9 at 1010']);
});

interface Passed {
  readonly at: number;
  readonly cost: number;
}

/** A bucket of so many tokens, filled step by step. */
function model({ limit, intervalMs, burst = 1 }: Rate, arrivals: readonly Passed[]): number[] {
  const perMs = limit / intervalMs;
  let tokens = burst;
  let nowMs = 0;
  return arrivals.map(({ at, cost }) => {
    const beginMs = Math.max(at, nowMs);
    tokens = Math.min(burst, tokens + (beginMs - nowMs) * perMs);
    const missing = Math.max(0, Math.min(cost, burst) - tokens);
    nowMs = beginMs + missing / perMs;
    tokens += missing - cost;
    return nowMs;
  });
}

function arriving(clock: VirtualClock, arrivals: readonly Passed[]): Pipeline<Passed> {
  let next = 0;
  return source<Passed>({
    name: 'arriving',
    open: () => ({
      read() {
        const arrival = arrivals[next++];
        if (arrival === undefined) return undefined;
        return clock.sleep(arrival.at - clock.now()).then(() => [arrival]);
      },
      close: () => {},
    }),
  });
}

test('rateLimit() lets items pass at the times of its model', async () => {
  const rates = fc.record({
    limit: fc.integer({ min: 1, max: 20 }),
    intervalMs: fc.integer({ min: 1, max: 500 }),
    burst: fc.integer({ min: 1, max: 9 }),
  });
  const items = fc
    .array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 12 })), { maxLength: 40 })
    .map((list) =>
      list.map(([, cost], at) => ({ cost, at: list.slice(0, at + 1).reduce((sum, [gap]) => sum + gap, 0) })),
    );
  const check = fc.asyncProperty(rates, items, async (rate, arrivals) => {
    const clock = virtualClock();
    const times: number[] = [];
    const run = arriving(clock, arrivals)
      .pipeThrough(rateLimit(rate, { cost: ({ cost }) => cost }))
      .run(() => void times.push(clock.now()), { clock });
    const summary = await clock.until(run.finished);
    expect(summary).toMatchObject({ read: arrivals.length, emitted: arrivals.length, balanced: true });
    const expected = model(rate, arrivals);
    for (const [at, time] of times.entries()) expect(time).toBeCloseTo(expected[at] as number, 6);
  });
  await fc.assert(check, { numRuns: 100 });
});

test('rateLimit() stages that share a budget pass together what one of them would, in turns', async () => {
  const clock = virtualClock();
  const budget = rateBudget({ limit: 10, intervalMs: 1000, burst: 3 });
  const passed = [0, 0, 0];
  const runs = passed.map((_, which) =>
    numbers()
      .pipeThrough(rateLimit(budget))
      .run(
        () => {
          passed[which] = (passed[which] as number) + 1;
        },
        { clock },
      ),
  );
  for (const { finished } of runs) finished.catch(() => {});
  await clock.advance(30_000);
  expect(passed.reduce((sum, each) => sum + each)).toBe(303);
  // The first to ask has the burst.
  expect(Math.max(...passed) - Math.min(...passed)).toBeLessThanOrEqual(4);
  for (const run of runs) run.abort('enough');
});

test('rateLimit() with a budget that another one leaves alone has all of it', async () => {
  const clock = virtualClock();
  const budget = rateBudget({ limit: 10, intervalMs: 1000 });
  const idle = sourceProbe<number>()
    .pipeline.pipeThrough(rateLimit(budget))
    .run(() => {}, { clock });
  idle.finished.catch(() => {});
  let passed = 0;
  const busy = numbers()
    .pipeThrough(rateLimit(budget))
    .run(() => void passed++, { clock });
  busy.finished.catch(() => {});
  await clock.advance(10_000);
  expect(passed).toBe(101);
  for (const run of [idle, busy]) run.abort('enough');
});

test('rateLimit() without a shared budget has one for each run', async () => {
  const clock = virtualClock();
  const stage = rateLimit<number>({ limit: 1, intervalMs: 1000 });
  const first = from([1]).pipeThrough(stage).toArray({ clock });
  const second = from([2]).pipeThrough(stage).toArray({ clock });
  expect(await Promise.all([first, second])).toEqual([[1], [2]]);
});

test('rateLimit() makes up for timers that are late, but not for a thread that slept', async () => {
  const virtual = virtualClock();
  let lateMs = 0;
  const clock: Clock = {
    now: () => virtual.now(),
    setTimer: (callback, delayMs) => virtual.setTimer(callback, delayMs + lateMs),
  };
  const times: number[] = [];
  const run = numbers()
    .pipeThrough(rateLimit({ limit: 1, intervalMs: 1 }))
    .run(() => void times.push(virtual.now()), { clock });
  run.finished.catch(() => {});
  lateMs = 4;
  await virtual.advance(1000);
  // One a millisecond, some at once; what is due and not passed yet is as much as one timer is late.
  expect(times.length).toBeGreaterThanOrEqual(996);
  expect(times.length).toBeLessThanOrEqual(1001);
  lateMs = 500;
  await virtual.advance(510);
  lateMs = 0;
  const before = times.length;
  await virtual.advance(100);
  expect(times.length - before).toBeLessThanOrEqual(101);
  run.abort('enough');
});

test('rateLimit() reads nothing while an item waits', async () => {
  const clock = virtualClock();
  const probe = sourceProbe<number>();
  probe.release(1, 2, 3, 4);
  const run = probe.pipeline.pipeThrough(rateLimit({ limit: 1, intervalMs: 10 })).run(() => {}, { clock });
  run.finished.catch(() => {});
  await clock.settle();
  expect([probe.read, run.inFlight]).toEqual([2, 1]);
  await clock.advance(10);
  expect(probe.read).toBe(3);
  run.abort('enough');
});

test('rateLimit() takes no tokens for a consumer that does not ask', async () => {
  const clock = virtualClock();
  const sink = sinkProbe<number>({ highWaterMark: 0 });
  const run = numbers()
    .pipeThrough(rateLimit({ limit: 1, intervalMs: 10, burst: 2 }))
    .run(sink.sink, { clock });
  run.finished.catch(() => {});
  await clock.advance(1000);
  void sink.take(5);
  await clock.settle();
  // The one that was offered, and a burst.
  expect(sink.items).toEqual([0, 1, 2]);
  await clock.advance(20);
  expect(sink.items).toEqual([0, 1, 2, 3, 4]);
  run.abort('enough');
});

test('rateLimit() finishes the item that waits at a drain, and counts it as abandoned at an abort', async () => {
  for (const end of ['drain', 'abort'] as const) {
    const clock = virtualClock();
    const run = from([1, 2, 3])
      .pipeThrough(rateLimit({ limit: 1, intervalMs: 10 }))
      .run(() => {}, { clock });
    run.finished.catch(() => {});
    await clock.settle();
    if (end === 'abort') run.abort('enough');
    else await clock.until(run.drain({ deadlineMs: 100 }));
    await run.finished.catch(() => {});
    const counts = run.counts().find(({ name }) => name === 'rateLimit');
    expect(counts).toMatchObject(end === 'abort' ? { out: 1, abandoned: 1 } : { out: 2, abandoned: 0 });
    expect(clock.pendingTimers).toBe(0);
  }
});

test('rateLimit() fails at an item whose cost is no finite number of 0 or more', async () => {
  const limited = from([1, -1]).pipeThrough(rateLimit({ limit: 1, intervalMs: 1 }, { cost: (n) => n }));
  await expect(limited.toArray({ clock: virtualClock() })).rejects.toMatchObject({
    stage: 'rateLimit',
    index: 1,
    cause: new RangeError('cost returned -1 (must be a finite number of 0 or more)'),
  });
});
