import {
  type DeadLetter,
  deadLetter,
  fallback,
  from,
  type ItemContext,
  map,
  mapAsync,
  type RunOptions,
  range,
} from '@millrace/core';
import { type VirtualClock, virtualClock } from '@millrace/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';

// With a policy, too, one call at a time before steps and a sink is part of their loop: what can be seen is the same as
// of a node of its own.
const ways: readonly RunOptions[] = [{}, { fuse: false }, { generate: false }];

const retry = { attempts: 3, backoffMs: 100, jitter: 0 };

test.each(ways)(
  'mapAsync() ignores a call that it gave up, while another try or item is under way: %j',
  async (way) => {
    const clock = virtualClock();
    const late: Array<(value: string) => void> = [];
    const call = (n: number, { attempt }: ItemContext): Promise<string> =>
      n === 1 && attempt < 3
        ? new Promise((resolve) => {
            late.push(resolve);
          })
        : clock.sleep(20).then(() => `${n} at try ${attempt}`);
    const run = range(0, 4)
      .pipeThrough(mapAsync(call, { retry, timeoutMs: 50 }))
      .toArray({ ...way, clock });
    await clock.advance(20 + 50 + 100 + 10);
    // The second try is under way.
    expect(late).toHaveLength(2);
    late[0]?.('too late');
    await clock.advance(40 + 200 + 20 + 10);
    // The next item is.
    late[1]?.('much too late');
    expect(await clock.until(run)).toEqual(['0 at try 1', '1 at try 3', '2 at try 1', '3 at try 1']);
    expect(clock.pendingTimers).toBe(0);
  },
);

test.each(ways)('drain() waits for the tries of the item that is inside, and its receipt sums: %j', async (way) => {
  const clock = virtualClock();
  const call = async (n: number, { attempt }: ItemContext): Promise<number> => {
    if (n === 1 && attempt < 3) throw new Error('busy');
    return n;
  };
  const seen: number[] = [];
  const run = range(0, 9)
    .pipeThrough(mapAsync(call, { retry }))
    .run((n) => void seen.push(n), { ...way, clock });
  await clock.settle();
  const drained = run.drain({ deadlineMs: 1_000 });
  await clock.settle();
  expect(seen).toEqual([0]);
  const receipt = await clock.until(drained);
  expect(seen).toEqual([0, 1]);
  expect(receipt).toMatchObject({ read: 2, completed: 1, flushed: 1, abandoned: 0 });
  expect(clock.pendingTimers).toBe(0);
});

test.each(ways)('drain() abandons at its deadline the item that is to be tried again: %j', async (way) => {
  const clock = virtualClock();
  const fail = (): Promise<number> => Promise.reject(new Error('down'));
  const run = range(0, 9)
    .pipeThrough(mapAsync(fail, { retry: { attempts: 9, backoffMs: 10_000 }, onError: 'skip' }))
    .run(() => {}, { ...way, clock });
  await clock.settle();
  const receipt = await clock.until(run.drain({ deadlineMs: 50 }));
  expect(receipt).toMatchObject({ read: 1, completed: 0, flushed: 0, abandoned: 1 });
  expect(run.inFlight).toBe(0);
  expect(clock.pendingTimers).toBe(0);
});

test.each(ways)('mapAsync() aborts the signal of a call that ends the run from inside: %j', async (way) => {
  const clock = virtualClock();
  const reason = new Error('enough');
  const signals: AbortSignal[] = [];
  const run = range(0, 9)
    .pipeThrough(
      mapAsync(
        (n, { signal }) => {
          signals.push(signal);
          if (n === 3) run.abort(reason);
          return Promise.resolve(n);
        },
        { timeoutMs: 1_000 },
      ),
    )
    .run(() => {}, { ...way, clock });
  await expect(clock.until(run.finished)).rejects.toBe(reason);
  expect(signals.map(({ aborted }) => aborted)).toEqual([false, false, false, true]);
  expect(run.inFlight).toBe(0);
  expect(clock.pendingTimers).toBe(0);
});

