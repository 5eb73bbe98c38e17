import { debounce, delay, type Pipeline, type RunSummary, type Stage, sample, throttle } from '@millrace/core';
import { source } from '@millrace/core/authoring';
import { type VirtualClock, virtualClock } from '@millrace/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';

// What the stages of time let through, and when, against a loop over an array of times.

/** An item is the time at which it comes, with its place. */
interface Arrival {
  readonly atMs: number;
  readonly place: number;
}

interface HandedOn {
  readonly place: number;
  readonly atMs: number;
}

type Model = (arrivals: readonly Arrival[]) => HandedOn[];

/** Gives each item at its time. */
function arriving(clock: VirtualClock, arrivals: readonly Arrival[]): Pipeline<Arrival> {
  let next = 0;
  return source<Arrival>({
    name: 'arriving',
    open: () => ({
      read() {
        const arrival = arrivals[next++];
        if (arrival === undefined) return undefined;
        return clock.sleep(arrival.atMs - clock.now()).then(() => [arrival]);
      },
      close: () => {},
    }),
  });
}

async function handedOn(
  stage: Stage<Arrival, Arrival>,
  arrivals: readonly Arrival[],
): Promise<{ out: HandedOn[]; summary: RunSummary }> {
  const clock = virtualClock();
  const out: HandedOn[] = [];
  const run = arriving(clock, arrivals)
    .pipeThrough(stage)
    .run(({ place }) => void out.push({ place, atMs: clock.now() }), { clock });
  const summary = await clock.until(run.finished);
  expect(clock.pendingTimers).toBe(0);
  return { out, summary };
}

const lastOf = (arrivals: readonly Arrival[]): number => arrivals.at(-1)?.atMs ?? 0;

const debounced =
  (waitMs: number, maxWaitMs: number): Model =>
  (arrivals) => {
    const out: HandedOn[] = [];
    let firstMs: number | undefined;
    arrivals.forEach(({ atMs, place }, at) => {
      firstMs ??= atMs;
      const dueMs = Math.min(atMs + waitMs, firstMs + maxWaitMs);
      const nextMs = arrivals[at + 1]?.atMs;
      if (nextMs !== undefined && nextMs < dueMs) return;
      out.push({ place, atMs: nextMs === undefined ? atMs : dueMs });
      firstMs = undefined;
    });
    return out;
  };

const throttled =
  (intervalMs: number, leading: boolean, trailing: boolean): Model =>
  (arrivals) => {
    const out: HandedOn[] = [];
    let endsMs = Number.NEGATIVE_INFINITY;
    let last: number | undefined;
    const end = (untilMs: number): void => {
      while (last !== undefined && endsMs < untilMs) {
        out.push({ place: last, atMs: endsMs });
        last = undefined;
        endsMs += intervalMs;
      }
    };
    for (const { atMs, place } of arrivals) {
      end(atMs);
      if (atMs < endsMs) {
        if (trailing) last = place;
      } else {
        endsMs = atMs + intervalMs;
        if (leading) out.push({ place, atMs });
        else last = place;
      }
    }
    if (last !== undefined) out.push({ place: last, atMs: lastOf(arrivals) });
    return out;
  };

const sampled =
  (intervalMs: number): Model =>
  (arrivals) => {
    const tickOf = (atMs: number): number => (Math.floor(atMs / intervalMs) + 1) * intervalMs;
    return arrivals.flatMap(({ atMs, place }, at) => {
      const next = arrivals[at + 1];
      if (next === undefined) return [{ place, atMs }];
      return tickOf(atMs) === tickOf(next.atMs) ? [] : [{ place, atMs: tickOf(atMs) }];
    });
  };

// Items come at whole milliseconds, and intervals are none: so no two things happen at the same time.
const interval = fc.integer({ min: 1, max: 40 }).map((ms) => ms + 0.3137);
const arrivals = fc
  .array(fc.integer({ min: 0, max: 30 }), { maxLength: 30 })
  .map((gaps) =>
    gaps.map((_, place) => ({ place, atMs: gaps.slice(0, place + 1).reduce((sum, gap) => sum + gap, 0) })),
  );

const close = (handed: readonly HandedOn[]): HandedOn[] =>
  handed.map(({ place, atMs }) => ({ place, atMs: Math.round(atMs * 1e6) / 1e6 }));

async function agrees(stage: Stage<Arrival, Arrival>, input: readonly Arrival[], model: Model): Promise<void> {
  const { out, summary } = await handedOn(stage, input);
  expect(close(out)).toEqual(close(model(input)));
  expect(summary).toMatchObject({ read: input.length, emitted: out.length, dropped: input.length - out.length });
  expect(summary.balanced).toBe(true);
}

const runs = { numRuns: 60 };

test('debounce() hands on what its model does, at the same times', async () => {
  const check = fc.asyncProperty(arrivals, interval, fc.option(interval), async (input, waitMs, more) => {
    const maxWaitMs = more === null ? Number.POSITIVE_INFINITY : waitMs + more;
    const stage = debounce<Arrival>({ waitMs, ...(more === null ? {} : { maxWaitMs }) });
    await agrees(stage, input, debounced(waitMs, maxWaitMs));
  });
  await fc.assert(check, runs);
});

test('throttle() hands on what its model does, at the same times', async () => {
  const kind = fc.constantFrom([true, false], [true, true], [false, true]);
  const check = fc.asyncProperty(arrivals, interval, kind, async (input, intervalMs, [leading, trailing]) => {
    const stage = throttle<Arrival>({ intervalMs, leading: leading === true, trailing: trailing === true });
    await agrees(stage, input, throttled(intervalMs, leading === true, trailing === true));
  });
  await fc.assert(check, runs);
});

test('sample() hands on what its model does, at the same times', async () => {
  const check = fc.asyncProperty(arrivals, interval, async (input, intervalMs) => {
    await agrees(sample<Arrival>({ intervalMs }), input, sampled(intervalMs));
  });
  await fc.assert(check, runs);
});

test('delay() hands on every item at its time and one interval', async () => {
  const check = fc.asyncProperty(arrivals, interval, async (input, delayMs) => {
    await agrees(delay<Arrival>({ delayMs }), input, (all) =>
      all.map(({ place, atMs }) => ({ place, atMs: atMs + delayMs })),
    );
  });
  await fc.assert(check, runs);
});
