import { batch, from, generate, map, range, take, zip } from '@millrace/core';
import { sinkProbe, sourceProbe, virtualClock } from '@millrace/testkit';
import { describe, expect, test } from 'vitest';

async function* later<T>(...items: T[]): AsyncGenerator<T> {
  for (const item of items) yield item;
}

describe('zip()', () => {
  test('zip() gives arrays of one item of each input, and ends with the shortest', async () => {
    expect(await zip(from([1, 2, 3]), from(later('a', 'b')), range(10, 99)).toArray()).toEqual([
      [1, 'a', 10],
      [2, 'b', 11],
    ]);
    expect(await zip(from([1, 2])).toArray()).toEqual([[1], [2]]);
    expect(await zip(from([1, 2]), from([])).toArray()).toEqual([]);
  });

  test('zip() reads no more of the faster input than its highWaterMark', async () => {
    const clock = virtualClock();
    const [fast, slow] = [sourceProbe<number>(), sourceProbe<string>()];
    fast.release(...range100());
    const run = zip(fast.pipeline, slow.pipeline, { highWaterMark: 3 }).run(() => {}, { clock });
    await clock.settle();
    expect(fast.read).toBe(3);
    slow.release('a', 'b');
    await clock.settle();
    expect(fast.read).toBe(5);
    expect(run.inFlight).toBe(3);
    slow.end();
    const summary = await run.finished;
    expect(summary).toMatchObject({ read: 7, emitted: 2, absorbed: 4, abandoned: 3, balanced: true });
    expect(fast.closes).toHaveLength(1);
  });

  test('zip() takes nothing of a loop that has no partner yet', async () => {
    const clock = virtualClock();
    let made = 0;
    const slow = sourceProbe<string>();
    const run = zip(
      generate(() => made++),
      slow.pipeline,
    ).run(() => {}, { clock });
    await clock.settle();
    expect(made).toBe(0);
    slow.release('a', 'b', 'c');
    await clock.settle();
    expect(made).toBe(3);
    slow.end();
    expect(await run.finished).toMatchObject({ emitted: 3, abandoned: 0 });
  });

  test('zip() reads no item of an input whose partners have ended', async () => {
    let made = 0;
    const endless = generate(() => made++);
    expect(await zip(from(later(1, 2)), endless).count()).toBe(2);
    expect(made).toBe(2);
    expect(await zip(endless, from([1, 2, 3])).count()).toBe(3);
  });

  test('zip() holds its bound, reached with a stalled sink', async () => {
    const clock = virtualClock();
    const [a, b] = [sourceProbe<number>(), sourceProbe<number>()];
    a.release(...range100());
    b.release(...range100());
    const probe = sinkProbe<readonly [number, number]>({ highWaterMark: 0 });
    const run = zip(a.pipeline, b.pipeline, { highWaterMark: 3 }).run(probe.sink, { clock });
    await clock.settle();
    expect(run.explain().bound).toBe(8);
    expect(run.inFlight).toBe(8);
    run.abort('enough');
    await run.finished.catch(() => {});
    expect([run.inFlight, a.closes, b.closes]).toEqual([0, ['enough'], ['enough']]);
  });

  test('zip() of batches weighs what their items do', async () => {
    const zipped = zip(range(0, 20).pipeThrough(batch({ maxItems: 4 })), from(later(1, 2, 3)));
    const run = zipped.run(() => {});
    const summary = await run.finished;
    // Waiting: a batch of 4 and an item; before the sink and in it an array of 5.
    expect(run.explain().rooms).toMatchObject([{ stage: 'zip', items: 5 }, { items: 5 }, { items: 5 }]);
    expect(summary.balanced).toBe(true);
    expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
    expect(run.inFlight).toBe(0);
  });

  test('zip() fails in the place of the failure, with the stage and index of the one that failed', async () => {
    const failing = range(0, 9).pipeThrough(
      map(
        (n) => {
          if (n === 2) throw new Error('no');
          return n;
        },
        { name: 'fragile' },
      ),
    );
    const seen: unknown[] = [];
    const run = zip(failing, from(later('a', 'b', 'c'))).run((tuple) => void seen.push(tuple));
    await expect(run.finished).rejects.toMatchObject({ stage: 'fragile', index: 2 });
    expect(seen).toEqual([
      [0, 'a'],
      [1, 'b'],
    ]);
    expect(run.inFlight).toBe(0);
  });

  test('zip() closes all inputs when a consumer has enough', async () => {
    const clock = virtualClock();
    const [a, b] = [sourceProbe<number>(), sourceProbe<number>()];
    const two = zip(a.pipeline, b.pipeline).pipeThrough(take(2)).toArray({ clock });
    a.release(1, 2, 3);
    b.release(4, 5, 6);
    await clock.settle();
    expect(await two).toEqual([
      [1, 4],
      [2, 5],
    ]);
    expect([a.closes.length, b.closes.length]).toEqual([1, 1]);
  });

  test('zip() drains: it ends with what has a partner', async () => {
    const clock = virtualClock();
    const [a, b] = [sourceProbe<number>(), sourceProbe<number>()];
    const run = zip(a.pipeline, b.pipeline).run(() => {}, { clock, closeGraceMs: 10 });
    a.release(1, 2);
    b.release(3);
    await clock.settle();
    const drained = run.drain({ deadlineMs: 20 });
    await clock.advance(30);
    expect(await drained).toMatchObject({ balanced: true, emitted: 1, abandoned: 1 });
  });

  test('zip() is shown under its name', () => {
    const zipped = zip(range(0, 3), from(later(1)), { name: 'pairs', highWaterMark: 2 });
    expect(String(zipped.explain())).toContain('join:      pairs ← range, async iterable | pairs edge: 4');
    expect(zipped.topology().nodes.at(-1)).toMatchObject({ name: 'pairs', kind: 'join', highWaterMark: 4 });
    expect(zipped.topology().toMermaid()).toContain('{{"pairs"}}');
  });

  test('zip() of branches that run out of step is warned of', () => {
    const [all, tens] = range(0, 99).broadcast(2);
    const zipped = zip(all, tens.pipeThrough(batch({ maxItems: 10 })));
    expect(zipped.explain().warnings).toEqual([
      '"broadcast branch 2" takes in 10 items before "zip" gets one of it, and "broadcast branch 1" holds 2: they run out of step, and "zip", which waits for both, stops for ever (must hold 10: put buffer(8) into that branch)',
    ]);
  });

  test('zip() refuses what is not a pipeline, and wrong options', () => {
    expect(() => zip()).toThrow('Cannot build zip(): the first pipeline is undefined (must be a pipeline)');
    expect(() => zip(from([1]), [2] as never)).toThrow('pipeline 2 is an array');
    expect(() => zip(from([1]), { highWaterMark: 0 })).toThrow('highWaterMark is 0');
    expect(() => zip(from([1]), { longest: true } as never)).toThrow('option "longest" is unknown');
  });
});

function range100(): number[] {
  return Array.from({ length: 100 }, (_, n) => n);
}
