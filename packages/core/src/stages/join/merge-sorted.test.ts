import { from, mergeSorted, range, type StageError } from '@millrace/core';
import { sourceProbe, virtualClock } from '@millrace/testkit';
import { describe, expect, test } from 'vitest';

async function* later<T>(...items: T[]): AsyncGenerator<T> {
  for (const item of items) yield item;
}

describe('mergeSorted()', () => {
  test('mergeSorted() gives the items of all in order, by a key or as a function compares', async () => {
    const by = mergeSorted(from([1, 4, 7]), from(later(2, 2, 9)), range(3, 6), { by: (n) => n });
    expect(await by.toArray()).toEqual([1, 2, 2, 3, 4, 4, 5, 7, 9]);
    const down = mergeSorted(from([9, 1]), from([5, 5, 0]), { compare: (a, b) => b - a });
    expect(await down.toArray()).toEqual([9, 5, 5, 1, 0]);
    expect(await mergeSorted(from(['a', 'c']), from(['b']), { by: (s) => s }).toArray()).toEqual(['a', 'b', 'c']);
    expect(await mergeSorted(from([new Date(5)]), from([new Date(3)]), { by: (d) => d }).first()).toEqual(new Date(3));
  });

  test('mergeSorted() is stable: of equals those of the earlier input come first', async () => {
    const a = from(['a1', 'a1', 'a2']);
    const b = from(later('b1', 'b2'));
    expect(await mergeSorted(b, a, { by: (s) => s.slice(1) }).toArray()).toEqual(['b1', 'a1', 'a1', 'b2', 'a2']);
  });

  test('mergeSorted() waits for an item of every input that has not ended', async () => {
    const clock = virtualClock();
    const [a, b] = [sourceProbe<number>(), sourceProbe<number>()];
    const seen: number[] = [];
    const run = mergeSorted(a.pipeline, b.pipeline, { by: (n) => n, highWaterMark: 2 }).run((n) => void seen.push(n), {
      clock,
    });
    a.release(1, 2, 3, 4);
    await clock.settle();
    expect([seen, a.read]).toEqual([[], 2]);
    b.release(3);
    await clock.settle();
    expect(seen).toEqual([1, 2, 3, 3]);
    b.end();
    a.end();
    expect(await run.finished).toMatchObject({ emitted: 5, balanced: true });
    expect(seen).toEqual([1, 2, 3, 3, 4]);
  });

  test('mergeSorted() fails at an item that is out of order', async () => {
    const seen: number[] = [];
    const run = mergeSorted(from(later(1, 5, 4, 9)), from([2, 6]), { by: (n) => n }).run((n) => void seen.push(n));
    const error: StageError = await run.finished.then(undefined, (reason) => reason);
    expect([error.stage, error.index]).toEqual(['mergeSorted', 3]);
    expect(error.cause).toMatchObject({
      code: 'ERR_CORE_UNSORTED',
      message: 'Cannot merge the inputs: an item of input 1 comes before the one ahead of it (must be sorted)',
    });
    expect(seen).toEqual([1, 2, 5]);
    expect(run.inFlight).toBe(0);
  });

  test('mergeSorted() fails with what a function of the user throws, and may be aborted from inside one', async () => {
    const cause = new Error('no');
    const broken = mergeSorted(from([1, 2]), from([3]), {
      by: (n) => {
        if (n === 3) throw cause;
        return n;
      },
    });
    await expect(broken.toArray()).rejects.toMatchObject({ stage: 'mergeSorted', index: 0, cause });
    const controller = new AbortController();
    const run = mergeSorted(from(later(1, 2)), from(later(3, 4)), {
      compare: (a, b) => {
        controller.abort('inside');
        return a - b;
      },
    }).run(() => {}, { signal: controller.signal });
    await expect(run.finished).rejects.toBe('inside');
    expect(run.inFlight).toBe(0);
  });

  test('mergeSorted() fails when nothing is left to compare of the input that failed', async () => {
    const clock = virtualClock();
    const [a, b] = [sourceProbe<number>({ name: 'a' }), sourceProbe<number>()];
    const seen: number[] = [];
    const run = mergeSorted(a.pipeline, b.pipeline, { by: (n) => n }).run((n) => void seen.push(n), { clock });
    a.release(2);
    a.fail(new Error('broken'));
    b.release(1, 3);
    const failed = expect(run.finished).rejects.toMatchObject({ stage: 'a' });
    await clock.settle();
    await failed;
    expect(seen).toEqual([1, 2]);
  });

  test('mergeSorted() refuses what is not a pipeline, and wrong options', () => {
    expect(() => mergeSorted({ by: (n: number) => n } as never)).toThrow('pipeline 1 is an object');
    expect(() => mergeSorted(from([1]), {} as never)).toThrow(
      'by is undefined (must be given, or compare, and not both)',
    );
    expect(() => mergeSorted(from([1]), { by: 'id' } as never)).toThrow('by is "id" (must be a function)');
    expect(() => mergeSorted(from([1]), { by: (n: number) => n, compare: () => 0 } as never)).toThrow('not both');
    expect(() => mergeSorted(from([1]), { by: (n) => n, highWaterMark: 0 })).toThrow('highWaterMark is 0');
    expect(() => mergeSorted(from([1]), { by: (n: number) => n, order: 'desc' } as never)).toThrow(
      'option "order" is unknown',
    );
  });
});
