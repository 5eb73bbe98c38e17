import { from, mapAsync, range, type StageError } from '@millrace/core';
import { sinkProbe, virtualClock } from '@millrace/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';

interface Job {
  readonly place: number;
  readonly key: string;
  readonly takesMs: number;
}

const jobs = (text: string): Job[] =>
  [...text].map((letter, place) => ({
    place,
    key: letter.toLowerCase(),
    takesMs: letter === letter.toUpperCase() ? 100 : 10,
  }));

/** Says when each job began and ended. */
function worker(clock = virtualClock()) {
  const log: string[] = [];
  const work = async ({ key, place, takesMs }: Job): Promise<number> => {
    log.push(`${key}${place} at ${clock.now()}`);
    await clock.sleep(takesMs);
    return place;
  };
  return { clock, log, work };
}

const keyBy = ({ key }: Job): string => key;

test('mapAsync() by key begins the next item of a key when the one before is done, and others meanwhile', async () => {
  const { clock, log, work } = worker();
  const stage = mapAsync(work, { concurrency: 3, keyBy });
  expect(await clock.until(from(jobs('Aabc')).pipeThrough(stage).toArray({ clock }))).toEqual([0, 1, 2, 3]);
  // The second "a" has a slot, and waits in it.
  expect(log).toEqual(['a0 at 0', 'b2 at 0', 'a1 at 100', 'c3 at 100']);
});

test('mapAsync() by key lets items run past those that wait for their key, as many as highWaterMark', async () => {
  const { clock, log, work } = worker();
  const stage = mapAsync(work, { concurrency: 2, keyBy, highWaterMark: 3, ordered: false });
  const out = await clock.until(from(jobs('Aaaabcd')).pipeThrough(stage).toArray({ clock }));
  expect(log.slice(0, 2)).toEqual(['a0 at 0', 'b4 at 0']);
  expect(out.slice(0, 4)).toEqual([4, 5, 6, 0]);
  expect(out.filter((place) => place < 4)).toEqual([0, 1, 2, 3]);
});

test('mapAsync() by key prints what it may hold, and holds no more', async () => {
  const { clock, work } = worker();
  const stage = mapAsync(work, { concurrency: 2, keyBy, highWaterMark: 3 });
  const plan = range(0, 100).pipeThrough(mapAsync((n) => n, { concurrency: 2, keyBy: (n) => n, highWaterMark: 3 }));
  expect(String(plan.explain())).toContain('mapAsync edge: 3 | mapAsync concurrency, by key: 2');
  const run = from(jobs('Aa'.repeat(20)))
    .pipeThrough(stage)
    .run(sinkProbe<number>({ highWaterMark: 0 }).sink, { clock });
  run.finished.catch(() => {});
  await clock.advance(1000);
  expect(run.inFlight).toBe(6);
  run.abort('enough');
  await expect(run.finished).rejects.toBe('enough');
});

test('mapAsync() by key keeps the key of an item while it is tried again', async () => {
  const clock = virtualClock();
  const log: string[] = [];
  const stage = mapAsync(
    async (text: string, { attempt }) => {
      log.push(`${text} ${attempt} at ${clock.now()}`);
      if (text === 'a' && attempt === 1) throw new Error('busy');
      return text;
    },
    { concurrency: 4, keyBy: (text) => text.toLowerCase(), retry: { attempts: 2, backoffMs: 50 } },
  );
  expect(await clock.until(from(['a', 'A', 'b']).pipeThrough(stage).toArray({ clock }))).toEqual(['a', 'A', 'b']);
  expect(log.slice(0, 2)).toEqual(['a 1 at 0', 'b 1 at 0']);
  expect(log[2]).toMatch(/^a 2 at/);
  expect(log[3]).toMatch(/^A 1 at/);
});

test('mapAsync() by key goes on behind an item that is skipped', async () => {
  for (const concurrency of [1, 2]) {
    const stage = mapAsync(
      async (n: number) => {
        if (n % 2 === 0) throw new Error('no');
        return n;
      },
      { concurrency, keyBy: () => 'one', highWaterMark: 2, onError: 'skip' },
    );
    const run = range(0, 9).pipeThrough(stage);
    expect(await run.toArray()).toEqual([1, 3, 5, 7]);
  }
});

