import { batch, conflate, deadLetter, type ErrorPolicy, fallback, from, mapAsync, range } from '@millrace/core';
import { sinkProbe, sourceProbe, virtualClock } from '@millrace/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const add = (sum: number, n: number): number => sum + n;

test('conflate() passes each item while the consumer waits, and folds what comes while it is busy', async () => {
  const clock = virtualClock();
  const probe = sourceProbe<number>();
  const seen: string[] = [];
  const work = async (sum: number): Promise<void> => {
    seen.push(`${sum} at ${clock.now()}`);
    await clock.sleep(100);
  };
  const run = probe.pipeline
    .pipeThrough(conflate(add))
    .pipeThrough(mapAsync(work))
    .run(() => {}, { clock });
  for (const item of [1, 2, 3, 4]) {
    probe.release(item);
    await clock.advance(20);
  }
  await clock.advance(220);
  probe.release(5);
  await clock.settle();
  probe.end();
  expect(await clock.until(run.finished)).toMatchObject({ balanced: true, read: 5 });
  expect(seen).toEqual(['1 at 0', '9 at 100', '5 at 300']);
  expect(run.counts()[1]).toMatchObject({ in: 5, absorbed: 5, made: 3, out: 3, held: 0 });
});

test('conflate() leaves what is folded as it was where an item can not be folded into it', async () => {
  const policies: [ErrorPolicy<number, number>, number[]][] = [
    ['skip', [1, 2 + 4]],
    [deadLetter(new WritableStream()), [1, 2 + 4]],
    [fallback((_error, item: number) => item * 100), [1, 300 + 4]],
  ];
  for (const [onError, expected] of policies) {
    const clock = virtualClock();
    const probe = sourceProbe<number>();
    const seen: number[] = [];
    const add = (sum: number, n: number): number => {
      if (n === 3) throw new Error('no');
      return sum + n;
    };
    const work = async (sum: number): Promise<void> => {
      seen.push(sum);
      await clock.sleep(100);
    };
    const run = probe.pipeline
      .pipeThrough(conflate(add, { onError }))
      .pipeThrough(mapAsync(work))
      .run(() => {}, { clock });
    probe.release(1);
    await clock.advance(10);
    probe.release(2, 3, 4);
    probe.end();
    expect(await clock.until(run.finished)).toMatchObject({ read: 4, abandoned: 0, balanced: true });
    expect(seen).toEqual(expected);
  }
});

test('conflate() never slows its source down, and holds one item whatever comes', async () => {
  const clock = virtualClock();
  const sink = sinkProbe<number>({ highWaterMark: 0 });
  const run = range(0, 100_000).pipeThrough(conflate(Math.max)).run(sink.sink, { clock });
  const all = sink.take(Number.POSITIVE_INFINITY);
  const summary = await run.finished;
  expect(summary).toMatchObject({ read: 100_000, balanced: true });
  expect(summary.inFlightMax).toBeLessThanOrEqual(run.explain().bound);
  expect((await all).at(-1)).toBe(99_999);
});

test('conflate() has every item in exactly one that goes out, in order', async () => {
  const lags = fc.array(fc.nat(3), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(fc.nat(60), lags, async (items, turns) => {
      let calls = 0;
      const lag = async <T>(item: T): Promise<T> => {
        for (let turn = turns[calls++ % turns.length] ?? 0; turn > 0; turn--) await undefined;
        return item;
      };
      const source = from(async function* () {
        for (let n = 0; n < items; n++) yield await lag(n);
      });
      const seen: number[][] = [];
      const lists = conflate((list: number[], n: number) => [...list, n], { seed: (n) => [n] });
      const run = source
        .pipeThrough(lists)
        .pipeThrough(mapAsync(lag))
        .run((list) => void seen.push(list));
      expect(await run.finished).toMatchObject({ balanced: true, read: items, emitted: seen.length });
      expect(seen.flat()).toEqual(Array.from({ length: items }, (_, n) => n));
    }),
  );
});

test.for(['fn', 'seed'])('conflate() hands on what was folded before it fails with what %s throws', async (which) => {
  const probe = sourceProbe<number>();
  const sink = sinkProbe<number>({ highWaterMark: 0 });
  const cause = new Error('no');
  const fold = (sum: number, n: number): number => {
    if (which === 'fn' && n === 4) throw cause;
    return sum + n;
  };
  const seed = (n: number): number => {
    if (which === 'seed' && n === 4) throw cause;
    return n;
  };
  const run = probe.pipeline.pipeThrough(conflate(fold, { seed })).run(sink.sink);
  const failed = expect(run.finished).rejects.toMatchObject({ stage: 'conflate', index: 3, cause });
  const { settle } = virtualClock();
  probe.release(1);
  await settle();
  if (which === 'fn') probe.release(2, 3, 4, 5);
  else {
    probe.release(2, 3);
    await settle();
    expect(await sink.take(2)).toEqual([1, 5]);
    await settle();
    probe.release(4, 5);
  }
  await settle();
  if (which === 'fn') expect(await sink.take(2)).toEqual([1, 5]);
  await failed;
  const [, { in: entered, held, out, made, absorbed, abandoned }] = run.counts() as never as [
    never,
    Record<string, number>,
  ];
  expect({ held, left: entered! + made! - out! - absorbed! - abandoned! }).toEqual({ held: 0, left: 0 });
});

test('conflate() that a function of the user aborts counts every item', async () => {
  const probe = sourceProbe<number>();
  const sink = sinkProbe<number>({ highWaterMark: 0 });
  const run = probe.pipeline
    .pipeThrough(
      conflate((sum: number, n: number) => {
        if (n === 3) run.abort('enough');
        return sum + n;
      }),
    )
    .run(sink.sink);
  const aborted = expect(run.finished).rejects.toBe('enough');
  const { settle } = virtualClock();
  probe.release(1);
  await settle();
  probe.release(2, 3, 4);
  await settle();
  await aborted;
  expect(run.counts()[1]).toMatchObject({ in: 4, absorbed: 1, abandoned: 3, held: 0 });
  expect(run.inFlight).toBe(0);
});

test('conflate() of batches holds few of them, and refuses wrong arguments by name', () => {
  const sets = range(0, 9)
    .pipeThrough(batch({ maxItems: 500 }))
    .pipeThrough(conflate((_: number[], next) => next));
  expect(sets.explain().rooms).toContainEqual({ stage: 'conflate', where: 'folded', items: 1000 });
  expect(() => conflate(1 as never)).toThrow('Cannot build conflate(): fn is 1 (must be a function)');
  expect(() => conflate(add, { seed: 0 as never })).toThrow('Cannot build conflate(): seed is 0 (must be a function)');
  expect(() => conflate(add, { sed: 0 } as never)).toThrow(
    'Cannot build conflate(): option "sed" is unknown (must be one of "name", "seed", "onError")',
  );
});
