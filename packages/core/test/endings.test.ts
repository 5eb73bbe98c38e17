import {
  batch,
  buffer,
  channel,
  flatMap,
  from,
  generate,
  type ItemContext,
  interval,
  map,
  mapAsync,
  type RunOptions,
  type RunSummary,
  range,
  StageError,
  take,
} from '@millrace/core';
import { operator } from '@millrace/core/authoring';
import { sinkProbe, sourceProbe, virtualClock } from '@millrace/testkit';
import { describe, expect, test } from 'vitest';

// How runs end: by an abort from anywhere, by failures in the middle of things, by a drain.

const ways: Record<string, RunOptions> = {
  generated: {},
  copied: { generate: false },
  'not fused': { fuse: false },
  'with contexts': { context: true },
};

/** Runs to the end, well or not, and gives what the observer was told. */
async function ended(
  start: (options: RunOptions) => { readonly finished: Promise<unknown> },
  options: RunOptions = {},
) {
  let told: { summary: RunSummary; error: unknown } | undefined;
  const observer = {
    ended: (summary: RunSummary, error: unknown) => {
      told = { summary, error };
    },
  };
  await start({ ...options, observer }).finished.catch(() => {});
  return told!;
}

describe.for(Object.entries(ways))('a run, %s,', ([, options]) => {
  test('that fails has no calls among the others that give up by their signal', async () => {
    const late = new Error('late');
    // As fetch() does, as setTimeout() of node:timers/promises does, and one with an error of its own.
    const ends = [
      (reason: unknown) => reason,
      (reason: unknown) => Object.assign(new Error('aborted', { cause: reason }), { name: 'AbortError' }),
      () => late,
    ];
    const waits = async (n: number, { signal }: ItemContext): Promise<void> => {
      const error = await new Promise((resolve) => {
        if (n === 3) return queueMicrotask(() => resolve(new Error('first')));
        signal.addEventListener('abort', () => resolve(ends[n]?.(signal.reason)));
      });
      throw error;
    };
    const error: StageError = await range(0, 4)
      .pipeThrough(mapAsync(waits, { concurrency: 4, ordered: false }))
      .count(options)
      .catch((problem) => problem);
    expect(error).toMatchObject({ index: 3, cause: new Error('first') });
    // What was under way is told of a moment later.
    await new Promise((resolve) => setTimeout(resolve));
    expect(error.others).toMatchObject([{ index: 2, cause: late }]);
  });

  test('that is aborted by its own sink ends in balance', async () => {
    const reason = new Error('seen enough');
    const { summary, error } = await ended((all) => {
      const run = range(0, 100_000)
        .pipeThrough(batch({ maxItems: 3 }))
        .pipeThrough(flatMap((items) => items))
        .run((n) => void (n === 10 && run.abort(reason)), all);
      return run;
    }, options);
    expect(error).toBe(reason);
    expect(summary.balanced).toBe(true);
    expect(summary.read).toBeLessThan(100_000);
  });

  test('that is aborted by a function in the middle ends in balance', async () => {
    const controller = new AbortController();
    const numbers = (async function* () {
      for (let n = 0; ; n++) yield n;
    })();
    const { summary, error } = await ended(
      (all) =>
        from(numbers)
          .pipeThrough(map((n) => (n === 5 ? controller.abort('enough') : n)))
          .pipeThrough(mapAsync(async (n) => n, { concurrency: 3 }))
          .pipeThrough(batch({ maxItems: 4 }))
          .run(() => {}, { ...all, signal: controller.signal }),
      options,
    );
    expect(error).toBe('enough');
    expect(summary.balanced).toBe(true);
    expect(await numbers.next()).toEqual({ done: true, value: undefined });
  });

  test.for(['next', 'return'] as const)('counts an item whose iterator fails in %s() once', async (where) => {
    const failing = (): Iterable<number> => ({
      [Symbol.iterator]: () => {
        let n = 0;
        return {
          next: () => {
            if (where === 'next' && n === 2) throw new Error('iterator');
            return { done: false, value: n++ };
          },
          return: () => {
            if (where === 'return') throw new Error('iterator');
            return { done: true, value: undefined };
          },
        };
      },
    });
    const probe = sourceProbe<number>();
    probe.release(1, 2, 3);
    const { summary, error } = await ended((all) => {
      const run = probe.pipeline
        .pipeThrough(flatMap(failing))
        .pipeThrough(take(3))
        .run(() => {}, all);
      return run;
    }, options);
    expect(String((error as StageError).cause)).toContain('iterator');
    expect(summary.balanced).toBe(true);
    expect(summary.stages[1]).toMatchObject({ name: 'flatMap', in: expect.any(Number) });
  });

  test.for(['a function', 'a sink', 'a step', 'a buffer', 'mapAsync'] as const)(
    'that ends while a burst is on its way to %s counts it as abandoned',
    async (next) => {
      let end = (): void => {};
      const relay = operator<number, number>({
        name: 'relay',
        open: (upstream, { counts }) => ({
          async pull(max) {
            const answer = await upstream.pull(max);
            if (Array.isArray(answer)) counts.out = counts.in += answer.length;
            // Behind this stage, before the promise tells the next.
            queueMicrotask(() => end());
            return answer;
          },
          close: (reason) => upstream.close(reason),
        }),
      });
      const { summary } = await ended((all) => {
        const relayed = from([1, 2, 3]).pipeThrough(relay);
        const before =
          next === 'a step'
            ? relayed.pipeThrough(flatMap((n) => [n]))
            : next === 'a buffer'
              ? relayed.pipeThrough(buffer(4))
              : next === 'mapAsync'
                ? relayed.pipeThrough(mapAsync(async (n) => n, { concurrency: 4, highWaterMark: 3 }))
                : relayed;
        const run = before.run(next === 'a sink' ? { maxBurst: 4, open: () => ({ write() {} }) } : () => {}, all);
        end = () => run.abort('enough');
        return run;
      }, options);
      expect(summary.read).toBeGreaterThan(0);
      expect(summary).toMatchObject({ abandoned: summary.read, balanced: true });
    },
  );

  test('that ends early lets nothing of what was abandoned fail it', async () => {
    const slow = mapAsync((n: number) => (n === 0 ? n : Promise.reject(new Error('late'))), { concurrency: 4 });
    expect(await range(0, 9).pipeThrough(slow).pipeThrough(take(1)).toArray(options)).toEqual([0]);
  });
});

