import {
  batch,
  type DeadLetter,
  deadLetter,
  dedupeConsecutive,
  type ErrorPolicy,
  fallback,
  filter,
  filterMap,
  flatMap,
  from,
  map,
  mapAsync,
  type RunOptions,
  range,
  type Stage,
  scan,
  tap,
} from '@millrace/core';
import { virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';

const WAYS: readonly RunOptions[] = [{}, { fuse: false }, { generate: false }, { context: true }];

const no = (n: number): never => {
  throw new Error(`not ${n}`);
};

type Make = (onError: ErrorPolicy<number, never>) => Stage<number, unknown>;

/** A stage of each kind that fails on 2 and 5 of 0 … 7, what is left with these skipped, and with a fallback. */
const KINDS: ReadonlyArray<{ name: string; make: Make; skipped: unknown[]; instead: unknown; fallen: unknown[] }> = [
  {
    name: 'map',
    make: (onError) => map((n: number) => (n % 3 === 2 ? no(n) : n * 10), { onError }),
    skipped: [0, 10, 30, 40, 60, 70],
    instead: -1,
    fallen: [0, 10, -1, 30, 40, -1, 60, 70],
  },
  {
    name: 'tap',
    make: (onError) => tap((n: number) => (n % 3 === 2 ? no(n) : undefined), { onError }),
    skipped: [0, 1, 3, 4, 6, 7],
    instead: undefined,
    fallen: [0, 1, 2, 3, 4, 5, 6, 7],
  },
  {
    name: 'filter',
    make: (onError) => filter((n: number) => (n % 3 === 2 ? no(n) : n > 0), { onError }),
    skipped: [1, 3, 4, 6, 7],
    instead: true,
    fallen: [1, 2, 3, 4, 5, 6, 7],
  },
  {
    name: 'filterMap',
    make: (onError) => filterMap((n: number) => (n % 3 === 2 ? no(n) : n > 0 ? n * 10 : undefined), { onError }),
    skipped: [10, 30, 40, 60, 70],
    instead: -1,
    fallen: [10, -1, 30, 40, -1, 60, 70],
  },
  {
    name: 'scan',
    make: (onError) => scan((sum: number, n: number) => (n % 3 === 2 ? no(n) : sum + n), 0, { onError }),
    skipped: [0, 1, 4, 8, 14, 21],
    instead: 100,
    fallen: [0, 1, 100, 103, 107, 100, 106, 113],
  },
  {
    name: 'flatMap',
    make: (onError) => flatMap((n: number) => (n % 3 === 2 ? no(n) : [n, n]), { onError }),
    skipped: [0, 0, 1, 1, 3, 3, 4, 4, 6, 6, 7, 7],
    instead: [-1],
    fallen: [0, 0, 1, 1, -1, 3, 3, 4, 4, -1, 6, 6, 7, 7],
  },
  {
    name: 'dedupeConsecutive',
    make: (onError) => dedupeConsecutive((n: number) => (n % 3 === 2 ? no(n) : n), { onError }),
    skipped: [0, 1, 3, 4, 6, 7],
    instead: 1,
    fallen: [0, 1, 3, 4, 5, 6, 7],
  },
  {
    name: 'batch',
    make: (onError) => batch({ maxBytes: 2, sizeOf: (n: number) => (n % 3 === 2 ? no(n) : 1), onError }),
    skipped: [
      [0, 1],
      [3, 4],
      [6, 7],
    ],
    instead: 2,
    fallen: [[0, 1], [2], [3, 4], [5], [6, 7]],
  },
  {
    name: 'timed batch',
    make: (onError) =>
      batch({
        name: 'timed batch',
        maxBytes: 2,
        maxWaitMs: 60_000,
        sizeOf: (n: number) => (n % 3 === 2 ? no(n) : 1),
        onError,
      }),
    skipped: [
      [0, 1],
      [3, 4],
      [6, 7],
    ],
    instead: 2,
    fallen: [[0, 1], [2], [3, 4], [5], [6, 7]],
  },
];

async function* later(): AsyncGenerator<number> {
  for (let n = 0; n < 8; n++) yield n;
}

const SOURCES = { range: () => range(0, 8), array: () => from([0, 1, 2, 3, 4, 5, 6, 7]), async: () => from(later) };

for (const { name, make, skipped, instead, fallen } of KINDS) {
  for (const [source, open] of Object.entries(SOURCES)) {
    for (const way of WAYS) {
      const label = `${source} ${JSON.stringify(way)}`;

      test(`${name}() with onError "skip" leaves items out, counted as dropped: ${label}`, async () => {
        const seen: unknown[] = [];
        const run = open()
          .pipeThrough(make('skip'))
          .run((item) => void seen.push(item), way);
        const summary = await run.finished;
        expect(seen).toEqual(skipped);
        expect(summary).toMatchObject({ read: 8, dropped: 2, abandoned: 0, balanced: true });
        expect(run.inFlight).toBe(0);
        expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
      });

      test(`${name}() with deadLetter() writes letters, and goes on behind each: ${label}`, async () => {
        const letters: DeadLetter<number>[] = [];
        const writable = new WritableStream<DeadLetter<number>>({ write: (letter) => void letters.push(letter) });
        const seen: unknown[] = [];
        const run = open()
          .pipeThrough(map((n) => n, { name: 'before' }))
          .pipeThrough(make(deadLetter(writable)))
          .pipeThrough(map((item) => item, { name: 'behind' }))
          .run((item) => void seen.push(item), way);
        expect(await run.finished).toMatchObject({ read: 8, deadLettered: 2, abandoned: 0, balanced: true });
        expect(seen).toEqual(skipped);
        const told = letters.map(({ stage, index, item, attempts, error }) => [stage, index, item, attempts, error]);
        expect(told).toEqual([2, 5].map((n) => [name, n, n, 1, new Error(`not ${n}`)]));
        expect(run.inFlight).toBe(0);
        expect(writable.locked).toBe(false);
      });

      test(`${name}() with fallback() gives another value: ${label}`, async () => {
        const told: unknown[] = [];
        const policy = fallback((error: unknown, item: number, context) => {
          told.push([(error as Error).message, item, context]);
          return instead as never;
        });
        expect(await open().pipeThrough(make(policy)).toArray(way)).toEqual(fallen);
        expect(told).toEqual([2, 5].map((n) => [`not ${n}`, n, { stage: name, index: n, attempts: 1 }]));
      });
    }
  }
}

for (const way of WAYS) {
  const label = JSON.stringify(way);

  test(`map() fails with what fallback() throws, and the first error beside it: ${label}`, async () => {
    const policy = fallback(() => no(99));
    const failing = range(0, 8).pipeThrough(map((n) => (n === 4 ? no(n) : n), { onError: policy }));
    const error = await failing.toArray(way).catch((reason) => reason);
    expect(error).toMatchObject({ stage: 'map', index: 4, cause: new Error('not 99'), others: [new Error('not 4')] });
  });

  test(`map() with deadLetter() does not take another item while the letter is written: ${label}`, async () => {
    const { settle } = virtualClock();
    const gates: Array<() => void> = [];
    const writable = new WritableStream<DeadLetter<number>>({
      write: () => new Promise<void>((resolve) => void gates.push(resolve)),
    });
    const called: number[] = [];
    const fn = (n: number): number => {
      called.push(n);
      return n % 2 === 1 ? no(n) : n;
    };
    const seen: number[] = [];
    const run = range(0, 5)
      .pipeThrough(map(fn, { onError: deadLetter(writable) }))
      .run((n) => void seen.push(n), way);
    await settle();
    expect([called, seen]).toEqual([[0, 1], [0]]);
    // What one loop hands to the next waits there.
    if (way.fuse !== false) expect(run.inFlight).toBe(1);
    gates.shift()?.();
    await settle();
    expect([called, seen]).toEqual([
      [0, 1, 2, 3],
      [0, 2],
    ]);
    run.abort(new Error('enough'));
    gates.shift()?.();
    await run.finished.catch(() => {});
    expect(run.inFlight).toBe(0);
    const { abandoned, deadLettered } = run.counts().find(({ name }) => name === 'map') ?? {};
    expect([deadLettered, (abandoned ?? 0) > 0]).toEqual([1, true]);
    expect(writable.locked).toBe(false);
  });

  test(`map() fails when its letter cannot be written, with the first error beside it: ${label}`, async () => {
    const full = new Error('the disk is full');
    const writable = new WritableStream<DeadLetter<number>>({ write: () => Promise.reject(full) });
    const run = range(0, 5)
      .pipeThrough(map((n) => (n === 2 ? no(n) : n), { onError: deadLetter(writable) }))
      .run(() => {}, way);
    const error = await run.finished.catch((reason) => reason);
    expect(error).toMatchObject({ stage: 'map', index: 2, cause: full, others: [new Error('not 2')] });
    expect(run.inFlight).toBe(0);
    const locked = new WritableStream<DeadLetter<number>>();
    locked.getWriter();
    const failing = range(0, 5).pipeThrough(map((n) => (n === 2 ? no(n) : n), { onError: deadLetter(locked) }));
    await expect(failing.toArray(way)).rejects.toMatchObject({ stage: 'map', index: 2 });
  });

  test(`map() with deadLetter() stands before and behind a stage that waits: ${label}`, async () => {
    const letters: number[] = [];
    const office = deadLetter(
      new WritableStream<DeadLetter<number>>({ write: async ({ item }) => void letters.push(item) }),
    );
    const seen: number[] = [];
    const run = range(0, 12)
      .pipeThrough(map((n) => (n % 4 === 1 ? no(n) : n), { onError: office }))
      .pipeThrough(mapAsync(async (n) => n))
      .pipeThrough(map((n) => (n % 4 === 3 ? no(n) : n), { onError: office }))
      .pipeThrough(filter((n) => (n === 4 ? no(n) : true), { onError: 'skip' }))
      .run(async (n) => {
        await undefined;
        seen.push(n);
      }, way);
    expect(await run.finished).toMatchObject({ deadLettered: 6, dropped: 1, emitted: 5, balanced: true });
    expect(seen).toEqual([0, 2, 6, 8, 10]);
    expect(letters.sort((a, b) => a - b)).toEqual([1, 3, 5, 7, 9, 11]);
    expect(run.inFlight).toBe(0);
  });

  test(`map() with a policy tells its neighbours' functions the right indexes: ${label}`, async () => {
    const indexes: number[] = [];
    await from(['a', 'b', 'c', 'd'])
      .pipeThrough(map((text, index) => (index === 1 ? no(index) : text), { onError: 'skip' }))
      .pipeThrough(tap((_, index) => void indexes.push(index)))
      .toArray(way);
    expect(indexes).toEqual([0, 1, 2]);
  });
}

test('a native pair of a step with a policy deals with its items too', async () => {
  const stage = map((n: number) => (n === 2 ? no(n) : n), { onError: 'skip' });
  const stream = new ReadableStream<number>({
    start(controller) {
      for (const n of [1, 2, 3]) controller.enqueue(n);
      controller.close();
    },
  });
  expect(await from(stream.pipeThrough(stage)).toArray()).toEqual([1, 3]);
});

test('steps refuse wrong policies by name, and take none where no function is called', () => {
  const code = expect.objectContaining({ code: 'ERR_CORE_ARGUMENT' });
  expect(() => map((n: number) => n, { onError: 'ignore' as never })).toThrow(code);
  expect(() => dedupeConsecutive(undefined, { onError: 'skip' })).toThrow(code);
  expect(() => batch({ maxItems: 2, onError: 'skip' })).toThrow(code);
});

test('batch() by bytes and time that is closed while a letter is written counts its item as abandoned', async () => {
  const clock = virtualClock();
  const gates: Array<() => void> = [];
  const writable = new WritableStream<DeadLetter<number>>({
    write: () => new Promise<void>((resolve) => void gates.push(resolve)),
  });
  const sizeOf = (n: number): number => (n === 2 ? no(n) : 1);
  const run = range(0, 5)
    .pipeThrough(batch({ maxBytes: 9, maxWaitMs: 9, sizeOf, onError: deadLetter(writable) }))
    .run(() => {}, { clock });
  await clock.settle();
  expect(gates).toHaveLength(1);
  run.abort(new Error('enough'));
  gates.shift()?.();
  await run.finished.catch(() => {});
  expect(run.inFlight).toBe(0);
  expect(run.counts()[1]).toMatchObject({ in: 3, out: 0, abandoned: 3, deadLettered: 0, held: 0 });
  expect(writable.locked).toBe(false);
});

test('batch() by bytes and time fails with what fallback() throws, and the first error beside it', async () => {
  const stage = batch({ maxBytes: 2, maxWaitMs: 9, sizeOf: no, onError: fallback(() => no(99)) });
  const error = await range(0, 8)
    .pipeThrough(stage)
    .count()
    .catch((reason) => reason);
  expect(error).toMatchObject({ stage: 'batch', index: 0, cause: new Error('not 99'), others: [new Error('not 0')] });
});
