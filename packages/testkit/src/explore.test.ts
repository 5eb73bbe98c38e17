import { from, generate, mapAsync } from '@millrace/core';
import { explore, faultyFunction, faultySource, InterleavingError, type Schedule } from '@millrace/testkit';
import { expect, test } from 'vitest';

/** Fails with what the program fails with, as an InterleavingError. */
async function failureOf(program: (schedule: Schedule) => unknown, seed: number, runs = 1): Promise<InterleavingError> {
  const error: unknown = await explore(program, { seed, runs, timeoutMs: 20 }).catch((reason: unknown) => reason);
  if (error instanceof InterleavingError) return error;
  throw new Error(`no interleaving failed: ${error}`);
}

/** Loses an update where two answers cross. */
async function racy({ any }: Schedule): Promise<void> {
  let total = 0;
  const add = async (n: number): Promise<void> => {
    const before = total;
    await any(`add ${n}`);
    total = before + n;
  };
  await Promise.all([add(1), any('pause').then(() => add(2)), any('other')]);
  expect(total).toBe(3);
}

test('explore() lets everything happen in every order', async () => {
  const orders = new Set<string>();
  const seen = await explore(
    async ({ any }) => {
      const order: string[] = [];
      await Promise.all(['a', 'b', 'c'].map((name) => any(name).then(() => order.push(name))));
      orders.add(order.join(''));
    },
    { runs: 200, seed: 1 },
  );
  expect([...orders].sort()).toEqual(['abc', 'acb', 'bac', 'bca', 'cab', 'cba']);
  expect(seen).toEqual({ runs: 200, seed: 1, interleavings: 6 });
});

test('explore() finds a race, and its seed gives the same interleaving again', async () => {
  const found = await failureOf(racy, 1, 100);
  expect(found.code).toBe('ERR_TESTKIT_INTERLEAVING');
  expect(found.message).toMatch(
    /^Cannot accept the program: run \d+ of 100, with seed \d+, fails \(must pass in every order\)\n.*\nwhat happened: /s,
  );
  expect(found.message).toContain(`again: explore(program, { seed: ${found.seed}, runs: 1 })`);
  for (let time = 0; time < 20; time++) expect((await failureOf(racy, found.seed)).steps).toEqual(found.steps);
});

test('explore() gives the same order while the engine and the machine are busy', async () => {
  const orderOf = async (seed: number): Promise<string> => {
    const failure = await failureOf(async ({ clock, delays }) => {
      const double = faultyFunction((n: number) => n * 2, delays('double'));
      const items = faultySource([1, 2], delays('read')).pipeThrough(mapAsync(double, { concurrency: 2 }));
      const other = from([1]).pipeThrough(mapAsync((n: number) => clock.sleep(n)));
      await Promise.all([items.count({ clock }), other.count({ clock })]);
      throw new Error('the end');
    }, seed);
    return failure.steps.join();
  };
  const alone = [await orderOf(1), await orderOf(2)];
  const busy = generate((n) => n).run(() => {});
  const beside = [await orderOf(1), await orderOf(2)];
  await busy.drain();
  expect(beside).toEqual(alone);
  expect(alone[0]).not.toBe(alone[1]);
});

test('explore() says when something beside the schedule decides', async () => {
  let runs = 0;
  const impure = async ({ any }: Schedule): Promise<void> => {
    await any(runs++ === 0 ? 'first' : 'other');
    throw new Error('no');
  };
  expect((await failureOf(impure, 1)).message).toContain(
    'a second run with the same seed was another: step 1 was "other 0", not "first 0"; something beside the schedule decides',
  );
});

test('explore() moves the time only when the schedule says so, timer by timer', async () => {
  const orders = new Set<string>();
  await explore(
    async ({ clock, any }) => {
      const order: string[] = [];
      const timer = clock.setTimer(() => order.push('never'), 5);
      timer.clear();
      await Promise.all([
        clock.sleep(10).then(() => order.push(`10 at ${clock.now()}`)),
        clock.sleep(20).then(() => order.push(`20 at ${clock.now()}`)),
        any('x').then(() => order.push('x')),
      ]);
      orders.add(order.join());
    },
    { runs: 50, seed: 3 },
  );
  expect([...orders].sort()).toEqual(['10 at 10,20 at 20,x', '10 at 10,x,20 at 20', 'x,10 at 10,20 at 20']);
});

test('explore() draws the same numbers for a seed, whatever happens', async () => {
  const numbers: number[][] = [];
  for (let time = 0; time < 2; time++) {
    await explore(({ random }) => void numbers.push([random(), random()]), { runs: 1, seed: 9 });
  }
  expect(numbers[0]).toEqual(numbers[1]);
  expect(numbers[0]?.every((n) => n >= 0 && n < 1)).toBe(true);
});

test('explore() leaves out actions that a program has no more use for', async () => {
  let late = 0;
  await explore(({ sometime }) => sometime('late', () => late++), { runs: 3 });
  expect(late).toBe(0);
});

test('explore() refuses a program that hangs, never ends, or leaves a rejection', async () => {
  expect((await failureOf(() => new Promise(() => {}), 1)).message).toContain('it hangs: nothing is under way');
  const endless = async ({ any }: Schedule): Promise<void> => {
    for (;;) await any('again');
  };
  await expect(explore(endless, { maxSteps: 5 })).rejects.toThrow('it has not ended after 5 steps');
  const careless = ({ any }: Schedule): Promise<void> => {
    void any('first').then(() => Promise.reject(new Error('forgotten')));
    return any('second').then(() => any('third'));
  };
  expect((await failureOf(careless, 1, 50)).message).toContain('Error: forgotten');
});

test('explore() refuses wrong arguments by name', async () => {
  await expect(explore(() => {}, { runs: 0 })).rejects.toThrow('runs is 0');
  await expect(explore(() => {}, { seed: -1 })).rejects.toThrow('seed is -1');
  await expect(explore(() => {}, { seeds: 1 } as never)).rejects.toThrow('option "seeds" is unknown');
});

test('Schedule.delays() makes each call one of the things that can happen', async () => {
  const seen: string[] = [];
  await explore(
    async ({ delays, steps }) => {
      const later = faultyFunction((n: number) => n, delays('call'));
      await Promise.all([later(1), later(2)]);
      seen.push([...steps].sort().join());
    },
    { runs: 3 },
  );
  expect(new Set(seen)).toEqual(new Set(['call 0,call 1']));
});

test('explore() gives the same order for a seed, in whatever order things begin', async () => {
  const stepsOf = async (names: readonly string[]): Promise<readonly string[]> =>
    (
      await failureOf(async ({ any }) => {
        await Promise.all(names.map(any));
        throw new Error('the end');
      }, 5)
    ).steps;
  expect(await stepsOf(['a', 'b', 'c', 'd'])).toEqual(await stepsOf(['d', 'b', 'a', 'c']));
});
