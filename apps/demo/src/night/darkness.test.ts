import { expect, test } from 'vitest';
import { DEGREE } from './angles.js';
import { nightMiles } from './darkness.js';
import { type GreatCircle, greatCircle, placeAt } from './great-circle.js';
import { sunAltitudeSine } from './sun.js';
import { createSunTable } from './sun-table.js';

const MINUTE_MS = 60_000;
const SUN = createSunTable(Date.UTC(2001, 0, 1), Date.UTC(2002, 0, 3));

/** The method as it is written down: every step looked at, with a full solar position. */
function slowNightMiles(way: GreatCircle, distanceMiles: number, departureUtcMs: number): number {
  const steps = Math.max(1, Math.round(distanceMiles / 10));
  let dark = 0;
  for (let step = 0; step < steps; step++) {
    const part = (step + 0.5) / steps;
    const { latitude, longitude } = placeAt(way, part * way.angle);
    const utcMs = departureUtcMs + (18 + ((part * distanceMiles) / 470) * 60) * MINUTE_MS;
    if (sunAltitudeSine(utcMs, latitude * DEGREE, longitude * DEGREE) < Math.sin(-6 * DEGREE)) dark += 1;
  }
  return (dark / steps) * distanceMiles;
}

/** Numbers from 0 to 1, always the same ones. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test('nightMiles() counts what a full solar position at every step counts', () => {
  const next = numbers(2001);
  let different = 0;
  let partly = 0;
  const flights = 4_000;
  for (let i = 0; i < flights; i++) {
    // From the equator to beyond the polar circle, some over the pole or the date line.
    const from = { latitude: next() * 80, longitude: next() * 360 - 180 };
    const to = { latitude: next() * 80, longitude: from.longitude * (0.5 + next() / 2) };
    const way = greatCircle(from, to);
    const distance = Math.max(1, Math.round(way.miles));
    const departure = Date.UTC(2001, 0, 1) + Math.floor(next() * 525_600) * MINUTE_MS;
    const [fast, slow] = [nightMiles(way, distance, departure, SUN), slowNightMiles(way, distance, departure)];
    if (slow > 0 && slow < distance) partly += 1;
    if (Math.abs(fast - slow) < 0.001) continue;
    // The table is good to 0.001°, so a step that lies as near to the border may fall on its other side. A pass along
    // the border can meet several such steps.
    different += 1;
    expect(Math.abs(fast - slow)).toBeLessThan(31);
  }
  expect(partly).toBeGreaterThan(flights / 4);
  expect(different).toBeLessThan(flights / 400);
});

test('nightMiles() turns dark at the published end of civil twilight, 18 minutes after departure', () => {
  // U.S. Naval Observatory: 19° 49' N, 155° 29' W, 15 July 2003: civil twilight ends at 19:28,
  // ten hours behind UTC. From year to year that moves by less than half a minute.
  const maunaKea = { latitude: 19 + 49 / 60, longitude: -(155 + 29 / 60) };
  const way = greatCircle(maunaKea, { ...maunaKea, latitude: maunaKea.latitude + 10 / 69 });
  const duskMs = Date.UTC(2001, 6, 16, 5, 28);
  // The middle of the one step is reached 18 minutes and 38 seconds after departure.
  expect(nightMiles(way, 10, duskMs - 20.7 * MINUTE_MS, SUN)).toBe(0);
  expect(nightMiles(way, 10, duskMs - 16.7 * MINUTE_MS, SUN)).toBe(10);
});

test('nightMiles() is exactly 0 by day and exactly the distance by night', () => {
  const way = greatCircle({ latitude: 40.6398, longitude: -73.7789 }, { latitude: 33.9425, longitude: -118.4081 });
  expect(nightMiles(way, 2_475, Date.UTC(2001, 0, 3, 15), SUN)).toBe(0);
  expect(nightMiles(way, 2_475, Date.UTC(2001, 0, 3, 1), SUN)).toBe(2_475);
  for (let distance = 2_470.1; distance < 2_480; distance += 0.1) {
    expect(nightMiles(way, distance, Date.UTC(2001, 0, 3, 1), SUN)).toBe(distance);
  }
});

test('nightMiles() loses no night to the flight that starts and ends in daylight', () => {
  // Over the polar night in January, from Anchorage to Tromsø, in the light at both ends.
  const way = greatCircle({ latitude: 61.17, longitude: -150 }, { latitude: 69.68, longitude: 18.92 });
  const distance = Math.round(way.miles);
  const departure = Date.UTC(2001, 1, 10, 23, 30);
  const miles = nightMiles(way, distance, departure, SUN);
  expect(miles).toBeCloseTo(slowNightMiles(way, distance, departure), 6);
  expect(miles).toBeGreaterThan(0);
  expect(miles).toBeLessThan(distance);
});

test('nightMiles() refuses a flight outside of its sun table, or without length', () => {
  const way = greatCircle({ latitude: 40, longitude: -74 }, { latitude: 41, longitude: -74 });
  expect(() => nightMiles(way, 69, Date.UTC(2000, 11, 31), SUN)).toThrow(RangeError);
  expect(() => nightMiles(way, 69, Date.UTC(2002, 0, 2, 23, 59), SUN)).toThrow(/inside the sun table/);
  expect(() => nightMiles(way, 0, Date.UTC(2001, 5, 1), SUN)).toThrow(RangeError);
  expect(() => nightMiles(way, Number.NaN, Date.UTC(2001, 5, 1), SUN)).toThrow(RangeError);
});
