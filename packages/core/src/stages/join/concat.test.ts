import { concat, from, generate, map, range, take } from '@millrace/core';
import { sourceProbe, virtualClock } from '@millrace/testkit';
import { describe, expect, test } from 'vitest';

async function* later<T>(...items: T[]): AsyncGenerator<T> {
  for (const item of items) yield item;
}

describe('concat()', () => {
  test('concat() gives all of the first, then all of the second', async () => {
    expect(await concat(from(later(1, 2)), from([]), range(3, 6), from(later(6))).toArray()).toEqual([
      1, 2, 3, 4, 5, 6,
    ]);
  });

  test('concat() reads an input when the one ahead of it has ended, and no sooner', async () => {
    const clock = virtualClock();
    const [a, b] = [sourceProbe<number>(), sourceProbe<number>()];
    b.release(3, 4);
    b.end();
    const seen: number[] = [];
    const run = concat(a.pipeline, b.pipeline).run((n) => void seen.push(n), { clock });
    a.release(1, 2);
    await clock.settle();
    expect([seen, b.pulls]).toEqual([[1, 2], []]);
    a.end();
    expect(await run.finished).toMatchObject({ emitted: 4, balanced: true });
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  test('concat() calls a function that makes a source only when its turn has come', async () => {
    const opened: string[] = [];
    const lazily = (name: string) =>
      from(function* () {
        opened.push(name);
        yield name;
      });
    expect(await concat(lazily('a'), lazily('b')).pipeThrough(take(1)).toArray()).toEqual(['a']);
    expect(opened).toEqual(['a']);
  });

  test('concat() goes on behind an input that never ends only in that it never does', async () => {
    const endless = generate((n) => n);
    expect(
      await concat(endless, from([-1]))
        .pipeThrough(take(3))
        .toArray(),
    ).toEqual([0, 1, 2]);
  });

  test('concat() fails where an input does, and closes those behind it unread', async () => {
    const clock = virtualClock();
    const unread = sourceProbe<number>();
    const failing = from([1, 2, 3]).pipeThrough(
      map(
        (n) => {
          if (n === 2) throw new Error('no');
          return n;
        },
        { name: 'fragile' },
      ),
    );
    const seen: number[] = [];
    const run = concat(failing, unread.pipeline).run((n) => void seen.push(n), { clock });
    await expect(run.finished).rejects.toMatchObject({ stage: 'fragile', index: 1 });
    expect([seen, unread.pulls, unread.closes.length]).toEqual([[1], [], 1]);
  });

  test('concat() holds nothing, and closes what it has not read', async () => {
    const clock = virtualClock();
    const [a, b] = [sourceProbe<number>(), sourceProbe<number>()];
    const run = concat(a.pipeline, b.pipeline).run(() => {}, { clock });
    expect(run.explain().rooms.map(({ stage }) => stage)).not.toContain('concat');
    await clock.settle();
    run.abort('enough');
    await expect(run.finished).rejects.toBe('enough');
    expect([a.closes, b.closes]).toEqual([['enough'], ['enough']]);
  });

  test('concat() of branches of one pipeline is warned of', () => {
    const [one, two] = range(0, 99).broadcast(2);
    expect(concat(one, two).explain().warnings).toEqual([
      '"concat" reads "broadcast branch 2" when "broadcast branch 1" has ended, and until then it holds 1: with more, both stop for ever (must hold all: collect them in one of the branches, or use merge())',
    ]);
  });

  test('concat() refuses what is not a pipeline, and wrong options', () => {
    expect(() => concat()).toThrow('Cannot build concat(): the first pipeline is undefined');
    expect(() => concat(from([1]), 2 as never)).toThrow('pipeline 2 is 2 (must be a pipeline)');
    expect(() => concat(from([1]), { highWaterMark: 1 } as never)).toThrow('option "highWaterMark" is unknown');
  });
});
