import { beforeAll, expect, test } from 'vitest';
import { openData } from '../data.js';
import { flightsOf } from '../flights.js';
import type { Airport } from './airports.js';
import type { Flight } from './flight.js';
import { createNightFlights, type NightFlightsOptions } from './night-flights.js';
import { createNightReport, type NightReport } from './report.js';

let airports: ReadonlyMap<string, Airport>;
let january: readonly Flight[];

beforeAll(async () => {
  const data = await openData(1);
  airports = data.airports;
  const rows = await data.rows.first();
  january = rows === undefined ? [] : [...flightsOf(rows)];
}, 60_000);

function reportOf(flights: readonly Flight[], options?: NightFlightsOptions): NightReport {
  const nightOf = createNightFlights(airports, options);
  const report = createNightReport();
  for (const flight of flights) report.add(flight, nightOf(flight));
  return report;
}

function flight(origin: string, destination: string, distanceMiles: number, departureWallMs: number): Flight {
  return { origin, destination, distanceMiles, departureWallMs, delayMinutes: 0 };
}

function share(total: { readonly miles: number; readonly nightMiles: number } | undefined): number {
  return total === undefined ? Number.NaN : total.nightMiles / total.miles;
}

test('createNightFlights() finds real flights dark when clocks say so, and not when date is taken as UTC', () => {
  expect(january.length).toBeGreaterThan(200_000);
  const local = reportOf(january);
  const utc = reportOf(january, { clock: 'utc' });
  expect(local.overall.miles).toBe(utc.overall.miles);
  // At 9 in the morning by the clock hardly anybody flies into the dark; at 9:00 UTC it is 1 to 5 in the morning.
  expect(share(local.byHour[9])).toBeLessThan(0.005);
  expect(share(utc.byHour[9])).toBeGreaterThan(0.9);
  expect(share(local.byHour[21])).toBeGreaterThan(0.95);
  expect(share(utc.byHour[21])).toBeLessThan(0.6);
  expect(share(utc.overall) - share(local.overall)).toBeGreaterThan(0.03);
});

test('createNightFlights() reads the clock of the origin, daylight saving or none', () => {
  const nightOf = createNightFlights(airports);
  // Phoenix and Denver: one time in winter; in summer Phoenix stays behind and has its dusk an hour earlier by the clock.
  const winter = Date.UTC(2001, 0, 15, 18);
  expect(nightOf(flight('PHX', 'DEN', 602, winter))).toBeGreaterThan(400);
  const summer = Date.UTC(2001, 5, 15, 20, 10);
  expect(nightOf(flight('PHX', 'LAX', 370, summer))).toBe(370);
  expect(nightOf(flight('DEN', 'LAX', 862, summer))).toBeLessThan(600);
});

test('createNightFlights() tells a red-eye that is dark all the way from one that meets the morning', () => {
  const nightOf = createNightFlights(airports);
  const evening = nightOf(flight('HNL', 'LAX', 2_556, Date.UTC(2001, 0, 15, 21)));
  expect(evening).toBe(2_556);
  const midnight = nightOf(flight('HNL', 'LAX', 2_556, Date.UTC(2001, 5, 15, 23)));
  expect(midnight).toBeLessThan(2_556);
  expect(midnight).toBeGreaterThan(1_000);
});

test('createNightFlights() follows flights on the first and the last minute of the year', () => {
  const nightOf = createNightFlights(airports);
  for (const departureWallMs of [Date.UTC(2001, 0, 1), Date.UTC(2001, 11, 31, 23, 59)]) {
    expect(nightOf(flight('HNL', 'EWR', 4_962, departureWallMs))).toBeGreaterThan(1_000);
    expect(nightOf(flight('EWR', 'HNL', 4_962, departureWallMs))).toBe(4_962);
  }
});

test('createNightFlights() names an airport that it does not know', () => {
  const nightOf = createNightFlights(airports);
  const departureWallMs = Date.UTC(2001, 0, 15, 21);
  expect(() => nightOf(flight('XXX', 'LAX', 100, departureWallMs))).toThrow(/airport "XXX" is unknown/);
  expect(() => nightOf(flight('LAX', 'XXX', 100, departureWallMs))).toThrow(RangeError);
});
