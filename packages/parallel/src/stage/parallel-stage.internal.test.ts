import { from, StageError } from '@millrace/core';
import { operator } from '@millrace/core/authoring';
import { expect, test } from 'vitest';
import type { Burst } from '../pool/client.js';
import type { Pool } from '../pool/pool.js';
import { packError } from '../protocol/packed-error.js';
import { ParallelStage, type StagePlan } from './parallel-stage.js';

/** A stage whose pool is the test: it takes bursts, and says what became of them. */
function stageOn(items: readonly number[], plan: Partial<StagePlan>) {
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
    transfer: undefined,
    ...plan,
  };
  const parallel = operator<number, number>({
    name: 'parallel',
    // An edge, so that what is asked for waits and comes together.
    highWaterMark: 16,
    inService: 64,
    open: (upstream, context) => {
      stage = new ParallelStage(full, pool as unknown as Pool, upstream, context);
      return stage as never;
    },
  });
  const seen: number[] = [];
  const run = from(items)
    .pipeThrough(parallel)
    .run((n) => void seen.push(n));
  const taken = async (): Promise<Burst> => {
    for (;;) {
      const burst = stage?.take(false);
      if (burst !== undefined) return burst;
      await Promise.resolve();
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
  const died = (burst: Burst, offset: number) => stage?.died(burst, offset, new Error('died'), true);
  return { returned, died, run, seen, taken, done, failed, error, ask };
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
