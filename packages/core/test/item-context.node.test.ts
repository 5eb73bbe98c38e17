import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  batch,
  batchWhileBusy,
  buffer,
  bufferUnordered,
  type Channel,
  type Checkpoint,
  type Checkpointer,
  cached,
  channel,
  concat,
  conflate,
  type DeadLetter,
  deadLetter,
  debounce,
  delay,
  fallback,
  filter,
  flatMap,
  from,
  type ItemContext,
  interleave,
  map,
  mapAsync,
  merge,
  mergeSorted,
  type Pipeline,
  partitionBy,
  rateLimit,
  runAll,
  type Stage,
  StageError,
  sample,
  scan,
  tap,
  throttle,
  window,
  zip,
} from '@millrace/core';
import { Later, operator, source } from '@millrace/core/authoring';
import { fileLines } from '@millrace/core/file';
import { virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';

// In a run with `context: true` each function of the user sees the context in which its item was given.

const storage = new AsyncLocalStorage<string>();
const here = (): string => storage.getStore() ?? 'none';

/** Sends items, each in the context of its own name. */
async function sendAll({ sender }: Channel<string>, items: readonly string[]): Promise<void> {
  for (const item of items) await storage.run(`of ${item}`, () => sender.send(item));
  sender.close();
}

/** Notes the context that an item is seen in. */
type Saw = <T>(item: T) => T;

const LETTERS = ['a', 'b', 'c', 'd', 'e'];

/** Runs items sent in their contexts through a pipeline, and gives what its functions `saw` of each. */
async function seenBy(
  through: (received: Pipeline<string>, saw: Saw) => Pipeline<unknown>,
  options: { readonly generate?: boolean; readonly fuse?: boolean } = {},
): Promise<string[]> {
  const sent = channel<string>(2);
  const seen: string[] = [];
  const saw: Saw = (item) => {
    seen.push(`${String(item)} ${here()}`);
    return item;
  };
  const run = storage.run('the run', () =>
    through(sent.receiver, saw).run((item) => void saw(item), { context: true, ...options }),
  );
  await sendAll(sent, LETTERS);
  const { balanced } = await run.finished;
  expect(balanced).toBe(true);
  return seen;
}

const own = LETTERS.flatMap((letter) => [`${letter} of ${letter}`, `${letter} of ${letter}`]);

/** Stages that look at each item once, and hand it on. */
const looking: Record<string, (saw: Saw) => Stage<string, string>> = {
  map: (saw) => map((item) => saw(item)),
  filter: (saw) => filter((item) => saw(item) !== ''),
  scan: (saw) => scan((_last, item) => saw(item), ''),
  tap: (saw) => tap(saw),
  flatMap: (saw) => flatMap((item) => [saw(item)]),
  'mapAsync, in order': (saw) => mapAsync(async (item) => saw(await item), { concurrency: 3 }),
  'mapAsync, one at a time': (saw) => mapAsync(async (item) => saw(await item)),
  'mapAsync, unordered': (saw) => mapAsync(async (item) => saw(item), { concurrency: 3, ordered: false }),
  'mapAsync, with a time limit': (saw) => mapAsync(async (item) => saw(item), { timeoutMs: 60_000 }),
  'mapAsync, by key': (saw) => mapAsync(async (item) => item, { concurrency: 2, keyBy: (item) => saw(item) }),
  'mapAsync, plain values': (saw) => mapAsync((item) => saw(item), { concurrency: 3 }),
  cached: (saw) => cached(async (item) => saw(await item)),
  'cached, into': (saw) => cached(async () => 1, { key: () => 1, into: (item) => saw(item) }),
  'buffer by size': (saw) => buffer(2, { size: (item) => saw(item).length }),
  'an edge by size': (saw) =>
    mapAsync(async (item: string) => item, { highWaterMark: 2, size: (item) => saw(item).length }),
  'a retry': (saw) =>
    mapAsync(
      async (item, { attempt }) => {
        if (attempt === 1) throw new Error('busy');
        return saw(item);
      },
      { retry: { attempts: 2, backoffMs: 0 } },
    ),
  'a fallback': (saw) =>
    mapAsync(
      async () => {
        throw new Error('no');
      },
      { onError: fallback((_error, item: string) => saw(item)) },
    ),
  'the fallback of a step': (saw) =>
    map(
      (): string => {
        throw new Error('no');
      },
      { onError: fallback((_error, item: string) => saw(item)) },
    ),
  'the cost of a rate limit': (saw) =>
    rateLimit({ limit: 1_000_000, intervalMs: 1 }, { cost: (item: string) => saw(item).length }),
  when: (saw) =>
    mapAsync(
      async (item, { attempt }) => {
        if (attempt === 1) throw new Error(item);
        return item;
      },
      { retry: { attempts: 2, backoffMs: 0, when: (error) => saw((error as Error).message) !== '' } },
    ),
};

for (const name of Object.keys(looking)) {
  test.each([{}, { generate: false }, { fuse: false }])(
    `context: true gives a function the context of its item, ${name}, with %o`,
    async (options) => {
      const stage = looking[name] as (typeof looking)[string];
      const seen = await seenBy((received, saw) => received.pipeThrough(stage(saw)), options);
      expect(seen.sort()).toEqual(own);
    },
  );
}

test('context: true goes through a long chain of all kinds of stages', async () => {
  const seen = await seenBy((received, saw) => {
    let pipeline = received;
    for (const make of Object.values(looking)) pipeline = pipeline.pipeThrough(make(saw)).pipeThrough(buffer(2));
    return pipeline;
  });
  expect(seen.length).toBeGreaterThan(LETTERS.length * Object.keys(looking).length);
  expect(seen.filter((each) => each[0] !== each.at(-1))).toEqual([]);
});

test('context: true gives tasks the context of the item that they are', async () => {
  const seen = await seenBy((received, saw) =>
    received.pipeThrough(map((item) => async () => saw(await item))).pipeThrough(bufferUnordered(2)),
  );
  expect(seen.sort()).toEqual(own);
});

test('context: true gives a batch the context of its last item', async () => {
  const seen = await seenBy((received) => received.pipeThrough(batch({ maxItems: 2 })));
  expect(seen).toEqual(['a,b of b', 'c,d of d', 'e of e']);
});

test('context: true gives a batch that closes by time the context of its last item', async () => {
  const seen = await seenBy((received) => received.pipeThrough(batch({ maxItems: 2, maxWaitMs: 60_000 })));
  expect(seen).toEqual(['a,b of b', 'c,d of d', 'e of e']);
});

test('context: true gives a window the context of the item that came last, and its functions that of each', async () => {
  const clock = { timeMs: (item: string) => item.charCodeAt(0) - 97, sizeMs: 2 };
  const held = await seenBy((received, saw) =>
    received.pipeThrough(window({ ...clock, keyBy: (item) => saw(item) && 0 })).pipeThrough(map(({ items }) => items)),
  );
  const each = LETTERS.map((letter) => `${letter} of ${letter}`);
  expect(held.sort()).toEqual([...each, 'a,b of b', 'c,d of d', 'e of e'].sort());
  const folded = await seenBy((received, saw) =>
    received
      .pipeThrough(
        window({
          ...clock,
          seed: () => saw('seed').slice(4),
          fold: (all: string, item) => all + saw(item),
        }),
      )
      .pipeThrough(map(({ value }) => value)),
  );
  const seeds = ['seed of a', 'seed of c', 'seed of e'];
  expect(folded.sort()).toEqual([...each, ...seeds, 'ab of b', 'cd of d', 'e of e'].sort());
});

test('context: true leaves a window that was saved in the context of the run that goes on with it', async () => {
  const numbers = source<number>({
    name: 'numbers',
    open(context) {
      const at = { next: 0 };
      const carried = (n: number): number => context.carry(n, { enter: (call) => storage.run(`of ${n}`, call) });
      return {
        read: () => (at.next < 6 ? [carried(at.next++)] : undefined),
        close() {},
        position: () => at.next,
        resume(position) {
          at.next = position as number;
        },
      };
    },
  });
  const windows = numbers
    .pipeThrough(window({ sizeMs: 4, timeMs: (n) => n }))
    .pipeThrough(map(({ items }) => `${items.join()} ${here()}`));
  const ran = async (from?: Checkpoint): Promise<{ all: Checkpoint[]; seen: string[] }> => {
    const all: Checkpoint[] = [];
    const seen: string[] = [];
    const checkpoint: Checkpointer = { everyItems: 1, load: () => from, save: (next) => void all.push(next) };
    await storage.run('the run', () => windows.run((each) => void seen.push(each), { context: true, checkpoint }))
      .finished;
    return { all, seen };
  };
  const { all, seen } = await ran();
  expect(seen).toEqual(['0,1,2,3 of 3', '4,5 of 5']);
  // The last but one is behind 5, whose window is open.
  expect(all).toHaveLength(7);
  expect((await ran(all[4])).seen).toEqual(['4,5 of 5']);
  expect((await ran(all[5])).seen).toEqual(['4,5 the run']);
});

test('context: true gives what an item is unfolded into the context of that item', async () => {
  const seen = await seenBy((received) =>
    received.pipeThrough(flatMap((item) => [1, 2, 3].map((n) => `${item}${n}`))).pipeThrough(buffer(1)),
  );
  expect(seen).toEqual(LETTERS.flatMap((letter) => [1, 2, 3].map((n) => `${letter}${n} of ${letter}`)));
});

test('context: true gives what a stage folds while its consumer is busy the context of the last item', async () => {
  const seen = await seenBy((received, saw) =>
    received.pipeThrough(conflate((_folded, item) => saw(item), { seed: (item) => saw(item) })),
  );
  expect(seen.filter((each) => each[0] !== each.at(-1))).toEqual([]);
  expect(seen).toContain('e of e');
});

test('context: true gives a batch that grows while its consumer is busy the context of its last item', async () => {
  const seen = await seenBy((received) => received.pipeThrough(batchWhileBusy({ maxItems: 3 })));
  expect(seen.map((each) => each.split(' of ').map((part) => part.at(-1)))).toEqual(
    seen.map((each) => [each.at(-1), each.at(-1)]),
  );
});

const timed: Record<string, Stage<string, string>> = {
  delay: delay({ delayMs: 5 }),
  debounce: debounce({ waitMs: 5 }),
  throttle: throttle({ intervalMs: 5 }),
  sample: sample({ intervalMs: 5 }),
};

test.each(Object.keys(timed))('context: true goes through %s()', async (name) => {
  const clock = virtualClock();
  const sent = channel<string>(1);
  const seen: string[] = [];
  const run = sent.receiver
    .pipeThrough(timed[name] as Stage<string, string>)
    .run((item) => void seen.push(`${item} ${here()}`), { context: true, clock });
  await storage.run('of a', () => sent.sender.send('a'));
  await clock.advance(20);
  sent.sender.close();
  await clock.advance(20);
  await run.finished;
  expect(seen).toEqual(['a of a']);
});

const joined: Record<string, (a: Pipeline<string>, b: Pipeline<string>, saw: Saw) => Pipeline<unknown>> = {
  zip: (a, b) => zip(a, b),
  concat: (a, b) => concat(a, b),
  interleave: (a, b) => interleave(a, b),
  mergeSorted: (a, b, saw) => mergeSorted(a, b, { by: (item: string) => saw(item) }),
};

test.each(Object.keys(joined))('context: true goes through %s()', async (name) => {
  const [left, right] = [channel<string>(3), channel<string>(3)];
  const seen: string[] = [];
  const saw: Saw = (item) => {
    seen.push(`${String(item)} ${here()}`);
    return item;
  };
  const join = joined[name] as (typeof joined)[string];
  const run = join(left.receiver, right.receiver, saw).run((item) => void saw(item), { context: true });
  await sendAll(left, ['a', 'c']);
  await sendAll(right, ['b', 'd']);
  await run.finished;
  expect(seen.map((each) => each.split(' of ').map((part) => part.at(-1)))).toEqual(
    seen.map((each) => [each.at(-1), each.at(-1)]),
  );
  expect(seen.length).toBeGreaterThan(1);
});

test('context: true goes through branches and their merge', async () => {
  const seen = await seenBy((received) => {
    const [left, right] = received.broadcast(2);
    return merge(left.pipeThrough(mapAsync(async (item) => item)), right);
  });
  expect(seen.sort()).toEqual(own);
});

test('context: true goes through splits, whose functions see it too', async () => {
  const seen = await seenBy((received, saw) => {
    const [first, rest] = received.partition((item) => saw(item) < 'c');
    return merge(first, rest);
  });
  expect(seen.sort()).toEqual(own);
});

test.each([
  ['loops', map((item: string) => item)],
  ['nodes', mapAsync(async (item: string) => item, { concurrency: 2 })],
])('context: true goes through the sub-pipelines of partitionBy(), as %s, whose key sees it too', async (_, stage) => {
  const seen = await seenBy((received, saw) =>
    received.pipeThrough(
      partitionBy(
        (item: string) => saw(item) < 'c',
        { maxKeys: 2 },
        (branch) => branch.pipeThrough(stage).pipeThrough(map((item) => saw(item))),
      ),
    ),
  );
  // The key, the function of the key, and the sink.
  expect(seen.sort()).toEqual(LETTERS.flatMap((letter) => Array.from({ length: 3 }, () => `${letter} of ${letter}`)));
});

test('context: true shows the key of a sub-pipeline, and what is in it, the context of the item', async () => {
  const seen = await seenBy((received, saw) =>
    received.pipeThrough(
      partitionBy(
        (item) => saw(item) > 'b',
        { maxKeys: 2 },
        (branch) => branch.pipeThrough(map((item) => item)),
      ),
    ),
  );
  expect(seen.sort()).toEqual(own);
});

test('context: true reaches the sinks of several branches', async () => {
  const sent = channel<string>(2);
  const seen: string[] = [];
  const see = (item: string): void => void seen.push(`${item} ${here()}`);
  const [left, right] = sent.receiver.broadcast(2);
  const run = runAll(left.into(see), right.into(new WritableStream({ write: see })), { context: true });
  await sendAll(sent, LETTERS);
  await run.finished;
  expect(seen.sort()).toEqual(own);
});

test('context: true hands readers the items themselves', async () => {
  const sent = channel<string>(2);
  const read = async (items: AsyncIterable<string>): Promise<string[]> => {
    const all: string[] = [];
    for await (const item of items) all.push(item);
    return all;
  };
  const reading = read(sent.receiver.pipeThrough(buffer(2)).values({ context: true }));
  await sendAll(sent, LETTERS);
  expect(await reading).toEqual(LETTERS);
});

test('context: true shows a sink that takes bursts the context of the last item of a burst', async () => {
  const numbers = source<number>({
    name: 'numbers',
    open(context) {
      const items = [1, 2, 3].map((n) => context.carry(n, { enter: (call) => storage.run(`of ${n}`, call) }));
      return { read: (max) => (items.length > 0 ? items.splice(0, max) : undefined), close() {} };
    },
  });
  const seen: unknown[] = [];
  const sink = {
    maxBurst: 3,
    open: () => ({ write: (items: readonly number[]) => void seen.push([...items], here()) }),
  };
  await numbers.run(sink, { context: true }).finished;
  expect(seen).toEqual([[1, 2, 3], 'of 3']);
});

test('context: true leaves items of sources without contexts in that of the run', async () => {
  const seen: string[] = [];
  const run = storage.run('the run', () =>
    from([1, 2, 3])
      .pipeThrough(mapAsync(async (n) => n, { concurrency: 2 }))
      .pipeThrough(tap(() => void seen.push(here())))
      .toArray({ context: true }),
  );
  expect(await run).toEqual([1, 2, 3]);
  expect(seen).toEqual(['the run', 'the run', 'the run']);
});

test('context: true puts items behind a stage that answers in a context of its own into that of the run', async () => {
  const events = new EventTarget();
  /** Answers each pull from a handler of another context, and does not know of origins. */
  const elsewhere = operator<string, string>({
    name: 'elsewhere',
    open(upstream, { counts }) {
      const later = new Later<string>();
      return {
        pull(max) {
          later.owe();
          Promise.resolve(upstream.pull(max)).then((answer) => {
            if (Array.isArray(answer)) counts.out = counts.in += answer.length;
            events.addEventListener('answer', () => later.give(answer), { once: true });
            storage.run('elsewhere', () => events.dispatchEvent(new Event('answer')));
          });
          return later;
        },
        close: (reason) => upstream.close(reason),
      };
    },
  });
  const warnings: string[] = [];
  const seen: string[] = [];
  const sent = channel<string>(1);
  const run = storage.run('the run', () =>
    sent.receiver
      .pipeThrough(elsewhere)
      .pipeThrough(tap(() => void seen.push(here())))
      .run(() => void seen.push(here()), {
        context: true,
        observer: { warned: (warning) => void warnings.push(warning) },
      }),
  );
  await sendAll(sent, ['a', 'b']);
  await run.finished;
  expect(seen).toEqual(['the run', 'the run', 'the run', 'the run']);
  expect(warnings).toEqual([
    '"elsewhere" does not hand on where its items come from: behind it functions see the context of the run',
  ]);
});

test('context: true of one run leaves another that shares its channel the items themselves', async () => {
  const sent = channel<string>(4);
  const got: string[] = [];
  const first = sent.receiver.run((item) => void got.push(item), { context: true });
  const second = sent.receiver.run((item) => void got.push(item));
  await sendAll(sent, LETTERS);
  await Promise.all([first.finished, second.finished]);
  expect(got.sort()).toEqual(LETTERS);
});

/** Numbers with the places they have in a log. */
function log(items: readonly number[]): Pipeline<number> {
  return source<number>({
    name: 'log',
    open(context) {
      const left = items.map((n, at) => context.carry(n, { offset: at * 10, trace: `trace ${n}` }));
      return { read: (max) => (left.length > 0 ? left.splice(0, max) : undefined), close() {} };
    },
  });
}

test('origin is told to functions, behind unordered stages and steps', async () => {
  const seen: unknown[] = [];
  await log([1, 2, 3])
    .pipeThrough(filter((n) => n !== 2))
    .pipeThrough(mapAsync(async (n) => n * 2, { concurrency: 3, ordered: false }))
    .pipeThrough(map((n) => n + 1))
    .pipeThrough(
      mapAsync(async (n: number, { index, origin }: ItemContext) => {
        seen.push([n, index, origin?.offset, origin?.trace]);
        return n;
      }),
    )
    .toArray({ context: true });
  expect(seen).toEqual([
    [3, 0, 0, 'trace 1'],
    [7, 1, 20, 'trace 3'],
  ]);
});

test('origin is not there in a run without `context: true`', async () => {
  const seen: unknown[] = [];
  const sum = log([1, 2]).pipeThrough(
    mapAsync((n, { origin }) => {
      seen.push(origin);
      return n;
    }),
  );
  expect(await sum.toArray()).toEqual([1, 2]);
  expect(seen).toEqual([undefined, undefined]);
});

const fail = (n: number): number => {
  if (n === 2) throw new Error('two');
  return n;
};

const failing: Record<string, Stage<number, number>> = {
  'a step': map(fail),
  'a step that unfolds': flatMap((n) => [fail(n)]),
  'a stage': mapAsync(async (n) => fail(n), { concurrency: 2 }),
  'a stage, unordered': mapAsync(async (n) => fail(n), { concurrency: 2, ordered: false }),
  'the size of an edge': mapAsync(async (n) => n, { highWaterMark: 4, size: fail }),
  'the size of a buffer': buffer(4, { size: fail }),
  'a stage with tries': mapAsync(async (n) => fail(n), { retry: { attempts: 2, backoffMs: 0 } }),
};

test.each(Object.keys(failing))('StageError says where the item comes from, %s', async (which) => {
  const stage = failing[which] as Stage<number, number>;
  const error = await log([1, 2, 3])
    .pipeThrough(stage)
    .toArray({ context: true })
    .catch((problem: unknown) => problem);
  expect(error).toBeInstanceOf(StageError);
  expect((error as StageError).origin).toMatchObject({ offset: 10, trace: 'trace 2' });
});

test('StageError of a sink says where the item comes from', async () => {
  const error = await log([1, 2, 3])
    .run((n) => void fail(n), { context: true })
    .finished.catch((problem: unknown) => problem);
  expect((error as StageError).origin).toMatchObject({ offset: 10 });
});

test.each([
  ['a step', (onError: ReturnType<typeof deadLetter<number>>) => map(fail, { onError })],
  ['a stage', (onError: ReturnType<typeof deadLetter<number>>) => mapAsync(async (n: number) => fail(n), { onError })],
])('DeadLetter of %s has the item, and where it comes from', async (_name, make) => {
  const letters: DeadLetter<number>[] = [];
  const stage = make(
    deadLetter(new WritableStream<DeadLetter<number>>({ write: (letter) => void letters.push(letter) })),
  );
  expect(await log([1, 2, 3]).pipeThrough(stage).toArray({ context: true })).toEqual([1, 3]);
  expect(letters).toMatchObject([{ item: 2, index: 1, origin: { offset: 10, trace: 'trace 2' } }]);
});

test('origin of a line is the byte where it begins', async () => {
  const path = join(await mkdtemp(join(tmpdir(), 'millrace-context-')), 'lines.txt');
  await writeFile(path, 'ä\r\nbc\n\nd');
  const seen: unknown[] = [];
  await fileLines(path)
    .pipeThrough(mapAsync((line, { origin }) => void seen.push([line, origin?.offset]), { concurrency: 2 }))
    .toArray({ context: true });
  expect(seen).toEqual([
    ['ä', 0],
    ['bc', 4],
    ['', 7],
    ['d', 8],
  ]);
});