test('values() with a signal that was aborted reads nothing and rejects with its reason', async () => {
  const probe = sourceProbe<number>();
  const reason = new Error('too late');
  const items = probe.pipeline.values({ signal: AbortSignal.abort(reason) });
  await expect(items.next()).rejects.toBe(reason);
  expect(await items.next()).toEqual({ done: true, value: undefined });
  expect([probe.pulls, probe.closes]).toEqual([[], [reason]]);
});

test('toReadableStream() with a signal that was aborted fails with its reason', async () => {
  const reason = new Error('too late');
  const stream = range(0, 9).toReadableStream({ signal: AbortSignal.abort(reason) });
  await expect(stream.getReader().read()).rejects.toBe(reason);
});

test('leaving a for await closes the source, and throws what its clean-up throws', async () => {
  let closed = 0;
  async function* numbers(fails: boolean) {
    try {
      for (let n = 0; ; n++) yield n;
    } finally {
      closed++;
      // biome-ignore lint/correctness/noUnsafeFinally: what a clean-up throws is what is tested.
      if (fails) throw new Error('clean-up');
    }
  }
  const leave = async (fails: boolean): Promise<void> => {
    for await (const _ of from(numbers(fails))) break;
  };
  await leave(false);
  await expect(leave(true)).rejects.toMatchObject({ code: 'ERR_CORE_CLOSE' });
  expect(closed).toBe(2);
});

test('pipeTo() aborts the writable when its signal was aborted before, and gives the lock back', async () => {
  const reasons: unknown[] = [];
  const writable = new WritableStream<number>({ abort: (reason) => void reasons.push(reason) });
  await expect(range(0, 9).pipeTo(writable, { signal: AbortSignal.abort('no') })).rejects.toBe('no');
  expect(reasons).toEqual(['no']);
  expect(writable.locked).toBe(false);
});

test('pipeTo() refuses a writable that is locked, and opens nothing', async () => {
  const probe = sourceProbe<number>();
  const writable = new WritableStream<number>();
  writable.getWriter();
  await expect(probe.pipeline.pipeTo(writable)).rejects.toThrow('Cannot build pipeTo(): writable is "locked"');
});

test('pipeTo() reports a write that fails once', async () => {
  const cause = new Error('full');
  const writable = new WritableStream<number>({
    write: (n) => {
      if (n === 2) throw cause;
    },
  });
  const error: StageError = await range(0, 9)
    .pipeTo(writable)
    .catch((reason) => reason);
  expect(error).toBeInstanceOf(StageError);
  expect([error.stage, error.index, error.cause, error.others]).toEqual(['writable', 2, cause, []]);
});

test('a native pair whose stage ends early fails its writable side', async () => {
  const { readable, writable } = take<number>(1);
  const writer = writable.getWriter();
  const reader = readable.getReader();
  const first = reader.read();
  await writer.write(1);
  expect(await first).toEqual({ done: false, value: 1 });
  expect((await reader.read()).done).toBe(true);
  await expect(writer.write(2)).rejects.toBeInstanceOf(TypeError);
});

