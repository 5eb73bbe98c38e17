import {
  bufferUnordered,
  cached,
  type DeadLetter,
  deadLetter,
  fallback,
  from,
  type ItemContext,
  mapAsync,
  type RunOptions,
  range,
  type StageError,
} from '@millrace/core';
import { virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';

const WAYS: readonly RunOptions[] = [{}, { fuse: false }, { generate: false }];

/** Fails on multiples of three, in one turn or the next. */
const exceptThrees = (n: number): number | Promise<number> => {
  if (n % 3 === 0) {
    if (n % 2 === 0) throw new Error(`not ${n}`);
    return Promise.reject(new Error(`not ${n}`));
  }
  return n % 2 === 0 ? n : Promise.resolve(n);
};

function office() {
  const letters: DeadLetter<number>[] = [];
  return {
    letters,
    policy: deadLetter(new WritableStream<DeadLetter<number>>({ write: (l) => void letters.push(l) })),
  };
}

const SHAPES = [
  { concurrency: 1 },
  { concurrency: 4 },
  { concurrency: 4, ordered: false },
  { concurrency: 2, highWaterMark: 3 },
] as const;

for (const way of WAYS) {
  for (const shape of SHAPES) {
    const name = `${JSON.stringify(shape)} ${JSON.stringify(way)}`;

    test(`mapAsync() with onError "skip" leaves items out, counted as dropped: ${name}`, async () => {
      const seen: number[] = [];
      const run = range(0, 20)
        .pipeThrough(mapAsync(exceptThrees, { ...shape, onError: 'skip' }))
        .run((n) => void seen.push(n), way);
      const summary = await run.finished;
      expect(seen.sort((a, b) => a - b)).toEqual([1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16, 17, 19]);
      expect(summary).toMatchObject({ read: 20, emitted: 13, dropped: 7, abandoned: 0, balanced: true });
      expect(run.inFlight).toBe(0);
      expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
    });

    test(`mapAsync() with deadLetter() writes each letter and counts it: ${name}`, async () => {
      const { letters, policy } = office();
      const run = range(0, 8)
        .pipeThrough(mapAsync(exceptThrees, { ...shape, onError: policy }))
        .run(() => {}, way);
      expect(await run.finished).toMatchObject({ emitted: 5, deadLettered: 3, balanced: true });
      const told = letters.map(({ stage, index, item, attempts }) => [stage, index, item, attempts]);
      expect(told.sort()).toEqual([0, 3, 6].map((n) => ['mapAsync', n, n, 1]));
      expect(run.inFlight).toBe(0);
    });

    test(`mapAsync() with fallback() gives another value, in its place: ${name}`, async () => {
      const told: unknown[] = [];
      const instead = fallback(async (error: unknown, item: number, context) => {
        told.push([(error as Error).message, context]);
        return -item;
      });
      const items = await range(1, 7)
        .pipeThrough(mapAsync(exceptThrees, { ...shape, onError: instead }))
        .toArray(way);
      expect(items.sort((a, b) => a - b)).toEqual([-6, -3, 1, 2, 4, 5]);
      expect(told.sort()).toEqual([
        ['not 3', { stage: 'mapAsync', index: 2, attempts: 1 }],
        ['not 6', { stage: 'mapAsync', index: 5, attempts: 1 }],
      ]);
    });

    test(`mapAsync() fails with what fallback() throws, and the first error beside it: ${name}`, async () => {
      const instead = fallback((): number => {
        throw new Error('worse');
      });
      const failing = range(1, 6).pipeThrough(mapAsync(exceptThrees, { ...shape, onError: instead }));
      const error = await failing.toArray(way).catch((reason) => reason);
      expect(error).toMatchObject({ stage: 'mapAsync', index: 2, cause: new Error('worse') });
      expect(error.others).toContainEqual(new Error('not 3'));
    });

    test(`mapAsync() tries again with growing waits, and keeps the order: ${name}`, async () => {
      const clock = virtualClock();
      const calls: unknown[] = [];
      const flaky = async (n: number, { attempt }: ItemContext): Promise<number> => {
        if (n === 1) {
          calls.push([clock.now(), attempt]);
          if (attempt < 4) throw new Error('busy');
        }
        return n;
      };
      const retry = { attempts: 4, backoffMs: 100, maxBackoffMs: 300, jitter: 0.5, random: () => 0 };
      const run = range(0, 4)
        .pipeThrough(mapAsync(flaky, { ...shape, retry }))
        .toArray({ ...way, clock });
      const items = await clock.until(run);
      expect('ordered' in shape ? items.sort() : items).toEqual([0, 1, 2, 3]);
      expect(calls).toEqual([
        [0, 1],
        [100, 2],
        [300, 3],
        [600, 4],
      ]);
      expect(clock.pendingTimers).toBe(0);
    });

    test(`mapAsync() says which try failed for good, and tells the observer of each: ${name}`, async () => {
      const clock = virtualClock();
      const told: unknown[] = [];
      const observer = {
        retried: ({ stage, index, attempt }: StageError, delayMs: number) =>
          void told.push([stage, index, attempt, delayMs]),
        failed: ({ attempt }: StageError) => void told.push(attempt),
      };
      const { letters, policy } = office();
      const retry = { attempts: 3, backoffMs: 10, jitter: 1, random: () => 0.5 };
      const fail = (): Promise<number> => Promise.reject(new Error('down'));
      const stage = mapAsync(fail, { ...shape, retry, onError: policy, name: 'ask' });
      const items = from([7])
        .pipeThrough(stage)
        .toArray({ ...way, clock, observer });
      expect(await clock.until(items)).toEqual([]);
      expect(told).toEqual([['ask', 0, 1, 5], ['ask', 0, 2, 10], 3]);
      expect(letters).toMatchObject([{ stage: 'ask', index: 0, item: 7, attempts: 3 }]);
      const failing = from([7])
        .pipeThrough(mapAsync(fail, { ...shape, retry }))
        .toArray({ ...way, clock });
      const error = await clock.until(failing.catch((reason) => reason));
      expect(error).toMatchObject({ stage: 'mapAsync', index: 0, attempt: 3, cause: new Error('down') });
    });

    test(`mapAsync() gives up at once when a wait is aborted: ${name}`, async () => {
      const clock = virtualClock();
      const retry = { attempts: 9, backoffMs: 1_000 };
      const fail = (): Promise<number> => Promise.reject(new Error('down'));
      const run = range(0, 9)
        .pipeThrough(mapAsync(fail, { ...shape, retry }))
        .run(() => {}, { ...way, clock });
      await clock.settle();
      expect(clock.pendingTimers).toBe(shape.concurrency);
      const reason = new Error('enough');
      run.abort(reason);
      await expect(run.finished).rejects.toBe(reason);
      expect(clock.pendingTimers).toBe(0);
      expect(run.inFlight).toBe(0);
    });

    test(`mapAsync() gives a call up after timeoutMs, and ignores what comes of it: ${name}`, async () => {
      const clock = virtualClock();
      const reasons: unknown[] = [];
      let late: (n: number) => void = () => {};
      const call = (n: number, { signal }: ItemContext): Promise<number> => {
        if (n !== 2) return clock.sleep(10).then(() => n);
        signal.addEventListener('abort', () => void reasons.push(signal.reason));
        return new Promise((resolve) => {
          late = resolve;
        });
      };
      const run = range(0, 8)
        .pipeThrough(mapAsync(call, { ...shape, timeoutMs: 50, onError: 'skip' }))
        .toArray({ ...way, clock });
      const items = await clock.until(
        run.then((all) => {
          late(2);
          return all;
        }),
      );
      expect(items.sort()).toEqual([0, 1, 3, 4, 5, 6, 7]);
      expect(reasons).toEqual([expect.objectContaining({ name: 'TimeoutError', code: 'ERR_CORE_TIMEOUT' })]);
      expect(clock.pendingTimers).toBe(0);
    });
  }
}

test('mapAsync() fails with a TimeoutError that says of which item', async () => {
  const clock = virtualClock();
  const stage = mapAsync(() => new Promise<never>(() => {}), { timeoutMs: 20, name: 'hangs' });
  const failing = from([1]).pipeThrough(stage).toArray({ clock });
  const error = await clock.until(failing.catch((reason) => reason));
  expect(error.cause.message).toBe('Cannot finish item 0 in stage "hangs": it took longer than 20 ms');
});

test('mapAsync() aborts the signals of all calls under way when the run is aborted', async () => {
  const clock = virtualClock();
  const signals: AbortSignal[] = [];
  const call = (_: number, { signal }: ItemContext): Promise<never> => {
    signals.push(signal);
    return new Promise(() => {});
  };
  const run = range(0, 9)
    .pipeThrough(mapAsync(call, { concurrency: 3, timeoutMs: 1_000 }))
    .run(() => {}, { clock });
  await clock.settle();
  const reason = new Error('stop');
  run.abort(reason);
  await run.finished.catch(() => {});
  expect(signals.map((signal) => signal.reason)).toEqual([reason, reason, reason]);
  expect(clock.pendingTimers).toBe(0);
});

test('mapAsync() asks `when` whether an error is worth another try; what that throws fails the run', async () => {
  let calls = 0;
  const call = async (): Promise<number> => {
    calls++;
    throw new Error('forbidden');
  };
  const retry = { attempts: 5, when: (error: unknown) => (error as Error).message !== 'forbidden' };
  const failing = from([1]).pipeThrough(mapAsync(call, { retry })).toArray();
  await expect(failing).rejects.toMatchObject({ attempt: 1, cause: new Error('forbidden') });
  expect(calls).toBe(1);
  const broken = {
    attempts: 5,
    when(): boolean {
      throw new Error('no idea');
    },
  };
  const error = await from([1])
    .pipeThrough(mapAsync(call, { retry: broken, onError: 'skip' }))
    .toArray()
    .catch((reason) => reason);
  expect(error).toMatchObject({ cause: new Error('no idea'), others: [new Error('forbidden')] });
});

test('mapAsync() waits for the stream of its dead letters before it frees the slot', async () => {
  const { settle } = virtualClock();
  let release: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const started: number[] = [];
  const call = async (n: number): Promise<number> => {
    started.push(n);
    throw new Error('no');
  };
  const writable = new WritableStream<DeadLetter<number>>({ write: () => gate });
  const run = range(0, 5)
    .pipeThrough(mapAsync(call, { concurrency: 2, onError: deadLetter(writable) }))
    .run(() => {});
  await settle();
  expect(started).toEqual([0, 1]);
  release();
  expect(await run.finished).toMatchObject({ deadLettered: 5, balanced: true });
  expect(writable.locked).toBe(false);
});

test('mapAsync() waits, when it is aborted, for the letters that are being written', async () => {
  const { settle } = virtualClock();
  let release: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const writable = new WritableStream<DeadLetter<number>>({ write: () => gate });
  const fail = (): Promise<number> => Promise.reject(new Error('no'));
  const run = range(0, 5)
    .pipeThrough(mapAsync(fail, { concurrency: 2, onError: deadLetter(writable) }))
    .run(() => {});
  await settle();
  run.abort();
  await settle();
  release();
  await run.finished.catch(() => {});
  expect(run.inFlight).toBe(0);
  expect(writable.locked).toBe(false);
});

test('bufferUnordered() begins a task again, and cached() looks up again', async () => {
  const clock = virtualClock();
  let begun = 0;
  const task = async (): Promise<number> => {
    if (++begun < 3) throw new Error('busy');
    return begun;
  };
  const retry = { attempts: 3, backoffMs: 5 };
  const tasks = from([task]).pipeThrough(bufferUnordered(2, { retry })).toArray({ clock });
  expect(await clock.until(tasks)).toEqual([3]);
  let asked = 0;
  const lookUp = (key: string): Promise<string> =>
    ++asked === 1 ? new Promise<string>(() => {}) : Promise.resolve(key.toUpperCase());
  const looked = from(['a', 'a', 'b'])
    .pipeThrough(cached(lookUp, { retry, timeoutMs: 30, concurrency: 3 }))
    .toArray({ clock });
  expect(await clock.until(looked)).toEqual(['A', 'A', 'B']);
  expect(asked).toBe(3);
});

test('mapAsync() refuses wrong policies by name', () => {
  const code = expect.objectContaining({ code: 'ERR_CORE_ARGUMENT' });
  const call = async (n: number): Promise<number> => n;
  for (const options of [
    { onError: 'ignore' },
    { onError: {} },
    { onError: null },
    { timeoutMs: 0 },
    { timeoutMs: '1s' },
    { retry: { attempts: 1 } },
    { retry: { attempts: 2, jitter: 2 } },
    { retry: { attempts: 2, jitter: true } },
    { retry: { attempts: 2, backoffMs: -1 } },
    { retry: { attempts: 2, tries: 3 } },
    { retry: { attempts: 2, when: 'always' } },
    { retry: 3 },
  ]) {
    expect(() => mapAsync(call, options as never), JSON.stringify(options)).toThrow(code);
  }
  expect(() => fallback('x' as never)).toThrow(code);
});
