import {
  type CoreErrorCode,
  type DeadLetter,
  deadLetter,
  fallback,
  from,
  map,
  merge,
  range,
  runAll,
  type StageError,
  take,
  zip,
} from '@millrace/core';
import { sinkProbe, sourceProbe, virtualClock } from '@millrace/testkit';
import { describe, expect, test } from 'vitest';

const isEven = (n: number): boolean => n % 2 === 0;

describe('route()', () => {
  test('route() gives an item to the first branch whose predicate is true for it', async () => {
    const { small, even, rest } = range(0, 12).route({ small: (n) => n < 4, even: isEven, rest: () => true });
    const seen: number[][] = [[], [], []];
    const summary = await runAll(
      small.into((n) => void seen[0]?.push(n)),
      even.into((n) => void seen[1]?.push(n)),
      rest.into((n) => void seen[2]?.push(n)),
    ).finished;
    expect(seen).toEqual([
      [0, 1, 2, 3],
      [4, 6, 8, 10],
      [5, 7, 9, 11],
    ]);
    expect(summary).toMatchObject({ read: 12, emitted: 12, made: 0, balanced: true });
  });

  test('route() fails at an item that no predicate is true for, behind the items before it', async () => {
    const { even } = from([2, 4, 5, 6]).route({ even: isEven });
    const seen: number[] = [];
    const run = runAll(even.into((n) => void seen.push(n)));
    const error: StageError = await run.finished.then(undefined, (reason) => reason);
    expect([error.stage, error.index]).toEqual(['route', 2]);
    expect(error.cause).toMatchObject({
      code: 'ERR_CORE_UNMATCHED',
      message:
        "Cannot route the item: no predicate is true for it (must be one: a last one for the rest, or unmatched: 'drop')",
    });
    expect(seen).toEqual([2, 4]);
    expect(run.inFlight).toBe(0);
  });

  test('route() counts what no predicate is true for as dropped where it is told to', async () => {
    const { even } = from([2, 4, 5, 6]).route({ even: isEven }, { unmatched: 'drop' });
    const summary = await even.run(() => {}).finished;
    expect(summary).toMatchObject({ read: 4, emitted: 3, dropped: 1, balanced: true });
  });

  test('route() fails with what a predicate throws, and with one that gives a promise', async () => {
    const cause = new Error('no');
    const routes = from([1, 2]).route({
      a: (n) => {
        if (n === 2) throw cause;
        return true;
      },
    });
    await expect(routes.a.toArray()).rejects.toMatchObject({ stage: 'route', index: 1, cause });
    const later = from([1]).route({ a: (async () => true) as never });
    await expect(later.a.toArray()).rejects.toThrow('the predicate returned a promise');
  });

  test('route() deals with an item that no predicate is true for as onError says', async () => {
    const letters: unknown[] = [];
    const office = deadLetter(
      new WritableStream<DeadLetter<number>>({
        write: ({ item, index, stage, error }) =>
          void letters.push([item, index, stage, (error as { code: CoreErrorCode }).code]),
      }),
    );
    const { even } = from([2, 4, 5, 6]).route({ even: isEven }, { onError: office });
    const summary = await even.run(() => {}).finished;
    expect(summary).toMatchObject({ read: 4, emitted: 3, deadLettered: 1, balanced: true });
    expect(letters).toEqual([[5, 2, 'route', 'ERR_CORE_UNMATCHED']]);
  });

  test('route() fails where a fallback does not give the name of a branch', async () => {
    const given = async (name: unknown): Promise<StageError> => {
      const { even } = from([2, 5]).route({ even: isEven }, { onError: fallback(() => name as string) });
      return even.toArray().catch((reason) => reason);
    };
    expect((await given('odd')).cause).toEqual(new TypeError('the fallback gave "odd" (must be the name of a branch)'));
    expect((await given(5)).message).toContain('the fallback gave a number (must be the name of a branch)');
    expect(await given('odd')).toMatchObject({ stage: 'route', index: 1 });
  });

  test('route() goes on when a branch ends while a letter is written, and lets go when all have', async () => {
    const clock = virtualClock();
    const gates: Array<() => void> = [];
    const writable = new WritableStream<DeadLetter<number>>({
      write: () => new Promise<void>((resolve) => void gates.push(resolve)),
    });
    const probe = sourceProbe<number>();
    const picky = (n: number): boolean => {
      if (n === 3) throw new Error('no');
      return isEven(n);
    };
    const { even, odd } = probe.pipeline.route(
      { even: picky, odd: () => true },
      { onError: deadLetter(writable), highWaterMark: 8 },
    );
    const seen: number[] = [];
    const run = runAll(
      even.pipeThrough(take(1)).into((n) => void seen.push(n)),
      odd.into((n) => void seen.push(n)),
      { clock },
    );
    probe.release(2, 3, 4, 5);
    await clock.settle();
    expect(seen).toEqual([2]);
    gates.shift()?.();
    await clock.settle();
    expect(seen).toEqual([2, 5]);
    probe.end();
    expect(await clock.until(run.finished)).toMatchObject({ read: 4, deadLettered: 1, dropped: 1, balanced: true });
  });

  test('route() lets so much weight wait before each branch', async () => {
    const clock = virtualClock();
    const probe = sourceProbe<string>();
    const { short, long } = probe.pipeline.route(
      { short: (text) => text.length < 3, long: () => true },
      { highWaterMark: 6, size: (text) => text.length },
    );
    const sink = sinkProbe<string>({ highWaterMark: 0 });
    const run = runAll(
      short.into(sink.sink),
      long.into(() => {}),
      { clock },
    );
    expect(String(run.explain())).toContain('route short edge: 6 by size');
    probe.release('a', 'bb', 'cc', 'd', 'e', 'ff');
    await clock.settle();
    // One is offered to the sink; of those behind it five letters wait, and the one that makes it six.
    expect(probe.read).toBe(5);
    void sink.take(6);
    await clock.settle();
    expect(sink.items).toEqual(['a', 'bb', 'cc', 'd', 'e', 'ff']);
    probe.end();
    expect(await clock.until(run.finished)).toMatchObject({ balanced: true });
  });

  test('route() is held up by its slowest branch, and reads on while all have room', async () => {
    const clock = virtualClock();
    const probe = sourceProbe<number>();
    const { even, odd } = probe.pipeline.route({ even: isEven, odd: () => true }, { highWaterMark: 2 });
    probe.release(0, 2, 4, 6, 8, 10);
    const run = runAll(
      even.pipeThrough(map((n) => n)).into(() => new Promise(() => {})),
      odd.into(() => {}),
      { clock },
    );
    run.finished.catch(() => {});
    await clock.settle();
    expect(run.inFlight).toBeLessThanOrEqual(run.explain().bound);
    run.abort('enough');
    await expect(run.finished).rejects.toBe('enough');
    expect([run.inFlight, probe.closes]).toEqual([0, ['enough']]);
  });

  test('route() counts the items of a branch that has ended as dropped, and the others go on', async () => {
    const { even, odd } = range(0, 100).route({ even: isEven, odd: () => true });
    let odds = 0;
    const summary = await runAll(
      even.pipeThrough(take(3)).into(() => {}),
      odd.into(() => void odds++),
    ).finished;
    expect(odds).toBe(50);
    expect(summary).toMatchObject({ read: 100, balanced: true });
    expect(summary.dropped + summary.abandoned).toBe(47);
  });

  test('route() refuses a run without one of its branches, or with one twice, by name', async () => {
    const { even, rest } = range(0, 9).route({ even: isEven, rest: () => true });
    await expect(even.toArray()).rejects.toMatchObject({ code: 'ERR_CORE_BRANCH' });
    expect(() => runAll(even.into(() => {}))).toThrow(
      'Cannot build the pipeline: rest of "route" would never be read, and hold up the others (all 2 must be in one run: give them to runAll() or merge())',
    );
    expect(() => merge(even, rest, rest).explain()).toThrow(
      'Cannot build the pipeline: rest of "route" is used twice (must be once; broadcast() that branch)',
    );
  });

  test('route() is shown under its name, and its branches under theirs', () => {
    const { even, rest } = range(0, 9).route({ even: isEven, rest: () => true }, { name: 'parity', highWaterMark: 3 });
    const joined = merge(even, rest);
    expect(joined.topology().nodes.map(({ name, kind }) => `${kind} ${name}`)).toEqual([
      'source range',
      'split parity',
      'branch parity even',
      'branch parity rest',
      'merge merge',
    ]);
    expect(String(joined.explain())).toContain('split:     parity');
    expect(joined.explain().bound).toBe(8);
  });

  test('route() into a join that waits for all of its inputs is warned of', () => {
    const { even, rest } = range(0, 9).route({ even: isEven, rest: () => true });
    const [warning] = zip(even, rest).explain().warnings;
    expect(warning).toBe(
      '"zip" waits for items of "route even" and of "route rest", and each item goes to one of them only: when more than 2 in a row go to one, both stop for ever (must be merge(), or branches that get as many)',
    );
    expect(merge(even, rest).explain().warnings).toEqual([]);
  });

  test('route() refuses wrong arguments', () => {
    const numbers = range(0, 3);
    expect(() => numbers.route({})).toThrow('predicates is an object (Object) (must be one or more)');
    expect(() => numbers.route(null as never)).toThrow('predicates is null');
    expect(() => numbers.route({ a: 1 } as never)).toThrow('predicate "a" is 1 (must be a function)');
    expect(() => numbers.route({ 1: () => true })).toThrow('the name of a branch is "1" (must be more than a number)');
    expect(() => numbers.route({ a: () => true }, { unmatched: 'skip' } as never)).toThrow('unmatched is "skip"');
    expect(() => numbers.route({ a: () => true }, { otherwise: 'a' } as never)).toThrow(
      'option "otherwise" is unknown',
    );
  });
});

describe('partition()', () => {
  test('partition() parts those for which it is true from the others', async () => {
    const [even, odd] = range(0, 6).partition(isEven);
    const seen: number[][] = [[], []];
    const summary = await runAll(
      even.into((n) => void seen[0]?.push(n)),
      odd.into((n) => void seen[1]?.push(n)),
    ).finished;
    expect(seen).toEqual([
      [0, 2, 4],
      [1, 3, 5],
    ]);
    expect(summary.stages.map(({ name }) => name)).toContain('partition no');
    expect(summary.balanced).toBe(true);
  });

  test('partition() refuses a run of one half, and wrong arguments', () => {
    const [even] = range(0, 6).partition(isEven);
    expect(() => even.explain()).not.toThrow();
    expect(() => even.run(() => {})).toThrow('no of "partition" would never be read');
    expect(() => range(0, 6).partition(2 as never)).toThrow('predicate is 2 (must be a function)');
    expect(() => range(0, 6).partition(isEven, { highWaterMark: -1 })).toThrow('highWaterMark is -1');
  });
});
