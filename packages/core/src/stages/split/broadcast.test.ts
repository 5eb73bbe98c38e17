import {
  batch,
  buffer,
  filter,
  flatMap,
  from,
  generate,
  map,
  mapAsync,
  merge,
  range,
  runAll,
  type StageError,
  take,
} from '@millrace/core';
import { sinkProbe, sourceProbe, virtualClock } from '@millrace/testkit';
import { afterEach, describe, expect, test, vi } from 'vitest';

async function* later<T>(...items: T[]): AsyncGenerator<T> {
  for (const item of items) yield item;
}

describe('broadcast()', () => {
  test('broadcast() gives each branch all items, in order', async () => {
    const [a, b, c] = range(0, 1000).broadcast(3);
    const seen: number[][] = [[], [], []];
    const summary = await runAll(
      a.into((n) => void seen[0]!.push(n)),
      b.pipeThrough(mapAsync(async (n) => n, { concurrency: 4 })).into((n) => void seen[1]!.push(n)),
      c.pipeThrough(batch({ maxItems: 7 })).into((items) => void seen[2]!.push(...items)),
    ).finished;
    const all = Array.from({ length: 1000 }, (_, n) => n);
    expect(seen).toEqual([all, all, all]);
    expect(summary).toMatchObject({ read: 1000, balanced: true });
    expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
  });

  test('broadcast() counts copies for each branch', async () => {
    const [a, b] = from([1, 2, 3]).broadcast(2, { name: 'copy' });
    const run = runAll(
      a.into(() => {}),
      b.pipeThrough(filter((n) => n > 1)).into(() => {}),
    );
    const summary = await run.finished;
    expect(summary).toMatchObject({ read: 3, made: 3, emitted: 5, filtered: 1, balanced: true });
    const counts = run.counts().map((each) => [each.name, each.in, each.made, each.out]);
    expect(counts).toEqual([
      ['array', 0, 3, 3],
      ['copy', 3, 3, 6],
      ['copy branch 1', 3, 0, 3],
      ['forEach', 3, 0, 3],
      ['copy branch 2', 3, 0, 3],
      ['filter', 3, 0, 2],
      ['forEach 2', 2, 0, 2],
    ]);
    expect(run.inFlight).toBe(0);
  });

  test('broadcast() is held up by its slowest branch, and holds exactly its bound', async () => {
    const clock = virtualClock();
    const probe = sourceProbe<number>();
    probe.release(...Array.from({ length: 100 }, (_, n) => n));
    const [fast, slow] = probe.pipeline.broadcast(2);
    const [quick, stalled] = [sinkProbe<number>({ highWaterMark: 0 }), sinkProbe<number>({ highWaterMark: 0 })];
    const run = runAll(fast.into(quick.sink), slow.into(stalled.sink), { clock });
    run.finished.catch(() => {});
    void quick.take(100);
    await clock.settle();
    expect(quick.items).toEqual([0, 1]);
    expect(probe.read).toBe(2);
    expect(run.explain().bound).toBe(4);
    await stalled.take(1);
    await clock.settle();
    expect(quick.items).toEqual([0, 1, 2]);
    run.abort('enough');
    await run.finished.catch(() => {});
    expect(run.inFlight).toBe(0);
    expect(probe.closes).toEqual(['enough']);
  });

  test('broadcast() with a highWaterMark lets that many wait before the slow branch', async () => {
    const clock = virtualClock();
    const [fast, slow] = generate((n) => n).broadcast(2, { highWaterMark: 5 });
    const [quick, stalled] = [sinkProbe<number>({ highWaterMark: 0 }), sinkProbe<number>({ highWaterMark: 0 })];
    const run = runAll(fast.into(quick.sink), slow.into(stalled.sink), { clock });
    run.finished.catch(() => {});
    void quick.take(100);
    await clock.settle();
    expect(quick.items).toEqual([0, 1, 2, 3, 4, 5]);
    expect(run.inFlight).toBeLessThanOrEqual(run.explain().bound);
    run.abort('enough');
    await run.finished.catch(() => {});
  });

  test('broadcast() with a highWaterMark of 0 hands on in step', async () => {
    const [a, b] = range(0, 50).broadcast(2, { highWaterMark: 0 });
    const seen: number[] = [];
    await runAll(
      a.into((n) => void seen.push(n)),
      b.into(async (n) => void seen.push(n)),
    ).finished;
    expect(seen).toHaveLength(100);
  });

  test('broadcast() leaves out a branch that ends, and the others go on', async () => {
    const [few, all] = range(0, 100).broadcast(2);
    const seen: number[][] = [[], []];
    const summary = await runAll(
      few.pipeThrough(take(3)).into((n) => void seen[0]!.push(n)),
      all.into((n) => void seen[1]!.push(n)),
    ).finished;
    expect(seen[0]).toEqual([0, 1, 2]);
    expect(seen[1]).toHaveLength(100);
    expect(summary).toMatchObject({ read: 100, balanced: true });
  });

  test('broadcast() lets go on what waited for the branch that ended', async () => {
    const clock = virtualClock();
    const probe = sourceProbe<number>();
    probe.release(...Array.from({ length: 10 }, (_, n) => n));
    const [few, all] = probe.pipeline.broadcast(2);
    const stalled = sinkProbe<number>({ highWaterMark: 0 });
    const seen: number[] = [];
    const run = runAll(
      few.pipeThrough(take(2)).into(stalled.sink),
      all.into((n) => void seen.push(n)),
      { clock },
    );
    await clock.settle();
    expect(seen.length).toBeLessThan(5);
    await stalled.take(2);
    await clock.settle();
    expect(seen).toHaveLength(10);
    expect(stalled.closes).toBe(1);
    probe.end();
    expect(await run.finished).toMatchObject({ balanced: true });
  });

  test('broadcast() closes its source when all branches have ended', async () => {
    const probe = sourceProbe<number>();
    probe.release(...Array.from({ length: 100 }, (_, n) => n));
    const [a, b] = probe.pipeline.broadcast(2);
    const summary = await runAll(
      a.pipeThrough(take(2)).into(() => {}),
      b.pipeThrough(take(5)).into(() => {}),
    ).finished;
    expect(probe.closes).toHaveLength(1);
    expect(summary).toMatchObject({ emitted: 7, balanced: true });
  });

  test('broadcast() fails the run with the error of one branch, and aborts the sinks of the others', async () => {
    const cause = new Error('broken');
    const [a, b] = generate((n) => n).broadcast(2);
    const aborted: unknown[] = [];
    const writable = new WritableStream<number>({ abort: (reason) => void aborted.push(reason) });
    const run = runAll(
      a
        .pipeThrough(
          map(
            (n) => {
              if (n === 20) throw cause;
              return n;
            },
            { name: 'check' },
          ),
        )
        .into(() => {}),
      b.into(writable),
    );
    const error: StageError = await run.finished.then(undefined, (reason) => reason);
    expect([error.stage, error.index, error.cause]).toEqual(['check', 20, cause]);
    expect(aborted).toEqual([error]);
    expect(run.inFlight).toBe(0);
  });

  test('broadcast() passes the error of its source on once', async () => {
    const [a, b] = from(later(1, 2))
      .pipeThrough(mapAsync(async (n) => (n === 2 ? Promise.reject(new Error('broken')) : n)))
      .broadcast(2);
    const error: StageError = await merge(a, b)
      .toArray()
      .then(undefined, (reason) => reason);
    expect([error.stage, error.others]).toEqual(['mapAsync', []]);
  });

  test('broadcast() refuses a run without one of its branches, by name', async () => {
    const [a, b] = from([1, 2]).broadcast(2);
    await expect(a.toArray()).rejects.toMatchObject({ code: 'ERR_CORE_BRANCH' });
    await expect(a.toArray()).rejects.toThrow('branch 2 of "broadcast" would never be read');
    expect(() => b.run(() => {})).toThrow('branch 1 of "broadcast" would never be read');
    expect(() => runAll(a.into(() => {}))).toThrow('branch 2 of "broadcast"');
    expect(() => merge(a, a, b).values()).toThrow('branch 1 of "broadcast" is used twice');
    expect(a.explain().bound).toBe(1);
  });

  test('broadcast() refuses wrong arguments', () => {
    expect(() => from([1]).broadcast(0 as 1)).toThrow('branches is 0');
    expect(() => from([1]).broadcast(2, { copies: 2 } as never)).toThrow('option "copies" is unknown');
  });

  test('broadcast() of a branch of a broadcast gives all items to all', async () => {
    const [a, rest] = range(0, 10).broadcast(2);
    const [b, c] = rest.pipeThrough(map((n) => n * 10)).broadcast(2);
    const items = await merge(a, b, c).toArray();
    const expected = Array.from({ length: 10 }, (_, n) => [n, n * 10, n * 10]).flat();
    expect(items.sort((x, y) => x - y)).toEqual(expected.sort((x, y) => x - y));
  });

  test('broadcast() and merge() of branches of unlike speed give all items, and end', async () => {
    const [a, b, c] = range(0, 500).broadcast(3);
    const merged = merge(
      a.pipeThrough(batch({ maxItems: 100 })).pipeThrough(flatMap((items) => items)),
      b.pipeThrough(mapAsync(async (n) => n, { concurrency: 8, ordered: false })),
      c.pipeThrough(buffer(3)).pipeThrough(filter((n) => n % 2 === 0)),
    );
    const run = merged.pipeThrough(map((n) => n)).run(() => {}, { observer: { warned: () => {} } });
    const summary = await run.finished;
    expect(summary).toMatchObject({ read: 500, emitted: 1250, filtered: 250, balanced: true });
    expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
    expect(run.inFlight).toBe(0);
  });
});

