import {
  batch,
  buffer,
  type Checkpoint,
  type Checkpointer,
  channel,
  type DeadLetter,
  type Delivery,
  deadLetter,
  dedupe,
  dedupeConsecutive,
  drop,
  dropWhile,
  enumerate,
  filter,
  flatMap,
  from,
  map,
  mapAsync,
  merge,
  type Pipeline,
  pairwise,
  type RunOptions,
  range,
  runAll,
  type Sink,
  type Stage,
  scan,
  statefulMap,
  take,
  takeWhile,
} from '@millrace/core';
import { source } from '@millrace/core/authoring';
import { virtualClock } from '@millrace/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { numbersOf } from './numbers-of.js';

/** Keeps all checkpoints, each as it came through a serializer. */
function memory(everyItems?: number, last?: Checkpoint): Checkpointer & { readonly all: Checkpoint[] } {
  const all: Checkpoint[] = [];
  return {
    all,
    everyItems,
    load: () => structuredClone(last),
    async save(checkpoint) {
      await Promise.resolve();
      all.push(structuredClone(checkpoint));
    },
  };
}

/** Writes down what it was given, and how much that was at each barrier. */
function noting(isSlow: boolean): { sink: Sink<number>; seen: number[]; flushed: number[] } {
  const seen: number[] = [];
  const flushed: number[] = [];
  const sink: Sink<number> = {
    maxBurst: 3,
    open: () => ({
      async write(items) {
        if (isSlow) await Promise.resolve();
        seen.push(...items);
      },
      flush: () => void flushed.push(seen.length),
    }),
  };
  return { sink, seen, flushed };
}

function refuseTwo(n: number): number {
  if (n === 2) throw new Error('refused');
  return n;
}

interface Step {
  readonly text: string;
  add(numbers: Pipeline<number>): Pipeline<number>;
}

const small = fc.integer({ min: 1, max: 4 });

/** Steps that keep the order, with states or without. */
const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.constant<Step>({ text: 'map', add: (p) => p.pipeThrough(map((n, index) => n + index)) }),
  fc.constant<Step>({ text: 'filter', add: (p) => p.pipeThrough(filter((n) => n % 3 !== 0)) }),
  fc.constant<Step>({ text: 'scan', add: (p) => p.pipeThrough(scan((sum: number, n: number) => (sum + n) % 97, 0)) }),
  fc.constant<Step>({ text: 'dedupeConsecutive', add: (p) => p.pipeThrough(dedupeConsecutive((n) => n >> 2)) }),
  small.map<Step>((maxKeys) => ({
    text: `dedupe ${maxKeys}`,
    add: (p) => p.pipeThrough(dedupe({ key: (n) => n % 5, maxKeys })),
  })),
  small.map<Step>((n) => ({ text: `dropWhile ${n}`, add: (p) => p.pipeThrough(dropWhile((each) => each % 5 < n)) })),
  small.map<Step>((n) => ({ text: `takeWhile ${n}`, add: (p) => p.pipeThrough(takeWhile((each) => each % 11 !== n)) })),
  fc.constant<Step>({
    text: 'statefulMap',
    add: (p) =>
      p.pipeThrough(
        statefulMap({
          start: () => ({ sum: 0 }),
          map: (state, n: number) => {
            state.sum = (state.sum + n) % 89;
            return state.sum;
          },
          flush: ({ sum }) => sum + 1000,
        }),
      ),
  }),
  fc.constant<Step>({
    text: 'pairwise, enumerate',
    add: (p) =>
      p
        .pipeThrough(pairwise())
        .pipeThrough(enumerate())
        .pipeThrough(map(([at, [before, n]]) => (at + before * 3 + n) % 83)),
  }),
  fc.constant<Step>({ text: 'flatMap', add: (p) => p.pipeThrough(flatMap((n) => [n, n + 7])) }),
  fc.nat(9).map<Step>((items) => ({ text: `drop ${items}`, add: (p) => p.pipeThrough(drop(items)) })),
  fc.nat(25).map<Step>((items) => ({ text: `take ${items}`, add: (p) => p.pipeThrough(take(items)) })),
  small.map<Step>((items) => ({ text: `buffer ${items}`, add: (p) => p.pipeThrough(buffer(items)) })),
  small.map<Step>((concurrency) => ({
    text: `mapAsync ${concurrency}`,
    add: (p) => p.pipeThrough(mapAsync((n: number) => (n % 2 ? n : Promise.resolve(n)), { concurrency })),
  })),
  fc.tuple(small, fc.boolean()).map<Step>(([maxItems, isTimed]) => ({
    text: `batch ${maxItems} ${isTimed}`,
    add: (p) =>
      p
        .pipeThrough(batch<number>(isTimed ? { maxItems, maxWaitMs: 60_000 } : { maxItems }))
        .pipeThrough(flatMap((items) => items)),
  })),
);

