import {
  batch,
  bufferUnordered,
  type Clock,
  from,
  generate,
  map,
  mapAsync,
  merge,
  type Pipeline,
  partitionBy,
  rateLimit,
  window,
  zip,
} from '@millrace/core';
import { sinkProbe, sourceProbe, virtualClock } from '@millrace/testkit';
import { describe, expect, test } from 'vitest';

// What goes wrong with stages elsewhere, and not here. What goes wrong with streams as such is in traps.test.ts.

/** Numbers that come one by one, each in a turn of its own. */
async function* numbers(count = Number.POSITIVE_INFINITY): AsyncGenerator<number> {
  for (let n = 0; n < count; n++) yield n;
}

async function aborted(run: { abort(reason: unknown): void; finished: Promise<unknown> }): Promise<void> {
  run.abort('enough');
  await expect(run.finished).rejects.toBe('enough');
}

describe('trap: batch by time emits empty batches while nothing comes, and grows while nobody takes any', () => {
  test('batch() has neither a batch nor a timer while nothing comes, and counts its time from the first item', async () => {
    const clock = virtualClock();
    const probe = sourceProbe<number>();
    const seen: string[] = [];
    const run = probe.pipeline
      .pipeThrough(batch({ maxWaitMs: 10 }))
      .run((items) => void seen.push(`${items} at ${clock.now()}`), { clock });
    await clock.advance(1_005);
    expect([seen, clock.pendingTimers]).toEqual([[], 0]);
    probe.release(1, 2);
    await clock.advance(9);
    expect(seen).toEqual([]);
    await clock.advance(1);
    expect(seen).toEqual(['1,2 at 1015']);
    await clock.advance(1_000);
    expect([seen.length, clock.pendingTimers]).toEqual([1, 0]);
    probe.end();
    expect(await run.finished).toMatchObject({ emitted: 1, made: 1, balanced: true });
  });

  test('batch() stops reading when maxItems are in, however long nobody takes them', async () => {
    const clock = virtualClock();
    let read = 0;
    const stalled = sinkProbe<number[]>({ highWaterMark: 0 });
    const run = generate(() => read++)
      .pipeThrough(batch({ maxItems: 5, maxWaitMs: 10 }))
      .run(stalled.sink, { clock });
    run.finished.catch(() => {});
    await clock.advance(100_000);
    expect(read).toBeLessThanOrEqual(run.explain().bound);
    expect(run.explain().bound).toBeLessThanOrEqual(11);
    await aborted(run);
  });
});

describe('trap: groupBy deadlocks', () => {
  const keyOf = (n: number): number => n % 20;

  test('partitionBy() goes on when each key gathers more than may wait of it', async () => {
    const gather = partitionBy(keyOf, { maxKeys: 20 }, (branch) => branch.pipeThrough(batch({ maxItems: 50 })));
    expect(await from(numbers(1_000)).pipeThrough(gather).count()).toBe(20);
  });

  test('partitionBy() goes on when more keys come than may be open, and none of those has what it waits for', async () => {
    const gather = partitionBy(keyOf, { maxKeys: 3 }, (branch) =>
      branch.pipeThrough(mapAsync(async (n) => n, { concurrency: 4 })).pipeThrough(batch({ maxItems: 50 })),
    );
    const run = from(numbers(1_000))
      .pipeThrough(gather)
      .run(() => {}, { observer: { warned: () => {} } });
    expect(await run.finished).toMatchObject({ read: 1_000, emitted: 1_000, balanced: true });
  });

  test('partitionBy() goes on with other keys while the function of one never answers', async () => {
    const clock = virtualClock();
    const seen: number[] = [];
    const probe = sourceProbe<number>();
    const stuck = partitionBy(keyOf, { maxKeys: 20, highWaterMark: 2 }, (branch) =>
      branch.pipeThrough(mapAsync((n) => (keyOf(n) === 0 ? new Promise<number>(() => {}) : Promise.resolve(n)))),
    );
    const run = probe.pipeline.pipeThrough(stuck).run((n) => void seen.push(n), { clock });
    run.finished.catch(() => {});
    probe.release(0, 1, 2, 20, 21, 22);
    await clock.settle();
    expect(seen.sort((a, b) => a - b)).toEqual([1, 2, 21, 22]);
    await aborted(run);
  });
});

describe('trap: ordered concurrency starves behind a slow consumer', () => {
  test('mapAsync() begins and ends as many calls as it may while its consumer is busy with one item', async () => {
    const clock = virtualClock();
    let [begun, ended] = [0, 0];
    const work = async (n: number): Promise<number> => {
      begun++;
      await clock.sleep(10);
      ended++;
      return n;
    };
    const stalled = sinkProbe<number>({ highWaterMark: 0 });
    const run = from(numbers())
      .pipeThrough(mapAsync(work, { concurrency: 4 }))
      .run(stalled.sink, { clock });
    run.finished.catch(() => {});
    await clock.advance(1_000);
    // One is with the consumer, four are done and wait for it.
    expect([stalled.isOffered, begun, ended]).toEqual([true, 5, 5]);
    const atMs = clock.now();
    expect(await stalled.take(4)).toEqual([0, 1, 2, 3]);
    expect(clock.now()).toBe(atMs);
    await aborted(run);
  });

  test('mapAsync() keeps all its slots at work behind a first item that is slow, and no more', async () => {
    const clock = virtualClock();
    const begun: number[] = [];
    const work = (n: number): Promise<number> => {
      begun.push(n);
      return clock.sleep(n === 0 ? 1_000 : 1).then(() => n);
    };
    const seen: number[] = [];
    const run = from(numbers(20))
      .pipeThrough(mapAsync(work, { concurrency: 4 }))
      .run((n) => void seen.push(n), { clock });
    await clock.advance(999);
    expect([begun, seen]).toEqual([[0, 1, 2, 3], []]);
    await clock.advance(50);
    await run.finished;
    expect(seen).toEqual(begun);
  });
});

