import { batch, fallback, flatMap, flatten, from, map, range, statefulMap, take } from '@millrace/core';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';

const WAYS = [{}, { fuse: false }, { generate: false }];

const sums = (calls: { start: number } = { start: 0 }) =>
  statefulMap({
    start: () => {
      calls.start++;
      return { sum: 0 };
    },
    map: (state, n: number, index) => {
      state.sum += n;
      return `${index}: ${state.sum}`;
    },
    flush: ({ sum }) => `all: ${sum}`,
  });

test('statefulMap() gives what a loop over an array with a variable gives, and what its flush gives at the end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer()), fc.constantFrom(...WAYS), async (items, options) => {
      let sum = 0;
      const expected = items.map((n, index) => {
        sum += n;
        return `${index}: ${sum}`;
      });
      expect(await from(items).pipeThrough(sums()).toArray(options)).toEqual([...expected, `all: ${sum}`]);
    }),
  );
});

test('statefulMap() makes a state for each run, when it is first needed', async () => {
  const calls = { start: 0 };
  const summed = range(0, 3).pipeThrough(sums(calls));
  expect(calls.start).toBe(0);
  for (let time = 1; time <= 2; time++) {
    expect(await summed.last()).toBe('all: 3');
    expect(calls.start).toBe(time);
  }
  expect(await from<number>([]).pipeThrough(sums(calls)).toArray()).toEqual(['all: 0']);
});

test.for(WAYS)(
  'statefulMap() adds nothing where flush gives undefined, and counts what it adds as made, with %o',
  async (way) => {
    const silent = statefulMap({ start: () => ({}), map: (_, n: number) => n, flush: () => undefined });
    expect(
      await range(0, 3)
        .pipeThrough(silent)
        .run(() => {}, way).finished,
    ).toMatchObject({
      made: 0,
      emitted: 3,
      balanced: true,
    });
    const run = range(0, 3)
      .pipeThrough(sums())
      .run(() => {}, way);
    const { made, emitted, balanced, inFlightMax, inFlightBound } = await run.finished;
    expect([made, emitted, balanced, inFlightMax <= inFlightBound]).toEqual([1, 4, true, true]);
  },
);

test.for(WAYS)('statefulMap() hands what flush gives through the stages behind it, with %o', async (way) => {
  const pipeline = range(0, 3)
    .pipeThrough(flatMap((n) => [n, n]))
    .pipeThrough(sums())
    .pipeThrough(batch({ maxItems: 4 }))
    .pipeThrough(map((texts) => texts.map((text) => text.slice(-1))))
    .pipeThrough(flatten());
  expect((await pipeline.toArray(way)).join('')).toBe('0012466');
});

test('statefulMap() is not flushed when a stage behind it ends the stream, but when one before it does', async () => {
  const flush = vi.fn(() => -1);
  const counted = statefulMap({ start: () => ({}), map: (_, n: number) => n, flush });
  expect(await range(0, 9).pipeThrough(counted).pipeThrough(take(2)).toArray()).toEqual([0, 1]);
  expect(flush).not.toHaveBeenCalled();
  expect(await range(0, 9).pipeThrough(take(2)).pipeThrough(counted).toArray()).toEqual([0, 1, -1]);
});

test('statefulMap() is not flushed when the pipeline fails', async () => {
  const flush = vi.fn(() => -1);
  const counted = statefulMap({ start: () => ({}), map: (_, n: number) => n, flush });
  const failing = map((n: number) => {
    if (n === 2) throw new Error('two');
    return n;
  });
  for (const pipeline of [
    range(0, 9).pipeThrough(failing).pipeThrough(counted),
    range(0, 9).pipeThrough(counted).pipeThrough(failing),
  ]) {
    await expect(pipeline.toArray()).rejects.toMatchObject({ stage: 'map', index: 2 });
  }
  expect(flush).not.toHaveBeenCalled();
});

test.for(WAYS)('statefulMap() fails with the number of items as the index where flush throws, with %o', async (way) => {
  const cause = new Error('at the end');
  const torn = statefulMap({
    start: () => ({}),
    map: (_, n: number) => n,
    flush: (): number => {
      throw cause;
    },
    onError: 'skip',
  });
  for (const items of [3, 0]) {
    const run = range(0, items)
      .pipeThrough(torn)
      .run(() => {}, way);
    await expect(run.finished).rejects.toMatchObject({ stage: 'statefulMap', index: items, cause });
    const balance = { in: items, made: 1, out: items, abandoned: 1, held: 0 };
    expect(run.counts()).toContainEqual(expect.objectContaining({ name: 'statefulMap', ...balance }));
  }
});

test.for(WAYS)('statefulMap() deals with a function that throws as onError says, with %o', async (way) => {
  const picky = {
    start: () => ({ sum: 0 }),
    map: (state: { sum: number }, n: number) => {
      if (n === 1) throw new Error('one');
      state.sum += n;
      return state.sum;
    },
  };
  const numbers = range(0, 4);
  await expect(numbers.pipeThrough(statefulMap(picky)).toArray(way)).rejects.toMatchObject({ index: 1 });
  expect(await numbers.pipeThrough(statefulMap({ ...picky, onError: 'skip' })).toArray(way)).toEqual([0, 2, 5]);
  const zero = statefulMap({ ...picky, onError: fallback(() => 'none') });
  expect(await numbers.pipeThrough(zero).toArray(way)).toEqual([0, 'none', 2, 5]);
  const broken = statefulMap({
    start: (): object => {
      throw new Error('no state');
    },
    map: (_, n: number) => n,
  });
  await expect(numbers.pipeThrough(broken).toArray(way)).rejects.toMatchObject({ stage: 'statefulMap', index: 0 });
});

test('statefulMap() refuses wrong options by name', () => {
  const start = (): object => ({});
  const refused = (options: object): string => {
    try {
      statefulMap(options as never);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect([{}, { start }, { start, map: start, flush: 1 }, { start, map: start, end: start }].map(refused)).toEqual([
    'Cannot build statefulMap(): start is undefined (must be a function)',
    'Cannot build statefulMap(): map is undefined (must be a function)',
    'Cannot build statefulMap(): flush is 1 (must be a function)',
    'Cannot build statefulMap(): option "end" is unknown (must be one of "name", "highWaterMark", "onError", "start", "map", "flush")',
  ]);
});
