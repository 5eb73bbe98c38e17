import {
  buffer,
  from,
  map,
  mapAsync,
  merge,
  type Overflow,
  type Pipeline,
  type Run,
  runAll,
  type Sink,
  type Stage,
  zip,
} from '@millrace/core';
import { type Answer, isLater, operator, type Puller } from '@millrace/core/authoring';
import { type SinkProbe, sinkProbe, sourceProbe, virtualClock } from '@millrace/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const { settle } = virtualClock();
const lengthOf = (text: string): number => text.length;
const MARK = 10;

/** Each way to have an edge by size; behind it one item is in service, and the sink takes none. */
const EDGES: Record<
  string,
  (size: (text: string) => number) => (pipeline: Pipeline<string>, sink: SinkProbe<string>) => Run
> = {
  'buffer()': (size) => through(buffer<string>(MARK, { size })),
  'buffer() of a strategy': (size) => through(buffer<string>({ highWaterMark: MARK, size })),
  'mapAsync()': (size) => through(mapAsync((text: string) => text, { highWaterMark: MARK, size })),
  'mapAsync() of a strategy': (size) =>
    through(mapAsync((text: string) => text, { highWaterMark: { highWaterMark: MARK, size } })),
  'operator()': (size) =>
    through(
      operator<string, string>({
        name: 'pass',
        highWaterMark: MARK,
        size,
        open: (upstream, context) => oneByOne(upstream, context.counts),
      }),
    ),
  'merge()': (size) => (pipeline, probe) => merge(pipeline, { highWaterMark: MARK, size }).run(probe.sink),
  'zip()': (size) => (pipeline, probe) =>
    zip(pipeline, { highWaterMark: { highWaterMark: MARK, size } })
      .pipeThrough(map(([text]) => text))
      .run(probe.sink),
  Sink: (size) => (pipeline, probe) =>
    pipeline.run({ ...probe.sink, highWaterMark: MARK, size } satisfies Sink<string>),
};

function through(stage: Stage<string, string>) {
  return (pipeline: Pipeline<string>, probe: SinkProbe<string>): Run => pipeline.pipeThrough(stage).run(probe.sink);
}

function oneByOne(upstream: Puller<string>, counts: { in: number; out: number }): Puller<string> {
  const count = (answer: Answer<string>): Answer<string> => {
    if (Array.isArray(answer)) counts.out = counts.in += answer.length;
    return answer;
  };
  return {
    pull() {
      const pulled = upstream.pull(1);
      return isLater(pulled) ? pulled.then(count) : count(pulled);
    },
    close: (reason) => upstream.close(reason),
  };
}

for (const [name, edge] of Object.entries(EDGES)) {
  test(`size of ${name}: what waits is above the mark by less than the last item`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 15 }), { maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 10 }),
        async (lengths, takes) => {
          const texts = lengths.map((length) => 'x'.repeat(length));
          const source = sourceProbe<string>();
          const sink = sinkProbe<string>({ highWaterMark: 0 });
          const run = edge(lengthOf)(source.pipeline, sink);
          source.release(...texts);
          source.end();
          const weighed = (from: number, to: number): number =>
            lengths.slice(from, to).reduce((sum, length) => sum + Math.max(1, length), 0);
          let taken = 0;
          for (const take of takes) {
            await settle();
            // What waits: all that was read but what was taken, what the sink is offered, and what the stage itself has.
            const first = taken + (sink.isOffered ? 1 : 0) + (/^(mapAsync|merge|zip)/.test(name) ? 1 : 0);
            expect(weighed(first, source.read - 1)).toBeLessThan(MARK);
            if (source.read < texts.length) expect(weighed(first, source.read)).toBeGreaterThanOrEqual(MARK);
            expect(run.inFlight).toBeLessThanOrEqual(run.explain().bound);
            taken = Math.min(texts.length, taken + take);
            void sink.take(take);
          }
          expect(source.pulls.every((max) => max === 1)).toBe(true);
          void sink.take(Number.POSITIVE_INFINITY);
          expect(await run.finished).toMatchObject({ read: texts.length, emitted: texts.length, balanced: true });
          expect(sink.items).toEqual(texts);
        },
      ),
      { numRuns: 50 },
    );
  });

  test(`size of ${name}: what it throws, or can't be counted, fails the run at its item, behind those before it`, async () => {
    const gone = new Error('gone');
    const bad: Record<string, () => number> = {
      'is NaN': () => Number.NaN,
      'is -1': () => -1,
      'is Infinity': () => Number.POSITIVE_INFINITY,
      'is a string': () => '1' as never,
      gone: () => {
        throw gone;
      },
    };
    for (const [message, size] of Object.entries(bad)) {
      const sink = sinkProbe<string>({ highWaterMark: 0 });
      const run = edge((text) => (text === 'c' ? size() : 1))(from(['a', 'b', 'c', 'd']), sink);
      void sink.take(Number.POSITIVE_INFINITY);
      const error = await run.finished.catch((reason) => reason);
      expect(error).toMatchObject({ code: 'ERR_CORE_STAGE', index: 2 });
      if (message === 'gone') expect(error.cause).toBe(gone);
      else {
        expect(error.cause).toMatchObject({
          code: 'ERR_CORE_SIZE',
          message: `Cannot weigh the item: its size ${message} (must be a finite number of 0 or more)`,
        });
      }
      expect(sink.items).toEqual(['a', 'b']);
      expect(run.inFlight).toBe(0);
    }
  });

  test(`size of ${name}: what waits at an abort is abandoned`, async () => {
    const source = sourceProbe<string>();
    const sink = sinkProbe<string>({ highWaterMark: 0 });
    const run = edge(lengthOf)(source.pipeline, sink);
    run.finished.catch(() => {});
    source.release('aaaa', 'bbbb', 'cccc', 'dddd', 'eeee');
    await settle();
    run.abort('enough');
    await settle();
    expect(run.inFlight).toBe(0);
    expect(source.closes).toHaveLength(1);
  });
}

