import {
  batch,
  type Checkpoint,
  type Checkpointer,
  type Clock,
  type DeadLetter,
  type Delivery,
  deadLetter,
  dedupe,
  dedupeConsecutive,
  drop,
  fallback,
  filter,
  flatMap,
  map,
  mapAsync,
  merge,
  type Pipeline,
  type RunOptions,
  range,
  runAll,
  type Sink,
  scan,
  take,
} from '@millrace/core';
import { source } from '@millrace/core/authoring';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keeping } from './keeping.js';

// A job is run and killed at some step, such as a write that has become durable, and run again from its last checkpoint,
// until it ends. Whatever the step, all that a run without a kill delivers has been delivered then, and came again only
// where it was behind the checkpoint at a kill. A failure prints the seed and the path that repeat it.

interface Item {
  /** The number of its source. */
  readonly from: number;
  /** Its position there. */
  readonly id: number;
  /** Which one of those that its item was unfolded into. */
  readonly copy: number;
  /** What the stages made of it, and of what came before. */
  readonly n: number;
}

/** What outlives a kill: what was delivered, by its key, and the checkpoint; and how a run of it is killed. */
class World {
  readonly delivered = new Map<string, { readonly item: Item; readonly values: number[] }>();
  checkpoint: Checkpoint | undefined;
  steps = 0;
  #killAt = Number.POSITIVE_INFINITY;
  #kill: () => void = () => {};
  /** The number of the process: what an earlier one still does has no effect. */
  process = 0;

  begin(killAt: number, kill: () => void): void {
    this.steps = 0;
    this.#killAt = killAt;
    this.#kill = kill;
  }

  /** Whether process number `process` gets as far as this. */
  step(process: number): boolean {
    if (process !== this.process) return false;
    if (++this.steps < this.#killAt) return true;
    this.process++;
    this.#kill();
    return false;
  }

  deliver(where: string, item: Item): void {
    const key = `${where} ${item.from}.${item.id}.${item.copy}`;
    const known = this.delivered.get(key) ?? { item, values: [] };
    this.delivered.set(key, known);
    known.values.push(item.n);
  }
}

/** What a job does with the world in one process. */
class Process {
  readonly #world: World;
  readonly #number: number;
  readonly checkpoint: Checkpointer;
  readonly letters: WritableStream<DeadLetter<Item>>;

  readonly #turns: Job['turns'];