/** Chains; those with several sources or branches give their items in no order, so they only have steps without states. */
const chains = fc
  .tuple(fc.integer({ min: 0, max: 40 }), fc.constantFrom('loop', 'now', 'later'), fc.array(steps, { maxLength: 5 }))
  .map(([items, kind, added]) => ({
    text: `${kind} ${items} → ${added.map(({ text }) => text).join(' → ')}`,
    items,
    toString: () => `${kind} ${items} → ${added.map(({ text }) => text).join(' → ')}`,
    build: () =>
      added.reduce((p, step) => step.add(p), kind === 'loop' ? range(0, items) : numbersOf(items, kind === 'later')),
  }));

const ways: readonly RunOptions[] = [{}, { fuse: false }, { generate: false }, { context: true }];
const seed = Number(process.env['MILLRACE_SEED'] ?? 20261122);
const inOrder = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);

describe('a run with checkpoints', () => {
  test('a run goes on from any of its checkpoints as if it had never ended, in random chains of stages', async () => {
    await fc.assert(
      fc.asyncProperty(
        chains,
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom('slow', 'fast', 'function', 'async function'),
        fc.constantFrom(...ways),
        fc.nat(),
        async (chain, everyItems, kind, options, pick) => {
          const whole = await chain.build().toArray();
          const run = async (last?: Checkpoint): Promise<{ seen: number[]; at: number[]; all: Checkpoint[] }> => {
            const { sink, seen, flushed } = noting(kind === 'slow');
            const into =
              kind === 'function'
                ? (n: number) => void seen.push(n)
                : kind === 'async function'
                  ? async (n: number) => void seen.push(n)
                  : sink;
            const checkpoint = memory(everyItems, last);
            const summary = await chain.build().run(into, { ...options, checkpoint }).finished;
            expect([summary.balanced, summary.emitted]).toEqual([true, seen.length]);
            return { seen, at: flushed, all: checkpoint.all };
          };
          const first = await run();
          expect(first.seen).toEqual(whole);
          if (typeof kind === 'string' && kind.includes('function')) return;
          const at = pick % first.all.length;
          const rest = await run(first.all[at]);
          // The last checkpoint is that of the end, which no barrier brought.
          const before = first.seen.slice(0, at === first.all.length - 1 ? undefined : first.at[at]);
          expect([...before, ...rest.seen]).toEqual(whole);
        },
      ),
      { seed, numRuns: 500 },
    );
  });

  test('each sink has exactly the items before a checkpoint, in graphs with merges and branches', async () => {
    const sources = fc.array(fc.tuple(fc.nat(30), fc.constantFrom('loop', 'now', 'later')), {
      minLength: 1,
      maxLength: 3,
    });
    const sinks = fc.array(fc.tuple(fc.boolean(), small, fc.boolean()), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(sources, sinks, fc.integer({ min: 1, max: 9 }), async (inputs, branches, everyItems) => {
        const made = inputs.map(([items, kind], at) =>
          (kind === 'loop' ? range(0, items) : numbersOf(items, kind === 'later')).pipeThrough(
            map((n) => at * 1000 + n, { name: `input ${at}` }),
          ),
        );
        const notes = branches.map(([isSlow]) => noting(isSlow));
        const copies = merge(...made).broadcast(branches.length);
        const deliveries = branches.map(([, concurrency, ordered], at): Delivery => {
          const work = mapAsync((n: number) => (n % 2 ? n : Promise.resolve(n)), { concurrency, ordered });
          return (copies[at] as Pipeline<number>).pipeThrough(work).into(notes[at]!.sink);
        });
        const checkpoint = memory(everyItems);
        await runAll(...deliveries, { checkpoint, observer: { warned: () => {} } }).finished;
        expect(checkpoint.all.length).toBeGreaterThan(0);
        checkpoint.all.slice(0, -1).forEach(({ states }, round) => {
          const expected = inputs.flatMap((_, at) => {
            const { entered } = states[`input ${at}`] as { entered: number };
            return Array.from({ length: entered }, (__, n) => at * 1000 + n);
          });
          for (const { seen, flushed } of notes) expect(inOrder(seen.slice(0, flushed[round]))).toEqual(expected);
        });
        const { states } = checkpoint.all.at(-1)!;
        expect(inputs.map((_, at) => (states[`input ${at}`] as { entered: number }).entered)).toEqual(
          inputs.map(([items]) => items),
        );
      }),
      { seed, numRuns: 200 },
    );
  });

  test('a barrier goes round by time while a read is pending, and what the read brings comes behind it', async () => {
    const clock = virtualClock();
    const checkpoint = memory();
    const given: Array<(items: readonly number[]) => void> = [];
    let position = 0;
    const seen: number[] = [];
    const run = source<number>({
      name: 'slow',
      open: () => ({
        read: () =>
          new Promise<readonly number[]>((resolve) => {
            given.push((items) => {
              position += items.length;
              resolve(items);
            });
          }),
        close() {},
        position: () => position,
        resume() {},
      }),
    }).run((n) => void seen.push(n), { checkpoint, clock });
    await clock.settle();
    given.shift()?.([1, 2]);
    await clock.settle();
    expect([seen, checkpoint.all]).toEqual([[1, 2], []]);
    await clock.advance(1000);
    expect(checkpoint.all.map(({ positions }) => positions)).toEqual([{ slow: 2 }]);
    given.shift()?.([3]);
    await clock.settle();
    expect(seen).toEqual([1, 2, 3]);
    await clock.advance(1000);
    expect(checkpoint.all.map(({ positions }) => positions)).toEqual([{ slow: 2 }, { slow: 3 }]);
    run.abort('enough');
    await run.finished.catch(() => {});
    expect(checkpoint.all).toHaveLength(2);
  });

  test('a source is told of what is durable once it is saved', async () => {
    const acknowledged: number[] = [];
    const checkpoint = memory(4);
    await numbersOf(10, true, acknowledged).run(() => {}, { checkpoint }).finished;
    expect(acknowledged).toEqual(checkpoint.all.map(({ positions }) => positions['numbers']));
    expect(acknowledged.at(-1)).toBe(10);
  });

  test('a checkpoint waits for the promise of a sink', async () => {
    let finish: () => void = () => {};
    const done = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const clock = virtualClock();
    const checkpoint = memory(1);
    const run = range(0, 3).run(() => done, { checkpoint, clock });
    await clock.settle();
    expect(checkpoint.all).toEqual([]);
    finish();
    await run.finished;
    expect(checkpoint.all.map(({ sequence }) => sequence)).toEqual(checkpoint.all.map((_, at) => at + 1));
    expect(checkpoint.all.at(-1)?.positions).toEqual({ range: 3 });
  });

  test.each(ways)(
    'a barrier passes a function that is awaited in the loop, behind its item and the sink, with %o',
    async (options) => {
      for (const isNow of [true, false]) {
        let done = 0;
        const before: number[] = [];
        const checkpoint: Checkpointer = {
          everyItems: 4,
          load: () => undefined,
          save: ({ positions }) => void before.push(done - (positions['range'] as number)),
        };
        await range(0, 400)
          .pipeThrough(mapAsync((n: number) => (isNow ? n : Promise.resolve(n)), { concurrency: 1 }))
          .run(
            async () => {
              for (let turn = 0; turn < 9; turn++) await Promise.resolve();
              done++;
            },
            { ...options, checkpoint },
          ).finished;
        // 64 may wait before a sink of its own.
        expect(before.length).toBeGreaterThan(2);
        expect(Math.min(...before)).toBeGreaterThanOrEqual(0);
      }
    },
  );

  test.each([
    ['map()', (letters: WritableStream<DeadLetter<number>>) => map(refuseTwo, { onError: deadLetter(letters) })],
    ...[true, false].flatMap((ordered) =>
      [1, 4].map((concurrency): [string, (letters: WritableStream<DeadLetter<number>>) => Stage<number, number>] => [
        `mapAsync() of ${concurrency}, ${ordered ? 'in order' : 'unordered'},`,
        (letters) => mapAsync(refuseTwo, { concurrency, ordered, onError: deadLetter(letters) }),
      ]),
    ),
  ])('a checkpoint waits until the dead letters of %s before it are durable', async (_, stage) => {
    for (const options of ways) {
      const clock = virtualClock();
      const writing: Array<() => void> = [];
      // What has room takes the letter at once, and has it durable when the promise of the write resolves.
      const letters = new WritableStream<DeadLetter<number>>(
        { write: () => new Promise<void>((written) => void writing.push(written)) },
        { highWaterMark: 100 },
      );
      const checkpoint = memory(4);
      const run = range(0, 40)
        .pipeThrough(stage(letters))
        .run(() => {}, { ...options, checkpoint, clock });
      await clock.settle();
      expect([writing.length, checkpoint.all]).toEqual([1, []]);
      writing[0]?.();
      expect(await run.finished).toMatchObject({ read: 40, deadLettered: 1, balanced: true });
      expect(checkpoint.all.length).toBeGreaterThan(1);
    }
  });

  test.each([
    ['a loop', () => range(0, 300)],
    ['a loop whose items unfold', () => range(0, 300).pipeThrough(flatMap((n) => [n]))],
    ['a loop that awaits a function', () => range(0, 300).pipeThrough(mapAsync(async (n: number) => n))],
    ['a reader', () => numbersOf(300, false)],
    ['a reader that takes its time', () => numbersOf(300, true)],
    ['both', () => merge(range(0, 150), numbersOf(150, true))],
  ])('%s waits while a checkpoint is being saved and the next one is due', async (_, build) => {
    for (const isSlow of [false, true]) {
      const clock = virtualClock();
      const saving: Array<{ items: number; saved(): void }> = [];
      const checkpoint: Checkpointer = {
        everyItems: 20,
        load: () => undefined,
        save: () => new Promise<void>((saved) => saving.push({ items: read(), saved })),
      };
      const run = build().run(isSlow ? async () => {} : () => {}, { checkpoint, clock });
      const sources = run.topology().nodes.filter(({ kind }) => kind === 'source');
      const read = (): number =>
        run.counts().reduce((sum, { name, made }) => sum + (sources.some((each) => each.name === name) ? made : 0), 0);
      for (let before = 0; before < 300; ) {
        await clock.settle();
        const { items, saved } = saving.shift() as { items: number; saved(): void };
        // Each may be at a read when the next one comes due.
        expect(read() - items).toBeLessThanOrEqual(20 * sources.length);
        // What was read while the barrier was on its way, behind what is saved now.
        expect(items - before).toBeLessThanOrEqual(20 + 20 + run.explain().bound);
        before = items;
        saved();
        await clock.settle();
      }
      for (let last = saving.shift(); last !== undefined; last = saving.shift()) {
        last.saved();
        await clock.settle();
      }
      expect(await run.finished).toMatchObject({ read: 300, balanced: true });
    }
  });

  test('a checkpoint that is late keeps its source waiting from when the next one is due by time', async () => {
    const clock = virtualClock();
    const saving: Array<() => void> = [];
    const checkpoint: Checkpointer = {
      everyMs: 1000,
      load: () => undefined,
      save: () => new Promise<void>((saved) => void saving.push(saved)),
    };
    const wait = (ms: number): Promise<void> => new Promise((resolve) => void clock.setTimer(resolve, ms));
    const seen: number[] = [];
    let next = 0;
    const ticks = source<number>({
      name: 'ticks',
      open: () => ({
        read: () => wait(100).then(() => [next++]),
        close() {},
        position: () => next,
        resume() {},
      }),
    });
    const run = ticks.run((n) => void seen.push(n), { checkpoint, clock });
    await clock.advance(1000);
    expect([seen.length, saving.length]).toEqual([10, 1]);
    // The next one is due, with what came meanwhile; a read that was pending is handed on.
    await clock.advance(5000);
    expect([seen.length, saving.length]).toEqual([20, 1]);
    saving.shift()?.();
    await clock.advance(500);
    expect([seen.length, saving.length]).toEqual([25, 1]);
    saving.shift()?.();
    const drained = run.drain();
    await clock.advance(100);
    for (const saved of saving) saved();
    await clock.advance(100);
    for (const saved of saving) saved();
    expect(await drained).toMatchObject({ read: seen.length, balanced: true });
  });

  test('a run that fails saves nothing more, and one that is resumed goes on before the failure', async () => {
    const checkpoint = memory(2);
    const broken = async (n: number): Promise<void> => {
      // By then the checkpoint before it is saved.
      for (let turn = 0; turn < 9; turn++) await Promise.resolve();
      if (n === 5) throw new Error('broken');
    };
    await expect(range(0, 9).run(broken, { checkpoint }).finished).rejects.toThrow('broken');
    const last = checkpoint.all.at(-1);
    expect(last?.positions).toEqual({ range: 4 });
    const seen: number[] = [];
    await range(0, 9).run((n) => void seen.push(n), { checkpoint: memory(2, last) }).finished;
    expect(seen).toEqual([4, 5, 6, 7, 8]);
  });

  test('a run whose checkpoint cannot be loaded or saved fails', async () => {
    const failing = (what: 'load' | 'save'): Checkpointer => ({
      ...memory(1),
      [what]: () => Promise.reject(new Error('disk full')),
    });
    for (const what of ['load', 'save'] as const) {
      await expect(range(0, 9).run(() => {}, { checkpoint: failing(what) }).finished).rejects.toMatchObject({
        code: 'ERR_CORE_CHECKPOINT',
        message: `Cannot ${what} the checkpoint: disk full`,
      });
    }
  });

  test('a checkpoint of another pipeline is refused', async () => {
    const last: Checkpoint = { sequence: 1, positions: { lines: 7 }, states: {} };
    await expect(range(0, 9).run(() => {}, { checkpoint: memory(1, last) }).finished).rejects.toThrow(/it has "lines"/);
  });

  test('a source without positions, a foreign transform and a terminal are refused under a checkpoint', async () => {
    const checkpoint = memory(1);
    const code = 'ERR_CORE_CHECKPOINT';
    expect(() => channel<number>(1).receiver.run(() => {}, { checkpoint })).toThrow(expect.objectContaining({ code }));
    expect(() => from(new Set([1])).run(() => {}, { checkpoint })).toThrow(expect.objectContaining({ code }));
    const foreign = range(0, 3).pipeThrough(new TransformStream<number, number>());
    expect(() => foreign.run(() => {}, { checkpoint })).toThrow(expect.objectContaining({ code }));
    await expect(range(0, 3).toArray({ checkpoint })).rejects.toMatchObject({ code: 'ERR_CORE_ARGUMENT' });
  });

  test('a state that cannot be copied fails the run and names the stage', async () => {
    const sums = range(0, 9).pipeThrough(
      scan<number, { n: number; f(): void }>((s, n) => ({ ...s, n }), { n: 0, f() {} }),
    );
    await expect(sums.run(() => {}, { checkpoint: memory(1) }).finished).rejects.toThrow(/what "scan" keeps/);
  });
});
