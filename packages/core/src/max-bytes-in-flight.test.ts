import {
  batch,
  type Checkpoint,
  flatMap,
  from,
  generate,
  map,
  mapAsync,
  merge,
  type Pipeline,
  type RunOptions,
  range,
  runAll,
  take,
  window,
} from '@millrace/core';
import { type Answer, Mark, operator } from '@millrace/core/authoring';
import { sinkProbe, sourceProbe, virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';

const lengthOf = (text: string): number => text.length;
const OPTIONS = { maxBytesInFlight: 10, sizeOf: lengthOf } satisfies RunOptions;
const { settle } = virtualClock();
const text = (length: number): string => 'x'.repeat(length);
const never = (): Promise<never> => new Promise(() => {});

test('maxBytesInFlight reads one item at a time, while what is inside weighs less', async () => {
  const source = sourceProbe<string>();
  const sink = sinkProbe<string>();
  const run = source.pipeline.run(sink.sink, OPTIONS);
  source.release(...[4, 4, 4, 3, 20, 1, 1, 1].map(text));
  source.end();
  await settle();
  expect(source.read).toBe(3);
  await sink.take(1);
  await settle();
  expect(source.read).toBe(4);
  await sink.take(1);
  await settle();
  expect(source.read).toBe(5);
  // 4, 3 and the heavy one are inside; it passes the sink before others come.
  await sink.take(2);
  await settle();
  expect([source.read, run.inFlight]).toEqual([5, 1]);
  await sink.take(1);
  await settle();
  expect(source.read).toBe(8);
  expect(source.pulls.every((max) => max === 1)).toBe(true);
  void sink.take(Number.POSITIVE_INFINITY);
  expect(await run.finished).toMatchObject({ read: 8, emitted: 8, balanced: true });
});

test('maxBytesInFlight is exact behind stages of one to one, and when items are filtered in the steady state', async () => {
  const source = sourceProbe<string>();
  const sink = sinkProbe<string>({ highWaterMark: 64 });
  const run = source.pipeline
    .pipeThrough(mapAsync(async (word: string) => word, { concurrency: 3, highWaterMark: 8 }))
    .pipeThrough(map((word) => word.length))
    .pipeThrough(map((length) => text(length)))
    .run(sink.sink, OPTIONS);
  source.release(...Array.from({ length: 100 }, () => 'xx'));
  source.end();
  for (let taken = 0; taken < 95; taken++) {
    await settle();
    expect(source.read).toBe(taken + 5);
    await sink.take(1);
  }
  void sink.take(Number.POSITIVE_INFINITY);
  await run.finished;
});

const LOOPS: Record<string, () => Pipeline<number>> = {
  array: () => from(Array.from({ length: 20 }, (_, n) => n)),
  'typed array': () => from(Float64Array.from({ length: 20 }, (_, n) => n)) as Pipeline<number>,
  range: () => range(0, 20),
  set: () => from(new Set(Array.from({ length: 20 }, (_, n) => n))),
  generator: () =>
    from(function* () {
      for (let n = 0; n < 20; n++) yield n;
    }),
  generate: () => generate((n) => n),
};

for (const [name, loop] of Object.entries(LOOPS)) {
  for (const way of [{}, { fuse: false }, { generate: false }]) {
    test(`maxBytesInFlight holds back a loop: ${name} ${JSON.stringify(way)}`, async () => {
      const sink = sinkProbe<number>();
      const seen: number[] = [];
      const run = loop()
        .pipeThrough(map((n) => seen.push(n) - 1))
        .run(sink.sink, { ...way, maxBytesInFlight: 10, sizeOf: () => 3 });
      await settle();
      expect(seen).toEqual([0, 1, 2, 3]);
      expect(await sink.take(5)).toEqual([0, 1, 2, 3, 4]);
      await settle();
      expect(seen).toHaveLength(9);
      void sink.take(Number.POSITIVE_INFINITY);
      const summary = await (name === 'generate' ? run.drain() : run.finished);
      expect(summary.balanced).toBe(true);
      if (name !== 'generate') expect(sink.items).toEqual(Array.from({ length: 20 }, (_, n) => n));
    });
  }
}

test('maxBytesInFlight counts an item until all that a flatMap() made of it has left', async () => {
  const source = sourceProbe<string>();
  const sink = sinkProbe<string>({ highWaterMark: 2 });
  const run = source.pipeline.pipeThrough(flatMap((line: string) => line.split(' '))).run(sink.sink, OPTIONS);
  source.release('a b c', 'd e f', 'g h i');
  source.end();
  await settle();
  expect(source.read).toBe(2);
  await sink.take(2);
  await settle();
  expect(source.read).toBe(2);
  void sink.take(Number.POSITIVE_INFINITY);
  await run.finished;
  expect(sink.items.join('')).toBe('abcdefghi');
});

test('maxBytesInFlight lets a batch go that could not become full', async () => {
  const words = from(['aaaa', 'bbbb', 'cccc', 'dddd', 'e']);
  const batches = words.pipeThrough(batch({ maxItems: 100 }));
  expect(await batches.toArray(OPTIONS)).toEqual([
    ['aaaa', 'bbbb', 'cccc'],
    ['dddd', 'e'],
  ]);
});

test('maxBytesInFlight lets a batch by time, and one behind a merge, go before its time', async () => {
  const clock = virtualClock();
  const timed = from(['aaaa', 'bbbb', 'cccc', 'dddd', 'e'])
    .pipeThrough(mapAsync(async (word: string) => word, { concurrency: 2 }))
    .pipeThrough(batch({ maxWaitMs: 60_000 }));
  expect(await timed.toArray({ ...OPTIONS, clock })).toEqual([
    ['aaaa', 'bbbb', 'cccc'],
    ['dddd', 'e'],
  ]);
  const both = merge(from(['aaaa', 'bbbb']), from(['cccc', 'dddd'])).pipeThrough(batch({ maxItems: 100 }));
  const batches = await both.toArray(OPTIONS);
  expect(batches.flat().sort()).toEqual(['aaaa', 'bbbb', 'cccc', 'dddd']);
  expect(clock.now()).toBe(0);
});

test('maxBytesInFlight leaves batches whole while the sink is what is slow', async () => {
  const source = sourceProbe<string>();
  const sink = sinkProbe<string[]>();
  const run = source.pipeline.pipeThrough(batch<string>({ maxItems: 3 })).run(sink.sink, OPTIONS);
  source.release(...Array.from({ length: 30 }, () => 'xx'));
  source.end();
  for (let taken = 0; taken < 10; taken++) {
    await settle();
    await sink.take(1);
  }
  await run.finished;
  expect(sink.items.every(({ length }) => length === 3)).toBe(true);
});

test('maxBytesInFlight is shared by sources, and one that has nothing inside may read an item', async () => {
  const heavy = sourceProbe<string>();
  const light = sourceProbe<string>();
  const [stalled, open] = [sinkProbe<string>(), sinkProbe<string>()];
  const run = runAll(heavy.pipeline.into(stalled.sink), light.pipeline.into(open.sink), OPTIONS);
  heavy.release(text(50), text(50));
  light.release('a', 'b', 'c');
  await settle();
  expect([heavy.read, light.read]).toEqual([1, 1]);
  void open.take(Number.POSITIVE_INFINITY);
  await settle();
  expect([heavy.read, open.items]).toEqual([1, ['a', 'b', 'c']]);
  heavy.end();
  light.end();
  void stalled.take(Number.POSITIVE_INFINITY);
  expect(await run.finished).toMatchObject({ read: 5, emitted: 5, balanced: true });
});

test('maxBytesInFlight counts an item until the slowest branch is done with it, and goes on without one that has ended', async () => {
  const source = sourceProbe<string>();
  const [a, b] = source.pipeline.broadcast(2, { highWaterMark: 100 });
  const [fast, slow] = [sinkProbe<string>(), sinkProbe<string>()];
  const run = runAll(a.into(fast.sink), b.into(slow.sink), OPTIONS);
  source.release(...Array.from({ length: 50 }, () => 'xxxxx'));
  void fast.take(Number.POSITIVE_INFINITY);
  await settle();
  expect([source.read, fast.items.length]).toEqual([2, 2]);
  void slow.take(Number.POSITIVE_INFINITY);
  source.end();
  expect(await run.finished).toMatchObject({ read: 50, emitted: 100 });
  const [left, stays] = range(0, 40).broadcast(2);
  const some = left.pipeThrough(take(2)).into(() => {});
  const summary = await runAll(
    some,
    stays.into(async () => {}),
    { maxBytesInFlight: 2, sizeOf: () => 1 },
  ).finished;
  expect(summary).toMatchObject({ read: 40, emitted: 42, balanced: true });
});

test('maxBytesInFlight gives back what stages without an order had when they are empty', async () => {
  const clock = virtualClock();
  const slow = mapAsync((n: number) => clock.sleep(n % 7 === 0 ? 50 : 1).then(() => n), {
    concurrency: 4,
    ordered: false,
  });
  const items = range(0, 100)
    .pipeThrough(slow)
    .toArray({ clock, maxBytesInFlight: 20, sizeOf: () => 4 });
  expect((await clock.until(items)).sort((x, y) => x - y)).toEqual(Array.from({ length: 100 }, (_, n) => n));
});

test('maxBytesInFlight fails the run at an item that cannot be weighed, and closes a source that waits', async () => {
  const bad = from(['a', 'b', 'c']).run(() => {}, {
    maxBytesInFlight: 9,
    sizeOf: (item: string) => (item === 'b' ? -1 : 1),
  });
  await expect(bad.finished).rejects.toMatchObject({
    stage: 'array',
    index: 1,
    cause: {
      code: 'ERR_CORE_SIZE',
      message: 'Cannot weigh the item: its size is -1 (must be a finite number of 0 or more)',
    },
  });
  const source = sourceProbe<string>();
  const held = source.pipeline.run(never, OPTIONS);
  source.release(text(20), 'a');
  await settle();
  held.abort('enough');
  await expect(held.finished).rejects.toBe('enough');
  expect([source.closes.length, held.inFlight]).toEqual([1, 0]);
});

test('maxBytesInFlight lets a run drain while its source waits', async () => {
  const source = sourceProbe<string>();
  const sink = sinkProbe<string>();
  const run = source.pipeline.run(sink.sink, OPTIONS);
  source.release(text(20), text(20), 'a');
  await settle();
  void sink.take(Number.POSITIVE_INFINITY);
  expect(await run.drain()).toMatchObject({ read: 1, emitted: 1, balanced: true });
});

test('maxBytesInFlight is printed, and refused where items cannot be counted, or without sizeOf', async () => {
  const explained = merge(range(0, 3), range(0, 3)).explain({ maxBytesInFlight: 65_536, sizeOf: () => 1 });
  expect(String(explained).split('\n')[0]).toBe(
    'at most 2 items inside; less than 65,536 by size, and one item of each source',
  );
  const foreign = range(0, 3).pipeThrough(new TransformStream<number, number>(), { name: 'native' });
  await expect(foreign.toArray({ maxBytesInFlight: 9, sizeOf: () => 1 })).rejects.toMatchObject({
    code: 'ERR_CORE_IN_FLIGHT',
    message: expect.stringContaining(
      `what is inside "native" can't be counted (must be at most 9, the maxBytesInFlight)`,
    ),
  });
});

test('maxBytesInFlight flushes an operator that says it gathers', async () => {
  const pairs = operator<string, string>({
    name: 'pairs',
    inService: 2,
    gathers: true,
    open(upstream, context) {
      let held: string[] = [];
      const hand = (): string[] => {
        const items = held;
        held = [];
        context.counts.out += items.length;
        return items;
      };
      let end: Answer<string> | undefined;
      const pull = async (): Promise<Answer<string>> => {
        while (end === undefined && held.length < 2) {
          const answer = await upstream.pull(1);
          if (!Array.isArray(answer)) {
            if (!(answer instanceof Mark)) end = answer;
            if (held.length > 0 || end === undefined) return held.length > 0 ? hand() : answer;
            continue;
          }
          held.push(...answer);
          context.counts.in += answer.length;
          context.inside(0);
        }
        return held.length > 0 ? hand() : (end as Answer<string>);
      };
      return { pull, close: (reason) => upstream.close(reason) };
    },
  });
  const seen = await from(['a'.repeat(12), 'b', 'c', 'd'])
    .pipeThrough(pairs)
    .toArray(OPTIONS);
  expect(seen.map(lengthOf)).toEqual([12, 1, 1, 1]);
});

test.each([5, 8, 20])(
  'maxBytesInFlight of %i lets a window() go that could not be filled',
  async (maxBytesInFlight) => {
    const seen: number[] = [];
    const run = range(0, 40)
      .pipeThrough(window({ sizeMs: 5, timeMs: (n) => n }))
      .run(({ items }) => void seen.push(...items), { maxBytesInFlight, sizeOf: () => 1 });
    expect(await run.finished).toMatchObject({ balanced: true });
    expect(seen).toEqual(Array.from({ length: 40 }, (_, n) => n));
  },
);

test('maxBytesInFlight lets a range go on from a checkpoint', async () => {
  let last: Checkpoint | undefined;
  const save = (next: Checkpoint): void => {
    last = next;
  };
  const checkpoint = { load: () => last, save };
  const seen: number[] = [];
  for (const end of [5, 9]) {
    const run = range(0, end).run((n) => void seen.push(n), { checkpoint, maxBytesInFlight: 4, sizeOf: () => 3 });
    await run.finished;
  }
  expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
});

test('maxBytesInFlight goes on behind an operator that keeps no counts', async () => {
  const pass = operator<number, number>({ name: 'pass', open: (upstream) => upstream });
  const items = range(0, 100)
    .pipeThrough(pass)
    .toArray({ maxBytesInFlight: 9, sizeOf: () => 2 });
  expect(await items).toHaveLength(100);
});
