import {
  type DeadLetter,
  deadLetter,
  fallback,
  from,
  type RunOptions,
  type RunSummary,
  StageError,
} from '@millrace/core';
import { operator } from '@millrace/core/authoring';
import { virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';
import type { Burst } from '../pool/client.js';
import type { Pool } from '../pool/pool.js';
import { packError } from '../protocol/packed-error.js';
import { ParallelStage } from './parallel-stage.js';
import type { StagePlan } from './stage-plan.js';

/** A stage whose pool is the test: it takes bursts, and says what became of them. */
function stageOn(items: readonly number[], plan: Partial<StagePlan>, options: RunOptions = {}) {
  let stage: ParallelStage | undefined;
  const pool = { options: { workers: 2 }, lease: () => 1, join: () => {}, pump: () => {}, leave: () => undefined };
  const full: StagePlan = {
    exportName: 'f',
    ordered: true,
    maxItemsInWorkers: 64,
    timeoutMs: undefined,
    abortGraceMs: 0,
    isRetrying: false,
    onError: 'fail',
    retry: undefined,
    transfer: undefined,
    ...plan,
  };
  const parallel = operator<number, number>({
    name: 'parallel',
    // An edge, so that what is asked for waits and comes together.
    highWaterMark: 16,
    inService: plan.maxItemsInWorkers ?? 64,
    open: (upstream, context) => {
      stage = new ParallelStage(full, pool as unknown as Pool, upstream, context);
      return stage as never;
    },
  });
  const seen: number[] = [];
  const run = from(items)
    .pipeThrough(parallel)
    .run((n) => void seen.push(n), options);
  const taken = async (): Promise<Burst> => {
    for (;;) {
      const burst = stage?.take(false);
      if (burst !== undefined) return burst;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  };
  const done = (burst: Burst, tookMs = 0.001, worked = burst.items.length) =>
    stage?.done(burst, { type: 'done', id: 1, tookMs, results: burst.items.slice(0, worked), errors: undefined });
  const failed = (burst: Burst, ...offsets: number[]) =>
    stage?.done(burst, {
      type: 'done',
      id: 1,
      tookMs: 0.001,
      results: burst.items.map((item, offset) => (offsets.includes(offset) ? undefined : item)),
      errors: offsets.map((offset) => [offset, packError(new Error(`item ${burst.first + offset}`))] as const),
    });
  const error = run.finished.then(
    () => undefined,
    (reason: unknown) => reason as StageError,
  );
  /** What the pool does when a worker has room. */
  const ask = () => stage?.take(false);
  const returned = (burst: Burst) => stage?.returned(burst, new Error('its worker died'));
  const died = (burst: Burst, offset: number, isDeath = true) =>
    stage?.died(burst, offset, new Error(isDeath ? 'died' : 'stuck'), isDeath);
  const unserved = () => stage?.unserved(new Error('no worker'));
  return { returned, died, unserved, run, seen, taken, done, failed, error, ask };
}

test('ParallelStage, unordered, hands on all other results of a burst in which items throw', async () => {
  const { seen, taken, done, failed, error } = stageOn([0, 1, 2, 3, 4, 5, 6], { ordered: false });
  done(await taken());
  done(await taken());
  failed(await taken(), 1, 2);
  const reason = await error;
  expect(reason).toBeInstanceOf(StageError);
  expect(seen).toEqual([0, 1, 2, 3, 6]);
  expect(reason?.index).toBe(4);
  expect(reason?.others.map((other) => (other as StageError).index)).toEqual([5]);
});

test('ParallelStage, ordered, hands on what is before the failure, which waits for earlier bursts', async () => {
  const { seen, taken, done, failed, error } = stageOn([0, 1, 2, 3, 4, 5, 6], {});
  done(await taken());
  const [earlier, later] = [await taken(), await taken()];
  failed(later, 1);
  expect(seen).toEqual([0]);
  done(earlier);
  expect((await error)?.index).toBe(4);
  expect(seen).toEqual([0, 1, 2, 3]);
});

test('ParallelStage sends again what a worker gives back, in its place', async () => {
  const { run, seen, taken, done, ask } = stageOn([0, 1, 2, 3, 4, 5, 6], {});
  done(await taken());
  done(await taken());
  const slow = await taken();
  done(slow, 20, 1);
  // One item of 20 ms: what is given back goes on one by one, so that every worker can have some.
  for (const n of [4, 5, 6]) {
    const rest = await taken();
    expect([rest.first, ...rest.items]).toEqual([n, n]);
    done(rest, 20);
  }
  ask();
  expect((await run.finished).balanced).toBe(true);
  expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test('ParallelStage sends again what a dead worker had not begun, and not what was moved to it', async () => {
  const kept = stageOn([0, 1, 2], {});
  kept.done(await kept.taken());
  const burst = await kept.taken();
  kept.returned(burst);
  expect(await kept.taken()).toBe(burst);
  kept.done(burst);
  kept.ask();
  expect((await kept.run.finished).emitted).toBe(3);

  const moved = stageOn([0, 1, 2, 3, 4, 5, 6], { transfer: () => [] });
  moved.done(await moved.taken());
  const [first, second] = [await moved.taken(), await moved.taken()];
  moved.returned(second);
  moved.died(first, 1);
  const reason = await moved.error;
  expect(reason?.index).toBe(2);
  expect(reason?.others.map((other) => (other as StageError).index)).toEqual([3]);
});

const RETRY = { attempts: 3, backoffMs: 100, maxBackoffMs: 150, jitter: 0, when: undefined, random: () => 0 };

type Stage = ReturnType<typeof stageOn>;

function retrying(items: readonly number[], plan: Partial<StagePlan> = {}, options: RunOptions = {}) {
  const clock = virtualClock();
  return { clock, ...stageOn(items, { retry: RETRY, ...plan }, { clock, ...options }) };
}

/** Takes bursts until one has several items; those before it are done. */
async function several({ taken, done }: Stage): Promise<Burst> {
  for (;;) {
    const burst = await taken();
    if (burst.items.length > 1) return burst;
    done(burst);
  }
}

/** As the pool does when all is done: asks for more, of which there is none. */
function finished(stage: Stage): Promise<RunSummary> {
  stage.ask();
  return stage.run.finished;
}

const told = ({ first, items, attempt }: Burst) => [first, ...items, attempt];

test('ParallelStage tries an item again by itself, behind its wait, and hands on in order', async () => {
  const stage = retrying([0, 1, 2, 3]);
  const burst = await several(stage);
  expect(told(burst)).toEqual([1, 1, 2, 1]);
  stage.failed(burst, 0);
  const last = await stage.taken();
  stage.done(last);
  await stage.clock.advance(99);
  expect([stage.ask(), ...stage.seen]).toEqual([undefined, 0]);
  await stage.clock.advance(1);
  const second = stage.ask() as Burst;
  expect(told(second)).toEqual([1, 1, 2]);
  stage.failed(second, 0);
  await stage.clock.advance(150);
  const third = stage.ask() as Burst;
  expect(told(third)).toEqual([1, 1, 3]);
  stage.done(third);
  expect(await finished(stage)).toMatchObject({ emitted: 4, balanced: true });
  expect(stage.seen).toEqual([0, 1, 2, 3]);
});

test('ParallelStage, unordered, hands on what others make while an item waits for its next try', async () => {
  const stage = retrying([0, 1, 2, 3], { ordered: false });
  const burst = await several(stage);
  stage.failed(burst, 0);
  stage.done(await stage.taken());
  await stage.clock.settle();
  expect(stage.seen).toEqual([0, 2, 3]);
  await stage.clock.advance(100);
  stage.done(stage.ask() as Burst);
  expect(await finished(stage)).toMatchObject({ emitted: 4, balanced: true });
  expect(stage.seen).toEqual([0, 2, 3, 1]);
});

/** Fails the only item as often as it is tried. */
async function failing(stage: ReturnType<typeof retrying>): Promise<void> {
  stage.failed(await stage.taken(), 0);
  while (await stage.clock.advanceToNext()) stage.failed(await stage.taken(), 0);
}

test('ParallelStage says how often an item was tried, to errors, letters, fallback() and the observer', async () => {
  const retried: unknown[] = [];
  const observer = {
    retried: ({ stage, index, attempt }: StageError, delayMs: number) =>
      void retried.push([stage, index, attempt, delayMs]),
  };
  const failed = retrying([7], {}, { observer });
  await failing(failed);
  expect(await failed.error).toMatchObject({ index: 0, attempt: 3, cause: { message: 'item 0' } });
  expect(retried).toEqual([
    ['parallel', 0, 1, 100],
    ['parallel', 0, 2, 150],
  ]);

  const letters: DeadLetter[] = [];
  const writable = new WritableStream<DeadLetter>({ write: (letter) => void letters.push(letter) });
  const lost = retrying([7], { onError: deadLetter(writable) });
  await failing(lost);
  expect(await finished(lost)).toMatchObject({ deadLettered: 1, balanced: true });
  expect(letters).toMatchObject([{ stage: 'parallel', index: 0, item: 7, attempts: 3, error: { message: 'item 0' } }]);

  const instead = fallback((error, item, context) => ({ error: (error as Error).message, item, context }));
  const given = retrying([7], { onError: instead });
  await failing(given);
  expect(await finished(given)).toMatchObject({ emitted: 1, dropped: 0, balanced: true });
  const context = { stage: 'parallel', index: 0, attempts: 3 };
  expect(given.seen).toEqual([{ error: 'item 0', item: 7, context }]);
});

test('ParallelStage keeps the place of what fallback() gives, and waits for what it promises', async () => {
  const orders: Array<() => void> = [];
  const later = fallback((_, item) => new Promise((resolve) => orders.push(() => resolve(-Number(item)))));
  const stage = retrying([0, 1, 2, 3], { onError: later, retry: undefined });
  const burst = await several(stage);
  stage.failed(burst, 0);
  stage.done(await stage.taken());
  await stage.clock.settle();
  expect(stage.seen).toEqual([0]);
  expect(stage.run.inFlight).toBe(3);
  orders[0]?.();
  expect(await finished(stage)).toMatchObject({ emitted: 4, balanced: true });
  expect(stage.seen).toEqual([0, -1, 2, 3]);
});

test('ParallelStage fails with what fallback() throws, or promises and breaks, and the first error beside it', async () => {
  const problem = new Error('no price either');
  for (const instead of [() => Promise.reject(problem), () => Promise.reject(problem).finally(() => {})]) {
    const stage = retrying([7], { onError: fallback(instead), retry: undefined });
    stage.failed(await stage.taken(), 0);
    const error = await stage.error;
    expect(error).toMatchObject({ index: 0, cause: problem, others: [{ message: 'item 0' }] });
  }
  const stage = retrying([7], {
    retry: undefined,
    onError: fallback(() => {
      throw problem;
    }),
  });
  stage.failed(await stage.taken(), 0);
  expect(await stage.error).toMatchObject({ index: 0, cause: problem, others: [{ message: 'item 0' }] });
});

test('ParallelStage asks `when`, and fails with what that throws', async () => {
  const asked: unknown[] = [];
  const when = (error: unknown, context: object): boolean => {
    asked.push([(error as Error).message, context]);
    return false;
  };
  const never = retrying([7], { retry: { ...RETRY, when }, onError: 'skip' });
  never.failed(await never.taken(), 0);
  expect(await finished(never)).toMatchObject({ dropped: 1, balanced: true });
  expect(asked).toEqual([['item 0', { index: 0, attempt: 1 }]]);

  const problem = new Error('no opinion');
  const throwing = (): boolean => {
    throw problem;
  };
  const failed = retrying([7], { retry: { ...RETRY, when: throwing }, onError: 'skip' });
  failed.failed(await failed.taken(), 0);
  expect(await failed.error).toMatchObject({ index: 0, cause: problem, others: [{ message: 'item 0' }] });
});

test('ParallelStage counts items that wait for another try in maxItemsInWorkers', async () => {
  const stage = retrying(
    Array.from({ length: 20 }, (_, n) => n),
    { maxItemsInWorkers: 4, ordered: false },
  );
  // Each is one of four: nothing makes room until one is tried again.
  for (let failed = 0; failed < 4; ) {
    const burst = await stage.taken();
    failed += burst.items.length;
    stage.failed(burst, ...burst.items.keys());
  }
  await stage.clock.settle();
  expect([stage.ask(), stage.clock.pendingTimers]).toEqual([undefined, 4]);
  expect(stage.run.inFlight).toBeLessThanOrEqual(stage.run.explain().bound);
  await stage.clock.advance(100);
  const again = stage.ask() as Burst;
  expect(again.attempt).toBe(2);
  stage.run.abort(new Error('enough'));
  await stage.error;
});

test.each(['abort', 'drain'] as const)('ParallelStage ends the waits with the run: %s', async (how) => {
  const retry = { ...RETRY, backoffMs: 60_000, maxBackoffMs: 60_000 };
  const stage = retrying([0, 1, 2], { retry }, { closeGraceMs: 10 });
  stage.failed(await stage.taken(), 0);
  await stage.clock.settle();
  expect(stage.clock.pendingTimers).toBe(1);
  const reason = new Error('enough');
  if (how === 'abort') {
    stage.run.abort(reason);
    await expect(stage.run.finished).rejects.toBe(reason);
  } else {
    const drained = stage.run.drain({ deadlineMs: 1_000 });
    expect(await stage.clock.until(drained)).toMatchObject({ balanced: true, overdue: true });
    expect(stage.clock.now()).toBe(1_010);
  }
  expect([stage.clock.pendingTimers, stage.run.inFlight]).toEqual([0, 0]);
});

test('ParallelStage ends the waits when no worker can serve it', async () => {
  const stage = retrying([0, 1, 2], { onError: 'skip', retry: { ...RETRY, backoffMs: 60_000, maxBackoffMs: 60_000 } });
  stage.failed(await stage.taken(), 0);
  expect(stage.clock.pendingTimers).toBe(1);
  stage.unserved();
  expect(stage.clock.pendingTimers).toBe(0);
  expect(await stage.error).toMatchObject({ cause: { message: 'no worker' } });
});

test('ParallelStage tries what was stuck again with `retry`, and deaths only with onWorkerDeath: "retry"', async () => {
  const stuck = retrying([0, 1, 2, 3]);
  const burst = await several(stuck);
  stuck.died(burst, 1, false);
  // The other one is sent again at once.
  const other = await stuck.taken();
  expect(told(other)).toEqual([1, 1, 1]);
  stuck.done(other);
  stuck.done(await stuck.taken());
  await stuck.clock.advance(100);
  const second = stuck.ask() as Burst;
  expect(told(second)).toEqual([2, 2, 2]);
  stuck.done(second);
  expect(await finished(stuck)).toMatchObject({ emitted: 4, balanced: true });

  const fatal = retrying([7], { onError: 'skip' });
  fatal.died(await fatal.taken(), 0);
  expect(await finished(fatal)).toMatchObject({ dropped: 1, balanced: true });

  const allowed = retrying([7], { onError: 'skip', isRetrying: true });
  allowed.died(await allowed.taken(), 0);
  for (const waitMs of [100, 150]) {
    expect(allowed.ask()).toBeUndefined();
    await allowed.clock.advance(waitMs);
    allowed.died(allowed.ask() as Burst, 0);
  }
  expect(await finished(allowed)).toMatchObject({ dropped: 1, balanced: true });

  const once = retrying([7], { retry: undefined, isRetrying: true, onError: 'fail' });
  once.died(await once.taken(), 0);
  once.died(once.ask() as Burst, 0);
  expect(await once.error).toMatchObject({ index: 0, attempt: 2, cause: { message: 'died' } });
});
