import { expect, test } from 'vitest';
import { BurstSize } from './burst-size.js';

test('BurstSize grows twofold at most, up to what half a millisecond of work is', () => {
  const size = new BurstSize(1000);
  const seen: number[] = [];
  for (let burst = 0; burst < 10; burst++) {
    seen.push(size.now);
    size.learn(size.now, size.now * 0.005);
  }
  expect(seen).toEqual([1, 2, 4, 8, 16, 32, 64, 100, 100, 100]);
});

test('BurstSize never passes its limit, also where the clock sees no time pass', () => {
  const size = new BurstSize(10);
  for (let burst = 0; burst < 10; burst++) size.learn(size.now, 0);
  expect(size.now).toBe(10);
});

test('BurstSize comes down to one item that is much work, and has it wait for its worker where it is slow', () => {
  const size = new BurstSize(256);
  expect(size.maySecond).toBe(false);
  for (let burst = 0; burst < 20; burst++) size.learn(size.now, size.now * 0.001);
  expect(size.now).toBe(256);
  expect(size.maySecond).toBe(true);
  for (let burst = 0; burst < 20; burst++) size.learn(size.now, size.now * 3);
  expect(size.now).toBe(1);
  expect(size.maySecond).toBe(true);
  for (let burst = 0; burst < 20; burst++) size.learn(1, 300);
  expect(size.maySecond).toBe(false);
});