test('drain() reports a generator that hangs as left open', async () => {
  const clock = virtualClock();
  const run = from(async function* hung() {
    yield 1;
    await new Promise(() => {});
  }).run(() => {}, { clock, closeGraceMs: 50 });
  await clock.settle();
  const drained = run.drain({ deadlineMs: 100 });
  await clock.advance(150);
  expect(await drained).toMatchObject({ read: 1, emitted: 1, leftOpen: ['hung'], balanced: true });
  expect(clock.pendingTimers).toBe(0);
});

test('drain() abandons what a sink does not finish by the deadline and the grace', async () => {
  const clock = virtualClock();
  const probe = sinkProbe<number>();
  const run = generate((n) => n).run(probe.sink, { clock });
  await clock.settle();
  const drained = run.drain({ deadlineMs: 100 });
  await clock.advance(1100);
  const summary = await drained;
  expect(summary).toMatchObject({ emitted: 0, balanced: true });
  expect(summary.abandoned).toBe(summary.read);
  expect(clock.pendingTimers).toBe(0);
});

test('interval() ticks by the clock of the run, leaves out what was missed, and drains at once', async () => {
  const clock = virtualClock();
  const times: string[] = [];
  const run = interval(10).run((n) => void times.push(`${n} at ${clock.now()}`), { clock });
  await clock.advance(35);
  expect(times).toEqual(['0 at 10', '1 at 20', '2 at 30']);
  await run.drain();
  expect(clock.pendingTimers).toBe(0);
});

test('channel() never lets more wait than its capacity, and hands on all', async () => {
  const { sender, receiver } = channel<number>(50);
  const sends = Array.from({ length: 100 }, (_, n) => sender.send(n));
  expect(sends.filter((sent) => sent === undefined)).toHaveLength(50);
  sender.close();
  expect(await receiver.toArray()).toHaveLength(100);
  await Promise.all(sends);
  expect(() => sender.send(1)).toThrow('Cannot send the item: this sender is closed (must be open)');
});

test('channel() rejects what waits when its receiver goes, and a later run ends at once', async () => {
  const { sender, receiver } = channel<number>(1);
  void sender.send(1);
  void sender.send(2);
  const waiting = sender.send(3);
  expect(await receiver.first()).toBe(1);
  await expect(waiting).rejects.toMatchObject({ code: 'ERR_CORE_CHANNEL_CLOSED' });
  expect(await receiver.toArray()).toEqual([]);
});

test('batch() by time goes when its time is up, and leaves no timer', async () => {
  const clock = virtualClock();
  const probe = sourceProbe<number>();
  const seen: string[] = [];
  const run = probe.pipeline
    .pipeThrough(batch({ maxItems: 3, maxWaitMs: 100 }))
    .run((items) => void seen.push(`${items} at ${clock.now()}`), { clock });
  await clock.advance(10);
  probe.release(1, 2);
  await clock.advance(120);
  probe.release(3, 4, 5, 6);
  await clock.settle();
  probe.end();
  await run.finished;
  expect(seen).toEqual(['1,2 at 110', '3,4,5 at 130', '6 at 130']);
  expect(clock.pendingTimers).toBe(0);
});

test('a timer fires beside endless runs of every kind', async () => {
  const runs = Array.from({ length: 20 }, (_, at) => {
    const numbers =
      at % 2 === 0
        ? generate((n) => n)
        : from(async function* () {
            for (let n = 0; ; n++) yield n;
          });
    return numbers.pipeThrough(batch({ maxWaitMs: 1000 })).run(() => {});
  });
  let fired = 0;
  for (; fired < 3; fired++) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(fired).toBe(3);
  for (const run of runs) {
    run.finished.catch(() => {});
    run.abort('enough');
  }
});

test('flatMap() of one input into 1,000,000 outputs holds one input', async () => {
  const million = flatMap(function* (n: number) {
    for (let at = 0; at < 1_000_000; at++) yield n;
  });
  const summary = await from([1])
    .pipeThrough(million)
    .run(() => {}).finished;
  expect(summary).toMatchObject({ emitted: 1_000_000, balanced: true });
  expect(summary.inFlightMax).toBeLessThanOrEqual(2);
});

test.for(Object.entries(ways))(
  'a flush that unfolds behind a step that is not unfolding goes on, %s',
  async ([, options]) => {
    const pairs = range(0, 2)
      .pipeThrough(flatMap((n) => [n, n]))
      .pipeThrough(batch({ maxItems: 3 }))
      .pipeThrough(flatMap((items) => items));
    expect(await pairs.toArray(options)).toEqual([0, 0, 1, 1]);
  },
);
