import { from, generate, map, range, take } from '@millrace/core';
import { expect, test } from 'vitest';

const stream = (...items: number[]): ReadableStream<number> =>
  new ReadableStream({
    start(controller) {
      for (const item of items) controller.enqueue(item);
      controller.close();
    },
  });

test('from() opens nothing before a run asks', async () => {
  let opened = 0;
  const lazy = from(() => {
    opened++;
    return [1, 2];
  });
  const mapped = lazy.pipeThrough(map((n) => n + 1));
  mapped.explain();
  const items = mapped.values();
  expect(opened).toBe(0);
  await items.next();
  expect(opened).toBe(1);
  await items.return?.();
});

test('from() opens arrays, sets and functions anew for each run, an iterator only once', async () => {
  const again = [
    from([1, 2]),
    from(new Set([1, 2])),
    from(() => [1, 2]),
    from(() => stream(1, 2)),
    from(function* () {
      yield* [1, 2];
    }),
  ];
  for (const pipeline of again) {
    expect(await pipeline.toArray()).toEqual([1, 2]);
    expect(await pipeline.toArray()).toEqual([1, 2]);
  }
  const once = from([1, 2].values());
  expect(await once.toArray()).toEqual([1, 2]);
  expect(await once.toArray()).toEqual([]);
});

test('from() passes on items that are promises as they are', async () => {
  const promise = Promise.resolve(1);
  const seen: unknown[] = [];
  await from([promise]).run((item) => void seen.push(item)).finished;
  expect(seen[0]).toBe(promise);
});

test('from() gives a pipeline back as it is', () => {
  const numbers = range(0, 3);
  expect(from(numbers)).toBe(numbers);
});

test('from() refuses a stream that somebody else reads', async () => {
  const locked = stream(1);
  locked.getReader();
  await expect(from(locked).toArray()).rejects.toMatchObject({
    code: 'ERR_CORE_STAGE',
    stage: 'stream',
    index: 0,
    cause: {
      code: 'ERR_CORE_SOURCE_USED',
      message:
        'Cannot read the stream: it is locked (must be one that nobody reads: give from() a function that makes one for each run)',
    },
  });
});

test('from() refuses a stream that another run has read, in which nothing is left', async () => {
  for (const numbers of [from(stream(1, 2)), from(Promise.resolve(stream(1, 2)))]) {
    expect(await numbers.first()).toBe(1);
    await expect(numbers.toArray()).rejects.toMatchObject({
      cause: { code: 'ERR_CORE_SOURCE_USED', message: expect.stringContaining('it was read by another run') },
    });
  }
});

test('from() gives the lock of a stream back, and cancels it when the run ends early', async () => {
  const reasons: unknown[] = [];
  const endless = new ReadableStream<number>(
    { pull: (controller) => controller.enqueue(1), cancel: (reason) => void reasons.push(reason) },
    { highWaterMark: 0 },
  );
  expect(await from(endless).first()).toBe(1);
  expect(reasons).toEqual([undefined]);
  expect(endless.locked).toBe(false);
});

test('from() fails with what the source fails with, after what came before', async () => {
  const cause = new Error('torn');
  const seen: number[] = [];
  const torn = from(async function* torn() {
    yield 1;
    yield 2;
    throw cause;
  });
  await expect(torn.forEach((n) => void seen.push(n))).rejects.toMatchObject({ stage: 'torn', index: 2, cause });
  expect(seen).toEqual([1, 2]);
  const promise = from(Promise.reject(cause), { name: 'later' });
  await expect(promise.toArray()).rejects.toMatchObject({ stage: 'later', index: 0, cause });
});

test('from() says what a function gave that nothing can be read from', async () => {
  const message =
    'Cannot build from(): what the source gave is 5 (must be an iterable, an async iterable, a ReadableStream, a function that makes one, or a promise of one)';
  await expect(from((() => 5) as never).toArray()).rejects.toMatchObject({
    cause: { code: 'ERR_CORE_ARGUMENT', message },
  });
});

test('from() closes a generator once, where it was left', async () => {
  let closed = 0;
  const letters = from(function* () {
    try {
      yield* ['a', 'b', 'c'];
    } finally {
      closed++;
    }
  });
  expect(await letters.pipeThrough(take(2)).toArray()).toEqual(['a', 'b']);
  expect(closed).toBe(1);
  expect(await letters.toArray()).toHaveLength(3);
  expect(closed).toBe(2);
});

test('range() counts down, by fractions and past what is left, without adding up errors', async () => {
  expect(await range(3, 0, -1).toArray()).toEqual([3, 2, 1]);
  expect(await range(0, 1, 0.1).last()).toBe(0.9);
  expect(await range(0, 5, 2).toArray()).toEqual([0, 2, 4]);
  expect(await range(5, 0).toArray()).toEqual([]);
  expect(await range(0, Number.POSITIVE_INFINITY).pipeThrough(take(3)).last()).toBe(2);
});

test('generate() calls its function as often as it is asked, and says where it throws', async () => {
  const asked: number[] = [];
  const squares = generate((n) => {
    asked.push(n);
    if (n === 5) throw new Error('five');
    return n * n;
  });
  expect(await squares.pipeThrough(take(3)).toArray()).toEqual([0, 1, 4]);
  expect(asked).toEqual([0, 1, 2]);
  await expect(squares.count()).rejects.toMatchObject({ stage: 'generate', index: 5 });
});
