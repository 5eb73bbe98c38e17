import {
  batch,
  from,
  map,
  mapAsync,
  merge,
  partitionBy,
  type RunOptions,
  type RunSummary,
  range,
} from '@millrace/core';
import { END, foreign, Later, operator, source } from '@millrace/core/authoring';
import { virtualClock } from '@millrace/testkit';
import { describe, expect, test } from 'vitest';

// What random topologies found, each in its smallest form.

const ways: Record<string, RunOptions> = {
  generated: {},
  copied: { generate: false },
  'not fused': { fuse: false },
  'with contexts': { context: true },
};

const native = foreign<number | number[], number | number[]>({ name: 'native', open: () => new TransformStream() });

describe.for(Object.entries(ways))('a run, %s,', ([, options]) => {
  test('does not tell an iterator to return that has ended, or thrown', async () => {
    for (const hasFailed of [false, true]) {
      let returns = 0;
      const numbers = {
        [Symbol.iterator]: () => ({
          next(): IteratorResult<number> {
            if (hasFailed) throw new Error('no');
            return { done: true, value: undefined };
          },
          return(): IteratorResult<number> {
            returns++;
            return { done: true, value: undefined };
          },
        }),
      };
      await from(numbers)
        .toArray(options)
        .catch(() => {});
      expect(returns).toBe(0);
    }
  });

  test('that ends inside of one of its functions waits for what it closes then', async () => {
    const controller = new AbortController();
    let leftOpen: readonly string[] | undefined;
    const clock = virtualClock();
    const observer = {
      ended(summary: RunSummary): void {
        leftOpen = summary.leftOpen;
      },
    };
    const run = merge(from([1]).pipeThrough(native)).run(() => controller.abort('enough'), {
      ...options,
      clock,
      signal: controller.signal,
      observer,
    });
    await run.finished.catch(() => {});
    expect(leftOpen).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('that ends while a merge asks counts what the branch was working on as abandoned', async () => {
    const [one, other] = from([1]).broadcast(2, { highWaterMark: 0 });
    const ending = map((n: number) => {
      run.abort('enough');
      return n;
    });
    const run = merge(one.pipeThrough(ending), other).run(() => {}, options);
    await run.finished.catch(() => {});
    expect(run.inFlight).toBe(0);
    expect(run.counts().find(({ name }) => name === 'merge')).toMatchObject({ in: 1, abandoned: 1 });
  });

  test('that ends while a merge asks for more behind a burst counts the burst as abandoned', async () => {
    const bursts = [() => Promise.resolve([1]), () => [2]];
    const ending = source<number>({
      name: 'ending',
      open: () => ({
        read() {
          if (bursts.length === 1) run.abort('enough');
          return bursts.shift()?.();
        },
        close: () => {},
      }),
    });
    const endsWhenClosed = operator<number, number>({
      name: 'endsWhenClosed',
      open(upstream) {
        const later = new Later<number>();
        return {
          pull: () => later.owe(),
          close(reason) {
            upstream.close(reason);
            later.give(END);
          },
        };
      },
    });
    const run = merge(ending, range(0, 9).pipeThrough(endsWhenClosed)).run(
      { name: 'sink', open: () => ({ write() {} }) },
      options,
    );
    await run.finished.catch(() => {});
    expect(run.inFlight).toBe(0);
    expect(run.counts().find(({ name }) => name === 'sink')).toMatchObject({ in: 1, abandoned: 1 });
  });

  test('of batches through a native stream stays within its bound, and has nothing left inside', async () => {
    const run = from([1, 2, 3])
      .pipeThrough(batch({ maxItems: 2 }))
      .pipeThrough(native)
      .run(() => {}, options);
    const { inFlightMax, inFlightBound } = await run.finished;
    expect(inFlightMax).toBeLessThanOrEqual(inFlightBound);
    expect(run.inFlight).toBe(0);
  });

  test('reads ahead of a step with an edge as far as that goes, while mapAsync() and the sink wait', async () => {
    const clock = virtualClock();
    const numbers = source<number>({
      name: 'numbers',
      open: () => ({ read: (max) => Array.from({ length: Math.min(max, 9) }, (_, at) => at), close() {} }),
    });
    const run = numbers
      .pipeThrough(map((n) => n, { highWaterMark: 3 }))
      .pipeThrough(mapAsync(async (n) => n))
      .run(() => new Promise(() => {}), { ...options, clock });
    await clock.settle();
    expect(run.inFlight).toBe(run.explain().bound);
    run.abort('enough');
    await run.finished.catch(() => {});
  });

  test('that fails behind partitionBy() counts what the functions of each key were given', async () => {
    const clock = virtualClock();
    const answers: Array<() => void> = [];
    const answer = (n: number): Promise<number> => new Promise((resolve) => void answers.push(() => resolve(n)));
    const later = mapAsync(answer, { concurrency: 2 });
    const run = from([0, 1, 2, 3])
      .pipeThrough(
        partitionBy(
          (n: number) => n,
          { maxKeys: 3 },
          (branch) => branch.pipeThrough(later),
        ),
      )
      .run(() => Promise.reject(new Error('no')), { ...options, clock, observer: { warned: () => {} } });
    await clock.settle();
    answers[1]?.();
    await expect(run.finished).rejects.toThrow('no');
    expect(run.counts().find(({ name }) => name === 'mapAsync')).toMatchObject({ in: 3, out: 1, abandoned: 2 });
  });
});
