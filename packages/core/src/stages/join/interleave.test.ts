import { from, generate, interleave, map, take } from '@millrace/core';
import { sinkProbe, sourceProbe, virtualClock } from '@millrace/testkit';
import { describe, expect, test } from 'vitest';

async function* later<T>(...items: T[]): AsyncGenerator<T> {
  for (const item of items) yield item;
}

describe('interleave()', () => {
  test('interleave() gives one item of each in turn, and goes on without those that have ended', async () => {
    const joined = interleave(from([1, 2, 3]), from(later(10)), from([100, 200]));
    expect(await joined.toArray()).toEqual([1, 10, 100, 2, 200, 3]);
  });

  test('interleave() waits for the one whose turn it is, and lets no more wait than its highWaterMark', async () => {
    const clock = virtualClock();
    const [slow, fast] = [sourceProbe<string>(), sourceProbe<string>()];
    fast.release('f1', 'f2', 'f3', 'f4', 'f5');
    const seen: string[] = [];
    const run = interleave(slow.pipeline, fast.pipeline, { highWaterMark: 2 }).run((s) => void seen.push(s), { clock });
    await clock.settle();
    expect([seen, fast.read]).toEqual([[], 2]);
    slow.release('s1');
    await clock.settle();
    expect([seen, fast.read]).toEqual([['s1', 'f1'], 3]);
    slow.end();
    fast.end();
    expect(await run.finished).toMatchObject({ emitted: 6, balanced: true });
    expect(seen).toEqual(['s1', 'f1', 'f2', 'f3', 'f4', 'f5']);
  });

  test('interleave() takes of a loop what its turns are, and no more', async () => {
    const clock = virtualClock();
    let made = 0;
    const slow = sourceProbe<number>();
    const run = interleave(
      generate(() => made++),
      slow.pipeline,
    ).run(() => {}, { clock });
    await clock.settle();
    expect(made).toBe(1);
    slow.release(1, 2);
    await clock.settle();
    expect(made).toBe(3);
    run.abort('enough');
    await run.finished.catch(() => {});
    let twice = 0;
    const loops = interleave(
      generate(() => twice++),
      generate((n) => -n),
    );
    expect(await loops.pipeThrough(take(5)).count()).toBe(5);
    expect(twice).toBe(3);
  });

  test('interleave() fails when the turn of the one that failed has come', async () => {
    const failing = from([1, 2]).pipeThrough(
      map(
        (n) => {
          if (n === 2) throw new Error('no');
          return n;
        },
        { name: 'fragile' },
      ),
    );
    const seen: number[] = [];
    const run = interleave(from(later(10, 20, 30)), failing).run((n) => void seen.push(n));
    await expect(run.finished).rejects.toMatchObject({ stage: 'fragile', index: 1 });
    expect(seen).toEqual([10, 1, 20]);
    expect(run.inFlight).toBe(0);
  });

  test('interleave() holds its bound, reached with a stalled sink', async () => {
    const clock = virtualClock();
    const [a, b] = [sourceProbe<number>(), sourceProbe<number>()];
    a.release(1, 2, 3, 4, 5, 6, 7);
    b.release(1, 2, 3, 4, 5, 6, 7);
    const probe = sinkProbe<number>({ highWaterMark: 0 });
    const run = interleave(a.pipeline, b.pipeline, { highWaterMark: 3 }).run(probe.sink, { clock });
    await clock.settle();
    expect([run.explain().bound, run.inFlight]).toEqual([7, 7]);
    run.abort('enough');
    await run.finished.catch(() => {});
    expect([run.inFlight, a.closes, b.closes]).toEqual([0, ['enough'], ['enough']]);
  });

  test('interleave() refuses what is not a pipeline, and wrong options', () => {
    expect(() => interleave()).toThrow('Cannot build interleave(): the first pipeline is undefined');
    expect(() => interleave(from([1]), null as never)).toThrow('pipeline 2 is null');
    expect(() => interleave(from([1]), { highWaterMark: 0.5 })).toThrow('highWaterMark is 0.5');
    expect(() => interleave(from([1]), { weights: [1] } as never)).toThrow('option "weights" is unknown');
  });
});
