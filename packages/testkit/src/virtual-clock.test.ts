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