type Fate = 'value' | 'promise' | 'throws' | 'rejects' | 'second try' | 'hangs';

interface Scene {
  readonly fates: readonly Fate[];
  readonly policy: 'skip' | 'letter' | 'fallback' | 'fail';
  readonly isSinkSlow: boolean;
  /** At which step of time the run is drained. */
  readonly drainedAt: number;
}

const scenes: fc.Arbitrary<Scene> = fc.record({
  fates: fc.array(fc.constantFrom<Fate>('value', 'promise', 'throws', 'rejects', 'second try', 'hangs'), {
    maxLength: 8,
  }),
  policy: fc.constantFrom('skip', 'letter', 'fallback', 'fail'),
  isSinkSlow: fc.boolean(),
  drainedAt: fc.constantFrom(-1, 0, 1, 3, 7),
});

/** Plays a scene, and gives all that can be seen of it; a drain of whatever is inside then is not the same in all ways. */
async function play({ fates, policy, isSinkSlow, drainedAt }: Scene, way: RunOptions, clock: VirtualClock) {
  const seen: unknown[] = [];
  const letters: unknown[] = [];
  const call = (fate: Fate, { index, attempt }: ItemContext): number | Promise<number> => {
    if (fate === 'hangs') return new Promise(() => {});
    if (fate === 'throws') throw new Error(`${index} throws`);
    if (fate === 'rejects' || (fate === 'second try' && attempt === 1)) return Promise.reject(new Error(`${index}`));
    return fate === 'value' ? index : Promise.resolve(index);
  };
  const written = new WritableStream<DeadLetter<Fate>>({
    write: ({ index, attempts }) => clock.sleep(5).then(() => void letters.push([index, attempts])),
  });
  const onError = {
    skip: 'skip' as const,
    fail: 'fail' as const,
    letter: deadLetter(written),
    fallback: fallback((_: unknown, fate: Fate) => `instead of ${fate}`),
  }[policy];
  const run = from(fates)
    .pipeThrough(map((fate) => fate))
    .pipeThrough(mapAsync(call, { retry: { attempts: 2, backoffMs: 10, jitter: 0 }, timeoutMs: 30, onError }))
    .run((made) => (isSinkSlow ? clock.sleep(7).then(() => void seen.push(made)) : void seen.push(made)), {
      ...way,
      clock,
    });
  const ended = run.finished.then(
    (summary) => summary,
    ({ index, attempt }) => ({ index, attempt, balanced: undefined }),
  );
  if (drainedAt >= 0) {
    for (let step = 0; step < drainedAt; step++) await clock.advanceToNext();
    run.drain().catch(() => {});
  }
  const summary = await clock.until(ended);
  expect(run.inFlight).toBe(0);
  expect(clock.pendingTimers).toBe(0);
  for (const { in: entered, out, dropped, deadLettered, abandoned, held } of run.counts().slice(2)) {
    expect(entered).toBe(out + dropped + deadLettered + abandoned + held);
  }
  if (summary.balanced !== undefined) {
    expect(summary).toMatchObject({ balanced: true });
    expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
  }
  if (drainedAt >= 0) return undefined;
  const counts = run
    .counts()
    .map(({ in: entered, out, dropped, deadLettered }) => [entered, out, dropped, deadLettered]);
  return { seen, letters, counts: policy === 'fail' ? [] : counts, failed: 'index' in summary && summary };
}

test('mapAsync() with policies does the same in a loop as by itself, whatever becomes of its items', async () => {
  await fc.assert(
    fc.asyncProperty(scenes, async (scene) => {
      const [inLoop, ...alone] = await Promise.all(ways.map((way) => play(scene, way, virtualClock())));
      for (const other of alone) expect(other).toEqual(inLoop);
    }),
    { numRuns: 100 },
  );
});