  constructor(world: World, { everyItems, turns }: Job) {
    this.#world = world;
    this.#number = world.process;
    this.#turns = turns;
    this.checkpoint = {
      everyItems,
      load: () => structuredClone(world.checkpoint),
      save: async (checkpoint) => {
        await this.#durable('save', () => {
          world.checkpoint = structuredClone(checkpoint);
        });
      },
    };
    this.letters = new WritableStream<DeadLetter<Item>>({
      write: ({ item, stage }) => this.#durable('letter', () => world.deliver(`letter of ${stage}`, item)),
    });
  }

  sink(name: string): Sink<Item> {
    const unflushed: Item[] = [];
    return {
      name,
      maxBurst: 3,
      open: () => ({
        write: (items) => void unflushed.push(...items),
        flush: () => this.#durable('write', () => this.#flush(name, unflushed)),
        close: () => this.#durable('write', () => this.#flush(name, unflushed)),
      }),
    };
  }

  /** Some of it is durable before it is asked for. */
  early(name: string): (item: Item) => Promise<void> {
    return (item) => this.#durable('write', () => this.#world.deliver(name, item));
  }

  #flush(name: string, items: Item[]): void {
    for (const item of items.splice(0)) this.#world.deliver(name, item);
  }

  async #durable(what: keyof Job['turns'], happens: () => void): Promise<void> {
    for (let turn = 0; turn < this.#turns[what]; turn++) await Promise.resolve();
    if (!this.#world.step(this.#number)) return new Promise(() => {});
    happens();
    await Promise.resolve();
    if (!this.#world.step(this.#number)) return new Promise(() => {});
  }
}

interface Step {
  readonly text: string;
  add(items: Pipeline<Item>, process: Process): Pipeline<Item>;
}

const step = (text: string, add: Step['add']): Step => ({ text, add, toString: () => text }) as Step;
const small = fc.integer({ min: 1, max: 4 });

/** Fails on the first try of some, and always where it is hopeless. */
async function flaky(item: Item, attempt: number, isHopeless: boolean): Promise<Item> {
  if (item.id % 2 === 0) await Promise.resolve();
  if (isHopeless || (item.id % 5 === 1 && attempt === 1)) throw new Error('not now');
  return item;
}

const retry = { attempts: 2, backoffMs: 0 };
const failing = (item: Item): Item => {
  if (item.id % 6 === 2) throw new Error('bad');
  return item;
};

const filtered = step('filter', (p) => p.pipeThrough(filter(({ id }) => id % 3 !== 0)));
const unfolded = step('flatMap', (p) =>
  p.pipeThrough(flatMap((item) => [0, 1].map((at) => ({ ...item, copy: item.copy * 2 + at })))),
);
const mapToLetters = step('map to letters', (p, { letters }) =>
  p.pipeThrough(map(failing, { onError: deadLetter(letters) })),
);
const mapOrSkip = step('map or skip', (p) => p.pipeThrough(map(failing, { onError: 'skip' })));
const mapOrElse = step('map or else', (p) =>
  p.pipeThrough(map(failing, { onError: fallback((_error, item: Item) => ({ ...item, n: -1 })) })),
);
const asyncToLetters = (concurrency: number, ordered: boolean): Step =>
  step(`mapAsync ${concurrency} ${ordered} to letters`, (p, { letters }) => {
    const work = async (item: Item, { attempt }: { readonly attempt: number }): Promise<Item> =>
      flaky(item, attempt, item.id % 7 === 3);
    return p.pipeThrough(mapAsync(work, { concurrency, ordered, retry, onError: deadLetter(letters) }));
  });
const batched = (maxItems: number, isTimed: boolean): Step =>
  step(`batch ${maxItems} ${isTimed}`, (p) =>
    p
      .pipeThrough(batch<Item>(isTimed ? { maxItems, maxWaitMs: 60_000 } : { maxItems }))
      .pipeThrough(flatMap((items) => items)),
  );

/** Stages to which the order of the items does not matter. */
const stateless: fc.Arbitrary<Step> = fc.oneof(
  fc.constantFrom(filtered, unfolded, mapToLetters, mapOrSkip, mapOrElse),
  fc.tuple(small, fc.boolean()).map((of) => asyncToLetters(...of)),
  fc.tuple(small, fc.boolean()).map((of) => batched(...of)),
);

const summed = step('scan', (p) =>
  p.pipeThrough(
    scan((last: Item, item: Item) => ({ ...item, n: (last.n + item.n) % 97 }), { from: 0, id: 0, copy: 0, n: 0 }),
  ),
);
const indexed = step('index', (p) => p.pipeThrough(map((item, index) => ({ ...item, n: item.n + index }))));
const deduped = step('dedupe', (p) => p.pipeThrough(dedupe({ key: ({ n }) => n % 11, maxKeys: 4 })));
const changed = step('dedupeConsecutive', (p) => p.pipeThrough(dedupeConsecutive(({ n }) => n >> 2)));
const asyncIndexed = (concurrency: number): Step =>
  step(`mapAsync ${concurrency}`, (p) =>
    p.pipeThrough(
      mapAsync(
        async (item: Item, { index, attempt }) => {
          const { n, ...same } = await flaky(item, attempt, false);
          return { ...same, n: n + index };
        },
        { concurrency, retry },
      ),
    ),
  );
const threes = step('sums of three', (p) =>
  p.pipeThrough(
    keeping<{ sum: number; items: number }, Item>(
      'threes',
      () => ({ sum: 0, items: 0 }),
      (window, item) => {
        window.sum += item.n;
        window.items++;
        if (window.items < 3) return [];
        const made = { ...item, n: window.sum };
        Object.assign(window, { sum: 0, items: 0 });
        return [made];
      },
    ),
  ),
);

/** Stages with a state, for items that come in their order. */
const stateful: fc.Arbitrary<Step> = fc.oneof(
  fc.constantFrom(summed, indexed, deduped, changed, threes),
  fc.nat(9).map((items) => step(`drop ${items}`, (p) => p.pipeThrough(drop(items)))),
  fc.nat(40).map((items) => step(`take ${items}`, (p) => p.pipeThrough(take(items)))),
  small.map(asyncIndexed),
);

interface Input {
  readonly items: number;
  readonly kind: string;
  readonly steps: readonly Step[];
}

interface Job {
  readonly inputs: readonly Input[];
  readonly steps: readonly Step[];
  /** The kind of each sink, and the stages before it alone. */
  readonly sinks: ReadonlyArray<readonly [string, readonly Step[]]>;
  /** How the items come to the sinks, where there are two. */
  readonly split: 'broadcast' | 'partition';
  readonly everyItems: number;
  /** How many turns of the microtask queue it takes until something is durable. */
  readonly turns: { readonly save: number; readonly letter: number; readonly write: number };
  readonly options: RunOptions;
}

function sourceOf({ items, kind }: Input, from: number): Pipeline<Item> {
  if (kind === 'loop') return range(0, items).pipeThrough(map((id) => ({ from, id, copy: 0, n: id * 7 })));
  return source<Item>({
    name: 'items',
    open() {
      let next = 0;
      const give = (max: number): Item[] | undefined => {
        const count = Math.min(max, items - next, 3);
        return count === 0
          ? undefined
          : Array.from({ length: count }, () => ({ from, id: next, copy: 0, n: next++ * 7 }));
      };
      return {
        read: (max) => (kind === 'later' ? Promise.resolve().then(() => give(max)) : give(max)),
        close() {},
        position: () => next,
        resume(position) {
          next = position as number;
        },
      };
    },
  });
}

const isEven = ({ id }: Item): boolean => id % 2 === 0;

function deliveriesOf({ inputs, steps, sinks, split }: Job, process: Process): Delivery[] {
  const add = (items: Pipeline<Item>, added: readonly Step[]): Pipeline<Item> =>
    added.reduce((p, each) => each.add(p, process), items);
  const made = inputs.map((input, from) => add(sourceOf(input, from), input.steps));
  const joined = add(made.length === 1 ? (made[0] as Pipeline<Item>) : merge(...made), steps);
  const copies = sinks.length === 1 ? [joined] : split === 'broadcast' ? joined.broadcast(2) : joined.partition(isEven);
  return sinks.map(([kind, own], at) => {
    const branch = add(copies[at] as Pipeline<Item>, own);
    return kind === 'sink' ? branch.into(process.sink(`sink ${at}`)) : branch.into(process.early(`sink ${at}`));
  });
}

/** A clock on which the time to wait before another try is over soon, and no other. */
const clock: Clock = {
  now: () => 0,
  setTimer(callback, delayMs) {
    let isCleared = delayMs > 0;
    queueMicrotask(() => isCleared || callback());
    return {
      clear() {
        isCleared = true;
      },
    };
  },
};

/** Runs the job once; whether it ended, and was not killed. */
async function runOnce(job: Job, world: World, killAt: number): Promise<boolean> {
  const process = new Process(world, job);
  const { checkpoint } = process;
  const deliveries = deliveriesOf(job, process);
  const run = runAll(...deliveries, { ...job.options, checkpoint, clock, closeGraceMs: 0, observer: { warned() {} } });
  const killed = new Error('killed');
  world.begin(killAt, () => run.abort(killed));
  try {
    const summary = await run.finished;
    expect(summary.balanced).toBe(true);
    return true;
  } catch (error) {
    if (error !== killed) throw error;
    return false;
  }
}

/** Which items of a source were behind the checkpoint: from this one on. */
function positionsOf({ inputs }: Job, checkpoint: Checkpoint | undefined): number[] {
  const seen = new Map<string, number>();
  return inputs.map(({ kind }) => {
    const name = kind === 'loop' ? 'range' : 'items';
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return (checkpoint?.positions[times === 1 ? name : `${name} ${times}`] as number | undefined) ?? 0;
  });
}

/** Runs the job with kills at these steps, and checks what it has delivered when it ended. */
async function checkKilled(job: Job, expected: World, kills: readonly number[]): Promise<void> {
  const world = new World();
  const behind: number[][] = [];
  for (const killAt of kills) {
    if (await runOnce(job, world, killAt)) break;
    behind.push(positionsOf(job, world.checkpoint));
  }
  await runOnce(job, world, Number.POSITIVE_INFINITY);
  const values = (all: World): object =>
    Object.fromEntries(
      [...all.delivered].map(
        ([
          key,
          {
            values: [n],
          },
        ]) => [key, n],
      ),
    );
  expect(values(world)).toEqual(values(expected));
  for (const [key, { item, values: times }] of world.delivered) {
    const again = behind.filter((positions) => item.id >= (positions[item.from] as number)).length;
    expect([key, times.length <= 1 + again, new Set(times).size]).toEqual([key, true, 1]);
  }
}

async function unkilled(job: Job): Promise<World> {
  const world = new World();
  expect(await runOnce(job, world, Number.POSITIVE_INFINITY)).toBe(true);
  return world;
}

const ways: readonly RunOptions[] = [
  {},
  { fuse: false },
  { generate: false },
  { context: true },
  { maxBytesInFlight: 20, sizeOf: () => 1 },
];
const seed = Number(process.env['MILLRACE_SEED'] ?? 20261122);

const turns = fc.constantFrom(1, 5, 40);

const jobs: fc.Arbitrary<Job> = fc.record({
  inputs: fc.array(
    fc.record({
      items: fc.nat(50),
      kind: fc.constantFrom('loop', 'now', 'later'),
      steps: fc.array(fc.oneof(stateful, stateless), { maxLength: 3 }).map(ordered),
    }),
    { minLength: 1, maxLength: 2 },
  ),
  steps: fc.array(stateless, { maxLength: 2 }),
  sinks: fc.array(fc.tuple(fc.constantFrom('sink', 'function'), fc.array(stateless, { maxLength: 1 })), {
    minLength: 1,
    maxLength: 2,
  }),
  split: fc.constantFrom('broadcast', 'partition'),
  everyItems: fc.integer({ min: 1, max: 7 }),
  turns: fc.record({ save: turns, letter: turns, write: turns }),
  options: fc.constantFrom(...ways),
});

/** Leaves out what would change the order of the items before a stage with a state. */
function ordered(steps: readonly Step[]): readonly Step[] {
  return steps.filter(({ text }) => !text.includes('false to letters'));
}

describe('a run that goes on from its last checkpoint', () => {
  test('a job that is killed at random steps loses nothing, and doubles only what was behind its checkpoint', async () => {
    await fc.assert(
      fc.asyncProperty(
        jobs,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 3 }),
        async (job, kills) => {
          const expected = await unkilled(job);
          await checkKilled(
            job,
            expected,
            kills.map((at) => 1 + Math.floor(at * expected.steps)),
          );
        },
      ),
      { seed, numRuns: 200 },
    );
  });

  test('a job that is killed at any one of its steps loses nothing, and doubles only what was behind its checkpoint', async () => {
    const turns = { save: 20, letter: 40, write: 5 };
    const all = { turns, split: 'broadcast', everyItems: 4, options: {} } as const;
    const byHand: readonly Job[] = [
      {
        ...all,
        inputs: [{ items: 40, kind: 'later', steps: [threes, asyncIndexed(3), batched(3, true)] }],
        steps: [],
        sinks: [['sink', []]],
      },
      {
        ...all,
        inputs: [{ items: 40, kind: 'loop', steps: [deduped, asyncToLetters(1, true)] }],
        steps: [],
        sinks: [['function', []]],
      },
      {
        ...all,
        options: { generate: false },
        inputs: [
          { items: 20, kind: 'loop', steps: [summed, mapToLetters] },
          { items: 20, kind: 'now', steps: [threes, indexed] },
        ],
        steps: [asyncToLetters(3, false), unfolded],
        sinks: [
          ['function', [batched(2, false)]],
          ['sink', [mapOrElse]],
        ],
      },
    ];
    for (const job of byHand) {
      const expected = await unkilled(job);
      for (let at = 1; at <= expected.steps; at++) await checkKilled(job, expected, [at]);
    }
  });
});
