import { bufferUnordered, mapAsync, range, StageError, take } from '@millrace/core';
import { sourceProbe, virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';

/** Calls that a test ends by hand, by their item. */
function calls() {
  const open = new Map<number, { resolve(value: string): void; reject(error: unknown): void }>();
  const call = (item: number): Promise<string> =>
    new Promise((resolve, reject) => {
      open.set(item, { resolve, reject });
    });
  return {
    call,
    started: () => [...open.keys()],
    end: (item: number) => open.get(item)?.resolve(`${item}`),
    fail: (item: number, error: unknown) => open.get(item)?.reject(error),
  };
}

const { settle } = virtualClock();

test('mapAsync() hands on in order whatever ends first, with at most `concurrency` items in service', async () => {
  const { call, started, end } = calls();
  const seen: string[] = [];
  const run = range(0, 5)
    .pipeThrough(mapAsync(call, { concurrency: 2 }))
    .run((text) => void seen.push(text));
  await settle();
  expect(started()).toEqual([0, 1]);
  end(1);
  await settle();
  // The result that waits for the one before it keeps its slot.
  expect(started()).toEqual([0, 1]);
  expect(seen).toEqual([]);
  end(0);
  await settle();
  expect(seen).toEqual(['0', '1']);
  expect(started()).toEqual([0, 1, 2, 3]);
  for (const item of [3, 2]) end(item);
  await settle();
  end(4);
  await run.finished;
  expect(seen).toEqual(['0', '1', '2', '3', '4']);
});

test('mapAsync() out of order hands on what ends first, and fills its slot', async () => {
  const { call, started, end } = calls();
  const seen: string[] = [];
  const run = range(0, 4)
    .pipeThrough(mapAsync(call, { concurrency: 2, ordered: false }))
    .run((text) => void seen.push(text));
  await settle();
  for (const item of [1, 2, 3, 0]) {
    end(item);
    await settle();
  }
  await run.finished;
  expect(seen).toEqual(['1', '2', '3', '0']);
  expect(started()).toEqual([0, 1, 2, 3]);
});

test('mapAsync() works on one item at a time unless it is told otherwise', async () => {
  const { call, started } = calls();
  const run = range(0, 4)
    .pipeThrough(mapAsync(call))
    .run(() => {});
  await settle();
  expect(started()).toEqual([0]);
  run.abort('enough');
  await expect(run.finished).rejects.toBe('enough');
});

test('mapAsync() reports the failure of the earlier item, after the results before it, and the later one with it', async () => {
  const { call, end, fail } = calls();
  const seen: string[] = [];
  const [early, late] = [new Error('early'), new Error('late')];
  const run = range(0, 9)
    .pipeThrough(mapAsync(call, { concurrency: 3, name: 'ask' }))
    .run((text) => void seen.push(text));
  await settle();
  fail(2, late);
  await settle();
  fail(1, early);
  await settle();
  end(0);
  const error = await run.finished.catch((reason) => reason);
  expect(seen).toEqual(['0']);
  expect(error).toBeInstanceOf(StageError);
  expect(error).toMatchObject({ stage: 'ask', index: 1, cause: early });
  expect(error.others).toMatchObject([{ stage: 'ask', index: 2, cause: late }]);
});

test('mapAsync() begins nothing more once an item has failed', async () => {
  const { call, started, end, fail } = calls();
  const run = range(0, 9)
    .pipeThrough(mapAsync(call, { concurrency: 2 }))
    .run(() => {});
  const failed = expect(run.finished).rejects.toMatchObject({ index: 1 });
  await settle();
  fail(1, new Error('no'));
  await settle();
  end(0);
  await failed;
  expect(started()).toEqual([0, 1]);
});

test('mapAsync() aborts the signal of calls under way with the error that ends the run', async () => {
  const signals: AbortSignal[] = [];
  const indexes: number[] = [];
  const run = range(10, 12)
    .pipeThrough(
      mapAsync(
        (item, { signal, index }) => {
          signals.push(signal);
          indexes.push(index);
          return item === 10 ? Promise.reject(new Error('no')) : new Promise(() => {});
        },
        { concurrency: 2 },
      ),
    )
    .run(() => {});
  const error = await run.finished.catch((reason) => reason);
  expect(indexes).toEqual([0, 1]);
  expect(signals[1]?.aborted).toBe(true);
  expect(signals[1]?.reason).toBe(error);
  expect(run.counts()[1]).toMatchObject({ in: 2, out: 0, abandoned: 2 });
});

test('mapAsync() takes what is thrown, and plain values, as it takes promises', async () => {
  const cause = new Error('at once');
  const failed = range(0, 3).pipeThrough(
    mapAsync((n) => {
      if (n === 1) throw cause;
      return n;
    }),
  );
  await expect(failed.toArray()).rejects.toMatchObject({ stage: 'mapAsync', index: 1, cause });
  expect(
    await range(0, 3)
      .pipeThrough(mapAsync((n) => n * 2, { concurrency: 9 }))
      .toArray(),
  ).toEqual([0, 2, 4]);
});

test('mapAsync() before take() reads at most `concurrency` items more', async () => {
  const probe = sourceProbe<number>();
  probe.release(1, 2, 3, 4, 5, 6, 7, 8);
  const twoAtOnce = mapAsync(async (n: number) => n, { concurrency: 2 });
  expect(await probe.pipeline.pipeThrough(twoAtOnce).pipeThrough(take(3)).toArray()).toEqual([1, 2, 3]);
  expect(probe.read).toBeLessThanOrEqual(5);
});

test('mapAsync() with a highWaterMark lets so many items wait besides those in service', async () => {
  const { call } = calls();
  const run = range(0, 100)
    .pipeThrough(mapAsync(call, { concurrency: 2, highWaterMark: 3 }))
    .run(() => {});
  await settle();
  expect(run.inFlight).toBe(5);
  run.abort('enough');
  await expect(run.finished).rejects.toBe('enough');
  expect(run.inFlight).toBe(0);
});

test('bufferUnordered() begins tasks as slots are free, and says what is no task', async () => {
  const { call, started, end } = calls();
  const seen: string[] = [];
  const run = range(0, 3)
    .pipeThrough(mapAsync((n: number) => () => call(n)))
    .pipeThrough(bufferUnordered(2))
    .run((text) => void seen.push(text));
  await settle();
  expect(started()).toEqual([0, 1]);
  for (const item of [1, 2, 0]) {
    end(item);
    await settle();
  }
  await run.finished;
  expect(seen).toEqual(['1', '2', '0']);
  const failed = range(0, 1)
    .pipeThrough(bufferUnordered(1) as never)
    .toArray();
  const cause = new TypeError('the item is a number (must be a function that begins a task)');
  await expect(failed).rejects.toMatchObject({ stage: 'bufferUnordered', index: 0, cause });
});
