import { virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';

test('virtualClock() stands still until it is advanced', async () => {
  const clock = virtualClock(7);
  expect(clock.now()).toBe(7);
  await clock.settle();
  expect(clock.now()).toBe(7);
  await clock.advance(5);
  expect(clock.now()).toBe(12);
});

test('virtualClock() fires timers in order, each at its own time, those of one time as they were set', async () => {
  const clock = virtualClock();
  const fired: string[] = [];
  for (const [name, ms] of Object.entries({ c: 30, a: 10, b: 10, d: 31 })) {
    clock.setTimer(() => fired.push(`${name} ${clock.now()}`), ms);
  }
  await clock.advance(30);
  expect(fired).toEqual(['a 10', 'b 10', 'c 30']);
  expect(clock.pendingTimers).toBe(1);
});

test('virtualClock() lets promise chains settle between timers, and fires timers that were set meanwhile', async () => {
  const clock = virtualClock();
  const seen: number[] = [];
  const again = (): void => {
    clock.setTimer(async () => {
      for (let turn = 0; turn < 50; turn++) await undefined;
      seen.push(clock.now());
      again();
    }, 10);
  };
  again();
  await clock.advance(35);
  expect(seen).toEqual([10, 20, 30]);
});

test('virtualClock() does not fire what was called off', async () => {
  const clock = virtualClock();
  let fired = 0;
  const timer = clock.setTimer(() => fired++, 10);
  timer.clear();
  timer.clear();
  expect(clock.pendingTimers).toBe(0);
  expect(await clock.advanceToNext()).toBe(false);
  expect(fired).toBe(0);
});

test('virtualClock() refuses to go back', async () => {
  await expect(virtualClock().advance(-1)).rejects.toThrow(
    'Cannot advance the clock: ms is -1 (must be a number of milliseconds, 0 or more)',
  );
});

test('virtualClock() refuses to be advanced twice at a time, and from a timer', async () => {
  const clock = virtualClock();
  const first = clock.advance(1);
  await expect(clock.advance(1)).rejects.toThrow('Cannot advance the clock: it is being advanced');
  await first;
  const errors: unknown[] = [];
  clock.setTimer(() => void clock.advanceToNext().catch((error) => errors.push(error)), 1);
  await clock.advance(1);
  expect(errors).toMatchObject([{ code: 'ERR_TESTKIT_ARGUMENT' }]);
  expect(clock.now()).toBe(2);
});

test('virtualClock() lists the timers that are set, in the order in which they fire', async () => {
  const clock = virtualClock(5);
  clock.setTimer(() => {}, 20);
  await clock.advance(1);
  clock.setTimer(() => {}, 3).clear();
  void clock.sleep(3);
  expect(clock.timers).toEqual([
    { atMs: 9, setAtMs: 6 },
    { atMs: 25, setAtMs: 5 },
  ]);
});

test('virtualClock().advanceToNext() fires all that is due at that time, and nothing later', async () => {
  const clock = virtualClock();
  const fired: string[] = [];
  for (const [name, ms] of Object.entries({ a: 5, b: 5, c: 6 })) clock.setTimer(() => fired.push(name), ms);
  expect(await clock.advanceToNext()).toBe(true);
  expect(fired).toEqual(['a', 'b']);
});

test('virtualClock().until() moves as far as a promise needs, and no further', async () => {
  const clock = virtualClock();
  const again = (): void => void clock.setTimer(again, 10);
  again();
  expect(await clock.until(clock.sleep(25).then(() => 'slept'))).toBe('slept');
  expect(clock.now()).toBe(25);
  await expect(clock.until(Promise.reject(new Error('no')))).rejects.toThrow('no');
});

test('virtualClock().until() says what is set when a promise does not settle', async () => {
  const clock = virtualClock();
  const never = new Promise(() => {});
  await expect(clock.until(never, { timeoutMs: 0 })).rejects.toThrow(
    'Cannot wait for the promise: at 0 ms it is still pending, and no timer is set (must settle)',
  );
  const again = (): void => void clock.setTimer(again, 40);
  again();
  const error = await clock.until(never, { withinMs: 100, timeoutMs: 0 }).catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    code: 'ERR_TESTKIT_HANGS',
    message:
      'Cannot wait for the promise: at 80 ms it is still pending, and 100 ms went by; timers: one for 120 ms, set at 80 ms (must settle)',
  });
});

test('virtualClock().until() waits for several promises at a time', async () => {
  const clock = virtualClock();
  const slept = [30, 10, 20].map((ms) => clock.until(clock.sleep(ms).then(() => clock.now())));
  expect(await Promise.all(slept)).toEqual([30, 10, 20]);
});