/** What a buffer of 10 keeps, and drops, of texts of these lengths behind one that the sink is offered. */
async function kept(overflow: Overflow, ...lengths: number[]): Promise<{ kept: number[]; dropped: number }> {
  const source = sourceProbe<string>();
  const sink = sinkProbe<string>({ highWaterMark: 0 });
  const run = source.pipeline.pipeThrough(buffer(MARK, { overflow, size: lengthOf })).run(sink.sink);
  run.finished.catch(() => {});
  for (const length of [1, ...lengths]) {
    source.release('x'.repeat(length));
    await settle();
  }
  source.end();
  void sink.take(Number.POSITIVE_INFINITY);
  const { dropped } = await run.finished;
  return { kept: sink.items.slice(1).map(lengthOf), dropped };
}

test('buffer() by size drops as many of the oldest as make room', async () => {
  expect(await kept('drop-oldest', 4, 4, 2, 7)).toEqual({ kept: [2, 7], dropped: 2 });
  expect(await kept('drop-oldest', 4, 4, 30)).toEqual({ kept: [30], dropped: 2 });
});

test('buffer() by size drops what does not fit, and goes on with what does', async () => {
  expect(await kept('drop-newest', 4, 4, 3, 2, 1)).toEqual({ kept: [4, 4, 2], dropped: 2 });
  expect(await kept('drop-newest', 30, 1)).toEqual({ kept: [30], dropped: 1 });
});

test('buffer() by size fails on what does not fit', async () => {
  await expect(kept('fail', 4, 4, 3)).rejects.toMatchObject({
    index: 3,
    cause: { code: 'ERR_CORE_OVERFLOW', message: expect.stringContaining('8 of 10 by size wait already') },
  });
});

test('highWaterMark takes the strategies of the Streams standard', async () => {
  const bytes = [new Uint8Array(6), new Uint8Array(6), new Uint8Array(6)];
  const source = sourceProbe<Uint8Array>();
  const sink = sinkProbe<Uint8Array>({ highWaterMark: 0 });
  const strategy = new ByteLengthQueuingStrategy({ highWaterMark: MARK });
  const run = source.pipeline.pipeThrough(buffer(strategy)).run(sink.sink);
  source.release(...bytes, ...bytes);
  source.end();
  await settle();
  expect(source.read).toBe(3);
  void sink.take(Number.POSITIVE_INFINITY);
  await run.finished;
  expect(sink.items).toHaveLength(6);
  const counted = from([1]).pipeThrough(buffer(new CountQueuingStrategy({ highWaterMark: 3 })));
  expect(counted.explain().bound).toBe(from([1]).pipeThrough(buffer(3)).explain().bound);
});

test('explain() prints the mark of an edge by size, and counts its items by what weighs least', () => {
  const sized = from(['a']).pipeThrough(mapAsync(async (text) => text, { highWaterMark: 65_536, size: lengthOf }));
  expect(String(sized.explain())).toContain('mapAsync edge: 65,536 by size | mapAsync concurrency: 1');
  expect(sized.explain().bound).toBe(65_537);
  expect(sized.explain().rooms[0]).toEqual({ stage: 'mapAsync', where: 'edge', items: 65_536, weight: 65_536 });
});

test('a size gives way to others on the thread before it has read a million small items', async () => {
  let read = 0;
  const numbers = from(
    (function* () {
      while (read < 2_000_000) yield read++;
    })(),
  );
  const run = numbers
    .pipeThrough(mapAsync(() => new Promise<number>(() => {}), { highWaterMark: 1_000_000, size: () => 1 }))
    .run(() => {});
  run.finished.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(read).toBeLessThan(1_000_000);
  run.abort();
});

