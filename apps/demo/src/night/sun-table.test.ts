import { expect, test } from 'vitest';
import { DAY_MS, DEGREE, HOUR_MS } from './angles.js';
import { sunAltitudeSine } from './sun.js';
import { altitudeSineAt, createSunTable } from './sun-table.js';

const YEAR = createSunTable(Date.UTC(2001, 0, 1), Date.UTC(2002, 0, 1));

function bothSines(utcMs: number, latitude: number, longitude: number): [fast: number, full: number] {
  const ring = Math.cos(latitude);
  const [x, y, z] = [ring * Math.cos(longitude), ring * Math.sin(longitude), Math.sin(latitude)];
  return [altitudeSineAt(YEAR, utcMs, x, y, z), sunAltitudeSine(utcMs, latitude, longitude)];
}

test('altitudeSineAt() is within 0.001° of the full formula, all year and all over the earth', () => {
  let worst = 0;
  // Steps that share no factor with a day, so that every hour and season is met.
  for (let i = 0; i < 20_000; i++) {
    const utcMs = YEAR.startMs + ((i * 7_919 * 60_000) % (365 * DAY_MS));
    const [fast, full] = bothSines(utcMs, (((i * 37) % 179) - 89) * DEGREE, (((i * 101) % 359) - 179) * DEGREE);
    worst = Math.max(worst, Math.abs(Math.asin(fast) - Math.asin(full)));
  }
  expect(worst / DEGREE).toBeLessThan(0.001);
  expect(worst).toBeGreaterThan(0);
});

test('altitudeSineAt() is right on both sides of midnight and of a step', () => {
  for (const utcMs of [Date.UTC(2001, 5, 2) - 1, Date.UTC(2001, 5, 2), Date.UTC(2001, 5, 2, 6) - 1, YEAR.endMs - 1]) {
    const [fast, full] = bothSines(utcMs, 40 * DEGREE, -74 * DEGREE);
    expect(Math.abs(fast - full)).toBeLessThan(0.001 * DEGREE);
  }
});

test('altitudeSineAt() gives NaN outside of its table', () => {
  expect(altitudeSineAt(YEAR, YEAR.startMs - 1, 1, 0, 0)).toBeNaN();
  expect(altitudeSineAt(YEAR, YEAR.endMs + 7 * HOUR_MS, 1, 0, 0)).toBeNaN();
});

test('createSunTable() refuses a span that is empty, endless or no number', () => {
  expect(() => createSunTable(5, 5)).toThrow(RangeError);
  expect(() => createSunTable(0, Number.NaN)).toThrow(RangeError);
  expect(() => createSunTable(0, 1e15)).toThrow(RangeError);
});
