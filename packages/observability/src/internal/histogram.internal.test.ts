import { describe, expect, test } from 'vitest';
import { BUCKETS, bucketOf, countsBelow, lowerBoundOf, quantilesOf } from './histogram.js';

/** Numbers from 0 to 1 that look random and are always the same. */
function* noise(): Generator<number> {
  let state = 12345;
  for (;;) {
    state = (state * 1103515245 + 12345) % 2147483648;
    yield state / 2147483648;
  }
}

function sample(count: number, of: (random: number) => number): number[] {
  const random = noise();
  return Array.from({ length: count }, () => of(random.next().value as number));
}

describe('bucketOf()', () => {
  test('bucketOf() puts each value into the bucket whose bounds it is between', () => {
    for (let value = 1; value < 2 ** 41; value = value * 1.0137 + 0.001) {
      const bucket = bucketOf(value);
      expect(lowerBoundOf(bucket)).toBeLessThanOrEqual(value);
      expect(lowerBoundOf(bucket + 1)).toBeGreaterThan(value);
    }
  });

  test.each([
    [0, 0],
    [0.99, 0],
    [Number.NaN, 0],
    [-5, 0],
    [1, 1],
    [2, 65],
    [Number.POSITIVE_INFINITY, BUCKETS - 1],
    [2 ** 50, BUCKETS - 1],
  ])('bucketOf() puts %d into bucket %d', (value, bucket) => {
    expect(bucketOf(value)).toBe(bucket);
  });

  test('bucketOf() makes buckets no wider than 1/64 of their values', () => {
    for (let bucket = 1; bucket < BUCKETS; bucket++) {
      expect(lowerBoundOf(bucket + 1) / lowerBoundOf(bucket) - 1).toBeLessThanOrEqual(1 / 64);
    }
  });
});

describe('quantilesOf()', () => {
  test.each<[string, (random: number) => number]>([
    ['evenly spread', (random) => 50 + random * 1e6],
    ['exponential', (random) => 1 - Math.log(1 - random) * 40_000],
    ['of two kinds', (random) => (random < 0.97 ? 20 + random : 5e9 * random)],
    ['over seven powers of ten', (random) => 10 ** (1 + 7 * random)],
    ['all the same', () => 777_777],
  ])('quantilesOf() is within 1 %% of the true value for values %s', (_name, of) => {
    const values = sample(20_000, of);
    const buckets = new Float64Array(BUCKETS);
    for (const value of values) buckets[bucketOf(value)]!++;
    values.sort((a, b) => a - b);
    const qs = [0.001, 0.5, 0.95, 0.99, 0.999, 1];
    const found = quantilesOf(buckets, qs)!;
    qs.forEach((q, at) => {
      const truth = values[Math.max(1, Math.ceil(q * values.length)) - 1]!;
      expect(Math.abs(found[at]! / truth - 1)).toBeLessThanOrEqual(0.01);
    });
  });

  test('quantilesOf() gives nothing of nothing, and 0 for what is below a nanosecond', () => {
    const buckets = new Float64Array(BUCKETS);
    expect(quantilesOf(buckets, [0.5])).toBeUndefined();
    buckets[0] = 3;
    expect(quantilesOf(buckets, [0.5])).toEqual([0]);
    expect(quantilesOf(buckets, [0.5], buckets.slice())).toBeUndefined();
  });
});

describe('countsBelow()', () => {
  test('countsBelow() counts exactly what is below a power of two', () => {
    const buckets = new Float64Array(BUCKETS);
    for (const value of [0.5, 1, 63, 63.999, 64, 65, 2 ** 41]) buckets[bucketOf(value)]!++;
    expect(countsBelow(buckets, [6, 7, 42])).toEqual([4, 6, 7]);
  });
});