describe('trap: concurrency: 0 hangs', () => {
  test.for([0, -1, 0.5, Number.NaN])(
    'mapAsync() and bufferUnordered() refuse a concurrency of %s at once',
    (concurrency) => {
      const message = `concurrency is ${concurrency} (must be a whole number of 1 or more)`;
      expect(() => mapAsync(async () => {}, { concurrency })).toThrow(message);
      expect(() => bufferUnordered(concurrency)).toThrow(message);
    },
  );

  test.for(['buffer', 'balance', 'broadcast'] as const)('%s() of 0 is refused at once', async (name) => {
    const core: Record<string, unknown> = await import('@millrace/core');
    const pipeline = from([1]) as unknown as Record<string, (count: number) => unknown>;
    const make = (name === 'buffer' ? core[name] : pipeline[name]?.bind(pipeline)) as (count: number) => unknown;
    expect(() => make(0)).toThrow(/is 0 \(must be a whole number of 1 or more\)/);
  });
});

describe('trap: zip buffers the faster side', () => {
  const pairs = async (fast: Pipeline<number>, read: () => number): Promise<void> => {
    const clock = virtualClock();
    const slow = sourceProbe<string>();
    const run = zip(fast, slow.pipeline, { highWaterMark: 2 }).run(() => {}, { clock });
    run.finished.catch(() => {});
    await clock.advance(1_000);
    expect(read()).toBeLessThanOrEqual(2);
    slow.release('a', 'b', 'c');
    await clock.advance(1_000);
    expect(read()).toBeLessThanOrEqual(5);
    expect(run.inFlight).toBeLessThanOrEqual(2);
    await aborted(run);
  };

  test('zip() asks a fast source for no more than may wait, while the other gives nothing', async () => {
    const probe = sourceProbe<number>();
    probe.release(...Array.from({ length: 1_000 }, (_, n) => n));
    await pairs(probe.pipeline, () => probe.read);
  });

  test('zip() takes of a loop only what has a partner', async () => {
    let made = 0;
    await pairs(
      generate(() => made++),
      () => made,
    );
    expect(made).toBe(3);
  });
});

describe('trap: a window never closes when one input is idle', () => {
  const timeMs = (n: number): number => n;

  test('window() closes what the busy input of a merge() has gone past, with an idle one beside it', async () => {
    const clock = virtualClock();
    const [busy, idle] = [sourceProbe<number>(), sourceProbe<number>()];
    const seen: number[][] = [];
    const run = merge(busy.pipeline, idle.pipeline)
      .pipeThrough(window({ sizeMs: 10, timeMs }))
      .run(({ items }) => void seen.push(items), { clock });
    run.finished.catch(() => {});
    busy.release(1, 2, 12);
    await clock.settle();
    expect(seen).toEqual([[1, 2]]);
    await aborted(run);
  });

  test('window() with idleMs closes the last ones when all inputs fall silent, and leaves no timer', async () => {
    const clock = virtualClock();
    const [one, other] = [sourceProbe<number>(), sourceProbe<number>()];
    const seen: string[] = [];
    const run = merge(one.pipeline, other.pipeline)
      .pipeThrough(window({ sizeMs: 10, timeMs, idleMs: 300 }))
      .run(({ items }) => void seen.push(`${items} at ${clock.now()}`), { clock });
    run.finished.catch(() => {});
    one.release(1, 2);
    await clock.advance(299);
    expect(seen).toEqual([]);
    await clock.advance(1);
    expect(seen).toEqual(['1,2 at 300']);
    await clock.advance(10_000);
    expect([seen.length, clock.pendingTimers]).toEqual([1, 0]);
    await aborted(run);
  });

  test('window() by arrival closes by the clock, whatever comes', async () => {
    const clock = virtualClock();
    const probe = sourceProbe<number>();
    const seen: number[][] = [];
    const run = probe.pipeline
      .pipeThrough(window({ sizeMs: 100 }))
      .run(({ items }) => void seen.push(items), { clock });
    run.finished.catch(() => {});
    probe.release(1, 2);
    await clock.advance(100);
    expect(seen).toEqual([[1, 2]]);
    await aborted(run);
  });
});

describe('trap: a rate limiter drifts', () => {
  test('rateLimit() has let as many pass after a long time as its rate says, with timers that are all late', async () => {
    const virtual = virtualClock();
    const clock: Clock = {
      now: () => virtual.now(),
      setTimer: (callback, delayMs) => virtual.setTimer(callback, delayMs + 15),
    };
    let passed = 0;
    const run = generate((n) => n)
      .pipeThrough(rateLimit({ limit: 10, intervalMs: 100 }))
      .pipeThrough(map((n) => n))
      .run(() => void passed++, { clock });
    run.finished.catch(() => {});
    await virtual.advance(6_000);
    // One each 10 ms and the first at once, up to two of which a timer holds up; one that waits anew after each lets 241 pass.
    expect(passed).toBeGreaterThanOrEqual(599);
    expect(passed).toBeLessThanOrEqual(601);
    await aborted(run);
  });
});
