import {
  conflate,
  type DeadLetter,
  deadLetter,
  fallback,
  from,
  mergeSorted,
  type Pipeline,
  partitionBy,
  type Run,
  type RunOptions,
  range,
  rateLimit,
  type StageError,
} from '@millrace/core';
import { virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';
import { begun, folded, KINDS, type Kind, no, picky, RATE, WHOLE } from './operator-kinds.js';

// What stages that are no steps of a loop do with items on which a function of the user fails.

/** The name of the stage, of a test of one of its functions. */
const nameOf = (kind: string): string => kind.split(',')[0] as string;

async function* later(): AsyncGenerator<number> {
  for (let n = 0; n < 8; n++) yield n;
}

/** Every item that a stage took is somewhere (law 4). */
function expectSums(run: Run): void {
  for (const { name, in: taken, made, out, abandoned, held, ...others } of run.counts().slice(1)) {
    const { absorbed, filtered, deduped, dropped, deadLettered } = others;
    const ended = out + absorbed + filtered + deduped + dropped + deadLettered + abandoned + held;
    expect([name, ended]).toEqual([name, taken + made]);
  }
}

const SOURCES = { array: () => from(WHOLE), async: () => from(later) };
const WAYS: readonly RunOptions[] = [{}, { fuse: false }, { generate: false }, { context: true }];
const EACH = Object.keys(KINDS).flatMap((kind) =>
  Object.keys(SOURCES).flatMap((source) => WAYS.map((way) => ({ kind, source, way }))),
);

const kindOf = (kind: string): Kind => KINDS[kind] as Kind;
const openOf = (source: string): Pipeline<number> => SOURCES[source as keyof typeof SOURCES]();
const inOrder = ({ isUnordered }: Kind, items: readonly unknown[]): readonly unknown[] =>
  isUnordered === true ? [...items].sort() : items;

test.each(EACH)('$kind() with onError "skip" leaves items out, as dropped: $source $way', async (each) => {
  const kind = kindOf(each.kind);
  const clock = virtualClock();
  const seen: unknown[] = [];
  const run = kind.through(openOf(each.source), 'skip').run((item) => void seen.push(item), { ...each.way, clock });
  const summary = await clock.until(run.finished);
  expect(inOrder(kind, seen)).toEqual(inOrder(kind, kind.skipped));
  expect(summary).toMatchObject({ read: 8, dropped: 2, abandoned: 0, balanced: true });
  expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
  expect(run.inFlight).toBe(0);
});

test.each(EACH)('$kind() with deadLetter() goes on behind each letter: $source $way', async (each) => {
  const kind = kindOf(each.kind);
  const clock = virtualClock();
  const letters: DeadLetter<number>[] = [];
  const writable = new WritableStream<DeadLetter<number>>({ write: async (letter) => void letters.push(letter) });
  const seen: unknown[] = [];
  const run = kind
    .through(openOf(each.source), deadLetter(writable))
    .run((item) => void seen.push(item), { ...each.way, clock });
  const summary = await clock.until(run.finished);
  expect(inOrder(kind, seen)).toEqual(inOrder(kind, kind.skipped));
  expect(summary).toMatchObject({ read: 8, dropped: 0, deadLettered: 2, abandoned: 0, balanced: true });
  expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
  expect(run.inFlight).toBe(0);
  expect(writable.locked).toBe(false);
  const told = letters.map(({ stage, index, item, attempts, error }) => [stage, index, item, attempts, error]);
  expect(told).toEqual([2, 5].map((n) => [nameOf(each.kind), n, n, 1, new Error(`not ${n}`)]));
  const origins = letters.map((letter) => 'origin' in letter);
  expect(origins).toEqual([each.way.context === true, each.way.context === true]);
});

test.each(EACH.filter(({ kind }) => kindOf(kind).falling))(
  '$kind() with fallback() asks for another value: $source $way',
  async (each) => {
    const { instead, fallen, through } = kindOf(each.kind).falling as NonNullable<Kind['falling']>;
    const clock = virtualClock();
    const told: unknown[] = [];
    const failed: unknown[] = [];
    const policy = fallback((error: unknown, item: number, context) => {
      told.push([(error as Error).message, item, context]);
      return instead as never;
    });
    const seen: unknown[] = [];
    const run = through(openOf(each.source), policy).run((item) => void seen.push(item), {
      ...each.way,
      clock,
      observer: { failed: ({ stage, index }) => void failed.push([stage, index]) },
    });
    expect(await clock.until(run.finished)).toMatchObject({ read: 8, dropped: 0, abandoned: 0, balanced: true });
    expect(inOrder(kindOf(each.kind), seen)).toEqual(inOrder(kindOf(each.kind), fallen));
    const stage = nameOf(each.kind);
    expect(told).toEqual([2, 5].map((n) => [`not ${n}`, n, { stage, index: n, attempts: 1 }]));
    expect(failed).toEqual([2, 5].map((n) => [stage, n]));
  },
);

const BOTH = Object.keys(KINDS).flatMap((kind) => WAYS.map((way) => ({ kind, way })));

test.each(BOTH)('$kind() fails where its item is, with edges and origin: $way', async ({ kind, way }) => {
  const clock = virtualClock();
  const run = kindOf(kind)
    .through(from(WHOLE), 'fail')
    .run(() => {}, { ...way, clock });
  const error: StageError = await clock.until(run.finished).catch((reason) => reason);
  expect(error).toMatchObject({ stage: nameOf(kind), index: 2, attempt: 1, cause: new Error('not 2') });
  expect(error.edges.length).toBeGreaterThan(0);
  expect(error.origin !== undefined).toBe(way.context === true);
  expect(run.inFlight).toBe(0);
  expectSums(run);
});

test.each(BOTH)('$kind() takes nothing else while a letter is written, at an abort either: $way', async (each) => {
  const clock = virtualClock();
  const gates: Array<() => void> = [];
  const writable = new WritableStream<DeadLetter<number>>({
    write: () => new Promise<void>((resolve) => void gates.push(resolve)),
  });
  const run = kindOf(each.kind)
    .through(from(WHOLE), deadLetter(writable))
    .run(() => {}, { ...each.way, clock });
  run.finished.catch(() => {});
  await clock.advance(50);
  expect(gates).toHaveLength(1);
  gates.shift()?.();
  await clock.advance(50);
  expect(gates).toHaveLength(1);
  run.abort(new Error('enough'));
  gates.shift()?.();
  await clock.until(run.finished).catch(() => {});
  const counts = run.counts().find(({ name }) => name === nameOf(each.kind));
  expect(counts).toMatchObject({ deadLettered: 1, held: 0 });
  expect(counts?.abandoned).toBeGreaterThan(0);
  expectSums(run);
  expect(run.inFlight).toBe(0);
  expect(writable.locked).toBe(false);
});

test.each(BOTH)('$kind() finishes the letter that is being written at a drain: $way', async (each) => {
  const clock = virtualClock();
  const gates: Array<() => void> = [];
  const writable = new WritableStream<DeadLetter<number>>({
    write: () => new Promise<void>((resolve) => void gates.push(resolve)),
  });
  const run = kindOf(each.kind)
    .through(from(later), deadLetter(writable))
    .run(() => {}, { ...each.way, clock });
  await clock.advance(50);
  const drained = run.drain({ deadlineMs: 1_000 });
  for (let at = 0; at < 2; at++) {
    gates.shift()?.();
    await clock.advance(50);
  }
  const receipt = await clock.until(drained);
  const summary = await run.finished;
  expect(receipt.abandoned).toBe(0);
  expect(summary).toMatchObject({ abandoned: 0, balanced: true });
  expect(summary.deadLettered).toBeGreaterThan(0);
});

test.each(BOTH)('$kind() fails when a letter cannot be written, with the first error beside it: $way', async (each) => {
  const clock = virtualClock();
  const full = new Error('the disk is full');
  const writable = new WritableStream<DeadLetter<number>>({ write: () => Promise.reject(full) });
  const run = kindOf(each.kind)
    .through(from(WHOLE), deadLetter(writable))
    .run(() => {}, { ...each.way, clock });
  const error = await clock.until(run.finished).catch((reason) => reason);
  expect(error).toMatchObject({ stage: nameOf(each.kind), index: 2, cause: full, others: [new Error('not 2')] });
  expect(run.inFlight).toBe(0);
});

test.each(Object.keys(KINDS).filter((kind) => kindOf(kind).falling))(
  '%s() fails with what fallback() throws, and the first error beside it',
  async (kind) => {
    const clock = virtualClock();
    const { through } = kindOf(kind).falling as NonNullable<Kind['falling']>;
    const policy = fallback((): never => no(99));
    const failing = through(range(0, 8), policy).toArray({ clock });
    const error = await clock.until(failing).catch((reason) => reason);
    expect(error).toMatchObject({ stage: nameOf(kind), index: 2, cause: new Error('not 99') });
    expect(error.others).toEqual([new Error('not 2')]);
  },
);

test('stages refuse wrong policies by name, and take none where no function is called', () => {
  const code = expect.objectContaining({ code: 'ERR_CORE_ARGUMENT' });
  expect(() => rateLimit(RATE, { cost: picky, onError: 'ignore' as never })).toThrow(code);
  expect(() => rateLimit(RATE, { onError: 'skip' })).toThrow(
    'Cannot build rateLimit(): onError is "skip" (must be left out without cost, which it is about)',
  );
  const numbers = from(WHOLE);
  expect(() => numbers.route({ all: () => true }, { onError: 'ignore' as never })).toThrow(code);
  expect(() => numbers.partition(() => true, { onError: 'ignore' as never })).toThrow(code);
  expect(() =>
    partitionBy(
      (n: number) => n,
      { maxKeys: 1, onError: 'ignore' as never },
      (each) => each,
    ),
  ).toThrow(code);
  expect(() => mergeSorted(numbers, { by: picky, onError: 'ignore' as never })).toThrow(code);
  const compare = (a: number, b: number): number => a - b;
  expect(() => mergeSorted(numbers, { compare, onError: fallback(() => 1) as never })).toThrow(code);
  expect(() => conflate(folded, { seed: begun, onError: 'ignore' as never })).toThrow(code);
});