test('mapAsync() by key fails at the item whose key can not be found, behind the results before it', async () => {
  const cause = new Error('no key');
  const seen: number[] = [];
  const stage = mapAsync(async (n: number) => n, {
    concurrency: 4,
    keyBy(n) {
      if (n === 3) throw cause;
      return n % 2;
    },
  });
  const run = range(0, 9)
    .pipeThrough(stage)
    .run((n) => void seen.push(n));
  await expect(run.finished).rejects.toMatchObject({ stage: 'mapAsync', index: 3, cause });
  expect(seen).toEqual([0, 1, 2]);
});

test('mapAsync() by key, in order, runs all before a failure that came first', async () => {
  const clock = virtualClock();
  const seen: number[] = [];
  const stage = mapAsync(
    async ({ place, takesMs }: Job) => {
      await clock.sleep(takesMs);
      if (place === 3) throw new Error('early');
      return place;
    },
    { concurrency: 2, keyBy, highWaterMark: 4 },
  );
  const run = from(jobs('AAabb'))
    .pipeThrough(stage)
    .run((n) => void seen.push(n), { clock });
  const error: StageError = await clock.until(run.finished.catch((reason) => reason));
  expect([error.index, seen]).toEqual([3, [0, 1, 2]]);
});

test('mapAsync() by key never lets two of a key overlap, keeps their order, and ends, whatever takes how long', async () => {
  const plan = fc.record({
    list: fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), takesMs: fc.integer({ min: 0, max: 9 }) }), {
      maxLength: 40,
    }),
    concurrency: fc.integer({ min: 1, max: 4 }),
    highWaterMark: fc.integer({ min: 0, max: 6 }),
    ordered: fc.boolean(),
    isSlow: fc.boolean(),
  });
  const check = fc.asyncProperty(plan, async ({ list, isSlow, ...options }) => {
    const clock = virtualClock();
    const running: string[] = [];
    let most = 0;
    const work = async (job: Job): Promise<Job> => {
      expect(running).not.toContain(job.key);
      running.push(job.key);
      most = Math.max(most, running.length);
      // Some answer at once.
      if (job.takesMs > 0) await clock.sleep(job.takesMs);
      running.splice(running.indexOf(job.key), 1);
      return job;
    };
    const input = list.map((job, place) => ({ ...job, place }));
    const out: Job[] = [];
    const take = (job: Job): void => void out.push(job);
    const run = from(input)
      .pipeThrough(mapAsync(work, { ...options, keyBy }))
      .run(isSlow ? (job) => clock.sleep(5).then(() => take(job)) : take, { clock });
    const summary = await clock.until(run.finished);
    expect(summary).toMatchObject({ read: list.length, emitted: list.length, balanced: true });
    expect(most).toBeLessThanOrEqual(options.concurrency);
    if (options.ordered) expect(out).toEqual(input);
    for (const key of ['a', 'b', 'c', 'd']) {
      const of = (all: readonly Job[]): Job[] => all.filter((job) => job.key === key);
      expect(of(out)).toEqual(of(input));
    }
  });
  await fc.assert(check, { numRuns: 150 });
});

test('mapAsync() in order does not hold up what is under way while its consumer is slow', async () => {
  const { clock, log, work } = worker();
  const sink = sinkProbe<number>({ highWaterMark: 0 });
  const run = from(jobs('aBcdef'))
    .pipeThrough(mapAsync(work, { concurrency: 4 }))
    .run(sink.sink, { clock });
  await clock.advance(200);
  // All that have a slot are done; the one that was handed on has made room for another.
  expect(log).toHaveLength(5);
  void sink.take(Number.POSITIVE_INFINITY);
  await clock.until(run.finished);
  expect(sink.items).toEqual([0, 1, 2, 3, 4, 5]);
});
