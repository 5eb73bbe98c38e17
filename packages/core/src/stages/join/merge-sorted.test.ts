import {
  type DeadLetter,
  deadLetter,
  fallback,
  from,
  mergeSorted,
  type PipelineError,
  range,
  type StageError,
} from '@millrace/core';
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

test('mergeSorted() leaves out items that are out of order where it is told to', async () => {
  const letters: unknown[] = [];
  const office = deadLetter(
    new WritableStream<DeadLetter<number>>({
      write: async ({ item, index, error }) => void letters.push([item, index, (error as PipelineError).code]),
    }),
  );
  const numbers = () => [from([1, 4, 2, 8]), from([3, 5, 9, 7])] as const;
  const by = (n: number): number => n;
  expect(await mergeSorted(...numbers(), { by, onError: 'skip' }).toArray()).toEqual([1, 3, 4, 5, 8, 9]);
  const merged = mergeSorted(...numbers(), { compare: (a, b) => a - b, onError: office });
  const run = merged.run(() => {});
  expect(await run.finished).toMatchObject({ read: 8, emitted: 6, deadLettered: 2, balanced: true });
  expect(letters.map((letter) => (letter as unknown[])[0])).toEqual([2, 7]);
  expect(letters.map((letter) => (letter as unknown[])[2])).toEqual(['ERR_CORE_UNSORTED', 'ERR_CORE_UNSORTED']);
});

test('mergeSorted() hands nothing on past an item whose letter is being written', async () => {
  const clock = virtualClock();
  const gates: Array<() => void> = [];
  const writable = new WritableStream<DeadLetter<number>>({
    write: () => new Promise<void>((resolve) => void gates.push(resolve)),
  });
  const [left, right] = [sourceProbe<number>(), sourceProbe<number>()];
  const seen: number[] = [];
  const by = (n: number): number => {
    if (n === 2) throw new Error('no');
    return n;
  };
  const run = mergeSorted(left.pipeline, right.pipeline, { by, onError: deadLetter(writable), highWaterMark: 4 }).run(
    (n) => void seen.push(n),
    { clock },
  );
  left.release(1, 2, 3);
  right.release(4);
  await clock.settle();
  expect([seen, gates.length]).toEqual([[1], 1]);
  right.release(5);
  right.end();
  left.end();
  await clock.settle();
  expect(seen).toEqual([1]);
  gates.shift()?.();
  expect(await clock.until(run.finished)).toMatchObject({ read: 5, deadLettered: 1, balanced: true });
  expect(seen).toEqual([1, 3, 4, 5]);
});

test('mergeSorted() fails where a fallback sorts an item before those that are gone', async () => {
  const by = (n: number): number => {
    if (n === 2) throw new Error('no');
    return n;
  };
  const merged = mergeSorted(from([1, 2]), { by, onError: fallback(() => 0) });
  await expect(merged.toArray()).rejects.toMatchObject({ index: 1, cause: { code: 'ERR_CORE_UNSORTED' } });
  const rising = mergeSorted(from([1, 2, 3]), from([2.4, 2.6]), { by, onError: fallback(() => 2.5) });
  expect(await rising.toArray()).toEqual([1, 2.4, 2, 2.6, 3]);
});
