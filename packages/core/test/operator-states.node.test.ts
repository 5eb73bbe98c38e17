import {
  batch,
  type Checkpoint,
  type Checkpointer,
  filter,
  flatMap,
  map,
  mapAsync,
  type Pipeline,
  type RunOptions,
  range,
  runAll,
  type Stage,
} from '@millrace/core';
import { type Answer, operator } from '@millrace/core/authoring';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keeping } from './keeping.js';

const seed = Number(process.env['MILLRACE_SEED'] ?? 20261122);

/** Keeps all checkpoints, each as it came through a serializer. */
function memory(everyItems: number, last?: Checkpoint): Checkpointer & { readonly all: Checkpoint[] } {
  const all: Checkpoint[] = [];
  return {
    all,
    everyItems,
    load: () => structuredClone(last),
    save: (checkpoint) => void all.push(structuredClone(checkpoint)),
  };
}

/** Leaves out what it has seen. */
const distinct = (): Stage<number, number> =>
  keeping(
    'distinct',
    () => new Set<number>(),
    (seen, n) => {
      if (seen.has(n % 13)) return [];
      seen.add(n % 13);
      return [n];
    },
  );

/** Gives the sum of every three items. */
const threes = (): Stage<number, number> =>
  keeping(
    'threes',
    () => ({ sum: 0, items: 0 }),
    (window, n) => {
      window.sum += n;
      window.items += 1;
      if (window.items < 3) return [];
      const { sum } = window;
      Object.assign(window, { sum: 0, items: 0 });
      return [sum];
    },
  );

const ways: readonly RunOptions[] = [{}, { fuse: false }, { generate: false }];

function failAt(bad: number, n: number): number {
  if (n === bad) throw new Error('bad');
  return n;
}

interface Step {
  readonly text: string;
  add(numbers: Pipeline<number>): Pipeline<number>;
}

const steps: fc.Arbitrary<Step> = fc.constantFrom<Step>(
  { text: 'distinct', add: (p) => p.pipeThrough(distinct()) },
  { text: 'threes', add: (p) => p.pipeThrough(threes()) },
  { text: 'map', add: (p) => p.pipeThrough(map((n, index) => n + (index % 5))) },
  { text: 'filter', add: (p) => p.pipeThrough(filter((n) => n % 4 !== 0)) },
  { text: 'mapAsync', add: (p) => p.pipeThrough(mapAsync(async (n: number, { index }) => n + (index % 3))) },
  {
    text: 'mapAsync 3',
    add: (p) => p.pipeThrough(mapAsync((n: number, { index }) => n + (index % 3), { concurrency: 3 })),
  },
  {
    text: 'batch',
    add: (p) => p.pipeThrough(batch({ maxItems: 3, maxWaitMs: 60_000 })).pipeThrough(flatMap((items) => items)),
  },
);

