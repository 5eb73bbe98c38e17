import { from, mapAsync, merge, range, runAll, take } from '@millrace/core';
import { sourceProbe, virtualClock } from '@millrace/testkit';
import { describe, expect, test } from 'vitest';

describe('balance()', () => {
  test('balance() gives an item to whichever branch has room', async () => {
    const clock = virtualClock();
    const probe = sourceProbe<number>();
    const [a, b] = probe.pipeline.balance(2);
    const seen: number[][] = [[], []];
    const finish: Array<() => void> = [];
    const slow = mapAsync((n: number) => new Promise<number>((resolve) => finish.push(() => resolve(n))));
    const run = runAll(
      a.pipeThrough(slow).into((n) => void seen[0]?.push(n)),
      b.pipeThrough(mapAsync(async (n: number) => n)).into((n) => void seen[1]?.push(n)),
      { clock },
    );
    probe.release(0, 1, 2, 3, 4);
    await clock.settle();
    expect(seen).toEqual([[], [1, 2, 3, 4]]);
    expect(run.inFlight).toBe(1);
    finish[0]?.();
    probe.end();
    expect(await run.finished).toMatchObject({ read: 5, emitted: 5, balanced: true });
    expect(seen[0]).toEqual([0]);
  });

  test('balance() takes turns among branches that have room', async () => {
    const parts = range(0, 3000).balance(3);
    const counts = [0, 0, 0];
    const work = parts.map((part, at) =>
      part.pipeThrough(mapAsync(async (n) => n, { concurrency: 2 })).into(() => void counts[at]!++),
    );
    await runAll(...work).finished;
    expect(counts.reduce((sum, each) => sum + each)).toBe(3000);
    for (const count of counts) expect(count).toBeGreaterThan(500);
  });

  test('balance() leaves out a branch that ends, and loses nothing that it had not taken', async () => {
    const [a, b] = range(0, 100).balance(2);
    const seen: number[] = [];
    const summary = await runAll(
      a.pipeThrough(take(5)).into((n) => void seen.push(n)),
      b.into((n) => void seen.push(n)),
    ).finished;
    expect(summary.balanced).toBe(true);
    expect(seen.length + summary.abandoned).toBe(100);
    expect(new Set(seen).size).toBe(seen.length);
  });

  test('balance() holds nothing before its branches, unless it is told to', async () => {
    const [a, b] = range(0, 9).balance(2);
    expect(merge(a, b).explain().bound).toBe(2);
    const [c, d] = range(0, 9).balance(2, { highWaterMark: 4, name: 'share' });
    const both = merge(c, d);
    expect(both.explain().bound).toBe(10);
    expect(both.topology().nodes.map(({ name }) => name)).toEqual([
      'range',
      'share',
      'share branch 1',
      'share branch 2',
      'merge',
    ]);
  });

  test('balance() takes a mark by size', async () => {
    const texts = ['a', 'bb', 'ccc', 'dddd'];
    const halves = from(texts).balance(2, { highWaterMark: 4, size: (text) => text.length });
    const run = merge(...halves).run(() => {});
    expect(String(run.explain())).toContain('balance branch 1 edge: 4 by size');
    expect(await run.finished).toMatchObject({ read: 4, emitted: 4, balanced: true });
    const unweighed = from(texts).balance(2, { highWaterMark: 4, size: () => -1 });
    const slow = unweighed.map((half) => half.pipeThrough(mapAsync(() => new Promise<string>(() => {}))));
    await expect(merge(...slow).toArray()).rejects.toMatchObject({ cause: { code: 'ERR_CORE_SIZE' } });
    expect(() => from(texts).balance(2, { size: (text) => text.length })).toThrow('highWaterMark is undefined');
  });

  test('balance() fails all branches with the error of its source, and closes it with the run', async () => {
    const clock = virtualClock();
    const probe = sourceProbe<number>({ name: 'queue' });
    const [a, b] = probe.pipeline.balance(2);
    const run = runAll(
      a.into(() => {}),
      b.into(() => {}),
      { clock },
    );
    const failed = expect(run.finished).rejects.toMatchObject({ stage: 'queue', others: [] });
    probe.release(1, 2);
    probe.fail(new Error('broken'));
    await clock.settle();
    await failed;
    expect(run.inFlight).toBe(0);
  });

  test('balance() refuses a run without one of its branches, and wrong arguments', () => {
    const [a] = range(0, 9).balance(2);
    expect(() => a.run(() => {})).toThrow('branch 2 of "balance" would never be read');
    expect(() => range(0, 9).balance(0)).toThrow('branches is 0');
    expect(() => range(0, 9).balance(2, { weights: [1, 2] } as never)).toThrow('option "weights" is unknown');
  });
});