describe('runAll()', () => {
  test('runAll() starts pipelines that have nothing in common as one run', async () => {
    const seen: unknown[] = [];
    const summary = await runAll(
      from([1, 2]).into((n) => void seen.push(n)),
      from(later('a', 'b')).into((text) => void seen.push(text)),
    ).finished;
    expect(new Set(seen)).toEqual(new Set([1, 2, 'a', 'b']));
    expect(summary).toMatchObject({ read: 4, emitted: 4, balanced: true });
  });

  test('runAll() drains all sources and finishes what is inside', async () => {
    const [a, b] = generate((n) => n).broadcast(2);
    const seen = [0, 0];
    const run = runAll(
      a.into(() => void seen[0]!++),
      b.pipeThrough(batch({ maxItems: 10 })).into((items) => {
        seen[1]! += items.length;
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 1));
    const summary = await run.drain();
    expect(seen).toEqual([summary.read, summary.read]);
    expect(summary).toMatchObject({ balanced: true, abandoned: 0 });
  });

  test('runAll() aborts with the reason of the signal, and closes every source', async () => {
    const probes = [sourceProbe<number>(), sourceProbe<number>()] as const;
    const controller = new AbortController();
    const run = runAll(
      probes[0].pipeline.into(() => {}),
      probes[1].pipeline.into(() => {}),
      { signal: controller.signal },
    );
    await new Promise((resolve) => setTimeout(resolve, 1));
    controller.abort('enough');
    await expect(run.finished).rejects.toBe('enough');
    expect(probes.map(({ closes }) => closes)).toEqual([['enough'], ['enough']]);
  });

  test('runAll() tells one observer of all stages', async () => {
    const [a, b] = from([1, 2, 3]).broadcast(2);
    const nodes = new Set<number>();
    let stages: string[] = [];
    await runAll(
      a.into(() => {}),
      b.into({ name: 'archive', open: () => ({ write() {} }) }),
      {
        observer: {
          started: ({ plan }) => {
            stages = plan.stages.map(({ name }) => name);
          },
          burst: (node) => void nodes.add(node),
        },
      },
    ).finished;
    expect(stages).toEqual(['array', 'broadcast', 'broadcast branch 1', 'forEach', 'broadcast branch 2', 'archive']);
    expect(nodes.size).toBe(3);
  });

  test('runAll() closes writables, and leaves open what it is told to', async () => {
    const [a, b] = from([1, 2]).broadcast(2);
    const closed: string[] = [];
    const writable = (name: string) => new WritableStream<number>({ close: () => void closed.push(name) });
    const kept = writable('kept');
    await runAll(a.into(writable('closed')), b.into(kept, { preventClose: true })).finished;
    expect(closed).toEqual(['closed']);
    expect(kept.locked).toBe(false);
  });

  test('runAll() refuses one writable given twice, and runs nothing', async () => {
    const probe = sourceProbe<number>();
    const writable = new WritableStream<number>();
    const [a, b] = probe.pipeline.broadcast(2);
    expect(() => runAll(a.into(writable), b.into(writable))).toThrow(TypeError);
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(probe.pulls).toEqual([]);
    expect(writable.locked).toBe(false);
  });

  test('runAll() refuses what is not a pipeline with its sink, wrong options, and too large a bound', () => {
    expect(() => runAll()).toThrow('Cannot build runAll(): the first pipeline is undefined');
    expect(() => runAll(from([1]) as never)).toThrow('pipeline 1 is an object');
    const [a, b] = from([1]).broadcast(2);
    const deliveries = [a.into(() => {}), b.into(() => {})] as const;
    expect(() => runAll(...deliveries, { retries: 1 } as never)).toThrow('option "retries" is unknown');
    expect(() => runAll(...deliveries, { maxInFlight: 2 })).toThrow('132 items can be inside');
    expect(() => a.into('file' as never)).toThrow('Cannot build into(): sink is "file"');
    expect(() => a.into(() => {}, { preventClose: true })).toThrow('option "preventClose" is not for such a sink');
  });
});

describe('diamonds', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const diamond = (highWaterMark: number) => {
    const [gathered, direct] = range(0, 10).broadcast(2, { highWaterMark });
    return merge(gathered.pipeThrough(batch({ maxItems: 100 })).pipeThrough(map((items) => items.length)), direct);
  };

  test('explain() warns of branches that run out of step by more than they can hold', () => {
    const [warning, ...others] = diamond(1).explain().warnings;
    expect(others).toEqual([]);
    expect(warning).toContain('"broadcast branch 1" takes in 100 items before "merge" gets one of it');
    expect(warning).toContain('"broadcast branch 2" holds 2');
    expect(String(diamond(1).explain())).toContain('warning: "broadcast branch 1"');
    expect(diamond(98).explain().warnings).toHaveLength(1);
    expect(diamond(99).explain().warnings).toEqual([]);
  });

  test('explain() counts what a branch holds: buffers, what is in service, an open batch', () => {
    const [a, b] = range(0, 10).broadcast(2);
    const gathered = a.pipeThrough(batch({ maxItems: 20 })).pipeThrough(map((items) => items.length));
    const warnings = (held: typeof b) => merge(gathered, held).explain().warnings;
    expect(warnings(b.pipeThrough(buffer(18)))).toEqual([]);
    expect(warnings(b.pipeThrough(mapAsync((n) => n, { concurrency: 18 })))).toEqual([]);
    expect(warnings(b.pipeThrough(buffer(17)))).toHaveLength(1);
    expect(warnings(b.pipeThrough(batch({ maxItems: 20 })).pipeThrough(map((items) => items.length)))).toEqual([]);
  });

  test('a run tells its observer of such branches, or the console, once', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const told: string[] = [];
    await diamond(7).count({ observer: { warned: (message) => void told.push(message) } });
    expect(told).toHaveLength(1);
    expect(warn).not.toHaveBeenCalled();
    await diamond(7).count();
    await diamond(7).count();
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn).toHaveBeenCalledWith(told[0]);
  });
});