describe('operator() under a checkpoint', () => {
  test('operator() goes on from what it saved, at any checkpoint, and so do indexes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(60),
        fc.array(steps, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom(...ways),
        fc.constantFrom(...ways),
        fc.nat(),
        async (items, added, everyItems, first, second, pick) => {
          const build = (): Pipeline<number> => added.reduce((p, step) => step.add(p), range(0, items));
          const whole = await build().toArray();
          const run = async (options: RunOptions, last?: Checkpoint): Promise<[number[], Checkpoint[], number[]]> => {
            const seen: number[] = [];
            const flushed: number[] = [];
            const checkpoint = memory(everyItems, last);
            const sink = {
              open: () => ({
                write: (numbers: readonly number[]) => void seen.push(...numbers),
                flush: () => void flushed.push(seen.length),
              }),
            };
            const summary = await build().run(sink, { ...options, checkpoint }).finished;
            expect([summary.balanced, summary.emitted]).toEqual([true, seen.length]);
            return [seen, checkpoint.all, flushed];
          };
          const [seen, all, flushed] = await run(first);
          expect(seen).toEqual(whole);
          const at = pick % all.length;
          // What one way has saved, another one goes on from.
          const [rest] = await run(second, all[at]);
          expect([...seen.slice(0, at === all.length - 1 ? undefined : flushed[at]), ...rest]).toEqual(whole);
        },
      ),
      { seed, numRuns: 300 },
    );
  });

  test('operator() saves what it kept at its end, though it was closed before others', async () => {
    const job = async (items: number, last?: Checkpoint): Promise<[number[], Checkpoint]> => {
      const [some, all] = range(0, items).broadcast(2) as [Pipeline<number>, Pipeline<number>];
      const seen: number[] = [];
      const checkpoint = memory(4, last);
      const slow = async (): Promise<void> => {
        for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      };
      const known = some.pipeThrough(distinct()).into((n) => void seen.push(n));
      await runAll(known, all.into(slow), { checkpoint }).finished;
      return [seen, checkpoint.all.at(-1) as Checkpoint];
    };
    const [before, last] = await job(9);
    const [behind] = await job(30, last);
    expect([...before, ...behind]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  test.each([
    ['mapAsync', (bad: number) => mapAsync(async (n: number) => failAt(bad, n))],
    ['map', (bad: number) => map((n: number) => failAt(bad, n))],
  ])('%s() numbers its failures on from the checkpoint', async (stage, make) => {
    const job = (bad: number): Pipeline<number> => range(0, 20).pipeThrough(make(bad));
    // One way has the function in the loop with the sink, another one has a stage of its own for it.
    for (const [before, behind] of ways.flatMap((one) => ways.map((other) => [one, other] as const))) {
      const checkpoint = memory(4);
      await job(-1).run(() => {}, { ...before, checkpoint }).finished;
      const run = job(17).run(() => {}, { ...behind, checkpoint: memory(4, checkpoint.all[0]) });
      await expect(run.finished).rejects.toMatchObject({ stage, index: 17 });
    }
  });

  const pass = (state: object): Stage<number, number> =>
    operator<number, number>({
      name: 'pass',
      open: (upstream, { counts }) => ({
        pull(max) {
          const answer = upstream.pull(max) as Answer<number>;
          if (Array.isArray(answer)) counts.out = counts.in += answer.length;
          return answer;
        },
        close: (reason) => upstream.close(reason),
        ...state,
      }),
    });

  test('operator() whose state cannot be given, copied or taken fails the run', async () => {
    const broken = () => {
      throw new Error('broken');
    };
    const run = (state: object, last?: Checkpoint): Promise<unknown> =>
      range(0, 9)
        .pipeThrough(pass(state))
        .run(() => {}, { checkpoint: memory(2, last) }).finished;
    await expect(run({ save: broken })).rejects.toThrow('what "pass" keeps can\'t be saved: broken');
    await expect(run({ save: () => broken })).rejects.toThrow(/what "pass" keeps can't be saved/);
    const kept = memory(2);
    await range(0, 4)
      .pipeThrough(pass({ save: () => 7 }))
      .run(() => {}, { checkpoint: kept }).finished;
    await expect(run({ save: () => 7, restore: broken }, kept.all[0])).rejects.toThrow('Cannot load the checkpoint');
    await expect(run({}, kept.all[0])).rejects.toThrow(/it has a state of "pass"/);
  });

  test('operator() does not change the checkpoint that it goes on from', async () => {
    const job = (bad: number): Pipeline<number> =>
      range(0, 12)
        .pipeThrough(distinct())
        .pipeThrough(map((n) => failAt(bad, n)));
    const first = memory(4);
    await job(-1).run(() => {}, { checkpoint: first }).finished;
    const last = first.all[0] as Checkpoint;
    const checkpoint: Checkpointer = { load: () => last, save() {} };
    await expect(job(9).run(() => {}, { checkpoint }).finished).rejects.toThrow('bad');
    const seen: number[] = [];
    await job(-1).run((n) => void seen.push(n), { checkpoint }).finished;
    expect(seen).toEqual([4, 5, 6, 7, 8, 9, 10, 11]);
  });

  test('operator() with an obstacle is refused under a checkpoint, and only there', async () => {
    const socket = operator<number, number>({
      name: 'socket',
      obstacle: 'keeps an open connection',
      open: (upstream, { counts }) => ({
        async pull(max) {
          const answer = await upstream.pull(max);
          if (Array.isArray(answer)) counts.out = counts.in += answer.length;
          return answer;
        },
        close: (reason) => upstream.close(reason),
      }),
    });
    const job = range(0, 3).pipeThrough(socket);
    expect(() => job.run(() => {}, { checkpoint: memory(1) })).toThrow(
      expect.objectContaining({
        code: 'ERR_CORE_CHECKPOINT',
        message: expect.stringContaining('stage "socket" keeps an open connection'),
      }),
    );
    expect(await job.toArray()).toEqual([0, 1, 2]);
  });
});