test('size of broadcast(): what waits before the slowest branch is above the mark by less than the last item', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 15 }), { maxLength: 30 }),
      fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 10 }),
      async (lengths, takes) => {
        const source = sourceProbe<string>();
        const [fast, slow] = [sinkProbe<string>({ highWaterMark: 0 }), sinkProbe<string>({ highWaterMark: 0 })];
        const [first, second] = source.pipeline.broadcast(2, { highWaterMark: MARK, size: lengthOf });
        const run = runAll(first.into(fast.sink), second.into(slow.sink));
        source.release(...lengths.map((length) => 'x'.repeat(length)));
        source.end();
        void fast.take(Number.POSITIVE_INFINITY);
        const weighed = (from: number, to: number): number =>
          lengths.slice(from, to).reduce((sum, length) => sum + Math.max(1, length), 0);
        let taken = 0;
        for (const take of takes) {
          await settle();
          const waits = taken + (slow.isOffered ? 1 : 0);
          // One more is on its way to the branch that waits for it.
          expect(weighed(waits, source.read - 1)).toBeLessThan(MARK);
          if (source.read < lengths.length) expect(weighed(waits, source.read)).toBeGreaterThanOrEqual(MARK);
          expect(run.inFlight).toBeLessThanOrEqual(run.explain().bound);
          taken = Math.min(lengths.length, taken + take);
          void slow.take(take);
        }
        void slow.take(Number.POSITIVE_INFINITY);
        expect(await run.finished).toMatchObject({ read: lengths.length, emitted: lengths.length * 2, balanced: true });
        expect([fast.items.length, slow.items]).toEqual([lengths.length, fast.items]);
      },
    ),
    { numRuns: 50 },
  );
});

test('size of broadcast(): what cannot be weighed fails the run at its item, behind those before it', async () => {
  const source = sourceProbe<string>();
  const [fast, slow] = [sinkProbe<string>(), sinkProbe<string>({ highWaterMark: 0 })];
  const size = (text: string): number => (text === 'c' ? Number.NaN : 1);
  const [first, second] = source.pipeline.broadcast(2, { highWaterMark: MARK, size });
  const run = runAll(first.into(fast.sink), second.into(slow.sink));
  run.finished.catch(() => {});
  void fast.take(Number.POSITIVE_INFINITY);
  source.release('a', 'b', 'c', 'd');
  await settle();
  void slow.take(Number.POSITIVE_INFINITY);
  await expect(run.finished).rejects.toMatchObject({
    stage: 'broadcast branch 2',
    index: 2,
    cause: { code: 'ERR_CORE_SIZE' },
  });
  expect([slow.items, run.inFlight]).toEqual([['a', 'b'], 0]);
});

test('size of pipeTo(), into() and a foreign pair: so much waits before them', async () => {
  const never = (): Promise<never> => new Promise(() => {});
  const options = { highWaterMark: MARK, size: lengthOf };
  const stalled = (): WritableStream<string> => new WritableStream({ write: never });
  const ways: Record<string, (pipeline: Pipeline<string>) => unknown> = {
    'pipeTo()': (pipeline) => pipeline.pipeTo(stalled(), options),
    'into()': (pipeline) => runAll(pipeline.into(stalled(), options)),
    'pipeThrough()': (pipeline) =>
      pipeline
        .pipeThrough({ readable: new ReadableStream<string>(), writable: stalled() }, { ...options, name: 'pair' })
        .run(() => {}),
  };
  const read: Record<string, number> = {};
  for (const [name, way] of Object.entries(ways)) {
    const source = sourceProbe<string>();
    way(source.pipeline);
    source.release(...Array.from({ length: 20 }, () => 'xxxx'));
    await settle();
    read[name] = source.read;
  }
  // One is being written, and 4 + 4 + 4 wait.
  expect(read).toEqual({ 'pipeTo()': 4, 'into()': 4, 'pipeThrough()': 4 });
});

test('topology() says which edges are by size', () => {
  const [left, right] = from(['a']).broadcast(2, { highWaterMark: 1_024, size: lengthOf, name: 'both' });
  const both = merge(left, right, { highWaterMark: 65_536, size: lengthOf });
  const { edges, ...graph } = both.pipeThrough(buffer(4)).topology();
  expect(edges.filter(({ bySize }) => bySize === true)).toEqual([
    { from: 'both', to: 'both branch 1', highWaterMark: 1_024, bySize: true },
    { from: 'both', to: 'both branch 2', highWaterMark: 1_024, bySize: true },
    { from: 'both branch 1', to: 'merge', highWaterMark: 65_536, bySize: true },
    { from: 'both branch 2', to: 'merge', highWaterMark: 65_536, bySize: true },
  ]);
  expect(graph.nodes).toHaveLength(6);
  const drawn = both.topology();
  expect(drawn.toMermaid()).toContain('-->|65,536 by size|');
  expect(drawn.toDot()).toContain('[label="65,536 by size"]');
  expect(String(both.explain())).toContain('merge edge: 131,072 by size | merge next of each: 2');
});
