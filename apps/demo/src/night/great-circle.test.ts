import { expect, test } from 'vitest';
import { EARTH_RADIUS_MILES, greatCircle, placeAt } from './great-circle.js';

const JFK = { latitude: 40.63975, longitude: -73.77893 };
const LAX = { latitude: 33.94254, longitude: -118.40807 };

test('greatCircle() measures known ways', () => {
  expect(greatCircle({ latitude: 0, longitude: 0 }, { latitude: 90, longitude: 0 }).miles).toBeCloseTo(
    (EARTH_RADIUS_MILES * Math.PI) / 2,
    6,
  );
  // 2,475 miles on the ellipsoid, as the data has it.
  expect(Math.abs(greatCircle(LAX, JFK).miles - 2_475)).toBeLessThan(2_475 * 0.005);
  expect(greatCircle(JFK, LAX).miles).toBeCloseTo(greatCircle(LAX, JFK).miles, 9);
});

test('placeAt() begins and ends at the airports, and its steps are equally long', () => {
  const way = greatCircle(LAX, JFK);
  const places = [0, 0.25, 0.5, 0.75, 1].map((part) => placeAt(way, part * way.angle));
  expect(places[0]?.latitude).toBeCloseTo(LAX.latitude, 9);
  expect(places[0]?.longitude).toBeCloseTo(LAX.longitude, 9);
  expect(places[4]?.latitude).toBeCloseTo(JFK.latitude, 9);
  expect(places[4]?.longitude).toBeCloseTo(JFK.longitude, 9);
  for (let i = 0; i < 4; i++) {
    const [from, to] = [places[i], places[i + 1]];
    if (from === undefined || to === undefined) throw new Error('A place is missing');
    expect(greatCircle(from, to).miles).toBeCloseTo(way.miles / 4, 6);
  }
});

test('placeAt() crosses the date line and passes the pole', () => {
  const pacific = greatCircle({ latitude: 10, longitude: 170 }, { latitude: 10, longitude: -170 });
  expect(Math.abs(placeAt(pacific, pacific.angle / 2).longitude)).toBeCloseTo(180, 9);
  const polar = greatCircle({ latitude: 80, longitude: 10 }, { latitude: 80, longitude: -170 });
  expect(placeAt(polar, polar.angle / 2).latitude).toBeCloseTo(90, 6);
});

test('greatCircle() refuses places that leave the way open, or are none', () => {
  expect(() => greatCircle(JFK, { ...JFK })).toThrow(/the same or opposite/);
  expect(() => greatCircle({ latitude: 0, longitude: 0 }, { latitude: 0, longitude: 180 })).toThrow(RangeError);
  expect(() => greatCircle({ latitude: 91, longitude: 0 }, JFK)).toThrow(/out of range/);
  expect(() => greatCircle(JFK, { latitude: Number.NaN, longitude: 0 })).toThrow(RangeError);
});
