import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Airport } from './airports.js';
import type { Flight } from './flight.js';
import { createNightReport } from './report.js';

function flight(origin: string, destination: string, distanceMiles: number, departureWallMs: number): Flight {
  return { origin, destination, distanceMiles, departureWallMs, delayMinutes: 0 };
}

function airport(code: string, city: string): Airport {
  return { code, city, name: '', state: '', latitude: 0, longitude: 0, zone: 'Etc/UTC' };
}

const AIRPORTS = new Map([
  ['AAA', airport('AAA', 'A-Town')],
  ['BBB', airport('BBB', 'Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch')],
]);
const EVENING = Date.UTC(2001, 0, 31, 23, 59);
const MORNING = Date.UTC(2001, 1, 1, 0, 0);

// Wall-clock time is read as if it were UTC, wherever the computer stands.
beforeAll(() => {
  vi.stubEnv('TZ', 'America/New_York');
});

afterAll(() => {
  vi.unstubAllEnvs();
});

test('createNightReport() adds up by month, by hour and over all', () => {
  const report = createNightReport();
  report.add(flight('AAA', 'BBB', 100, EVENING), 100);
  report.add(flight('AAA', 'BBB', 300, EVENING), 0);
  report.add(flight('BBB', 'AAA', 600, MORNING), 150);
  expect(report.overall).toEqual({ flights: 3, miles: 1_000, nightMiles: 250 });
  expect(report.byMonth.slice(0, 3)).toEqual([
    { flights: 2, miles: 400, nightMiles: 100 },
    { flights: 1, miles: 600, nightMiles: 150 },
    { flights: 0, miles: 0, nightMiles: 0 },
  ]);
  expect(report.byHour[23]).toEqual({ flights: 2, miles: 400, nightMiles: 100 });
  expect(report.byHour[0]).toEqual({ flights: 1, miles: 600, nightMiles: 150 });
});

test('createNightReport() ranks routes by night miles, each direction its own, equal ones by name', () => {
  const report = createNightReport();
  report.add(flight('BBB', 'AAA', 500, EVENING), 70);
  report.add(flight('AAA', 'CCC', 500, EVENING), 70);
  report.add(flight('AAA', 'BBB', 500, EVENING), 40);
  report.add(flight('AAA', 'BBB', 500, EVENING), 40);
  const top = report.topRoutes(2).map((route) => [route.origin, route.destination, route.flights, route.nightMiles]);
  expect(top).toEqual([
    ['AAA', 'BBB', 2, 80],
    ['AAA', 'CCC', 1, 70],
  ]);
  expect(report.topRoutes(9)).toHaveLength(3);
});

test('createNightReport() keeps the longest flight that was dark all the way, the first of equal ones', () => {
  const report = createNightReport();
  expect(report.longestAllNight).toBeUndefined();
  const first = flight('AAA', 'BBB', 400, EVENING);
  report.add(flight('AAA', 'BBB', 300, EVENING), 300);
  report.add(first, 400);
  report.add(flight('BBB', 'AAA', 400, MORNING), 400);
  report.add(flight('BBB', 'AAA', 900, MORNING), 899);
  expect(report.longestAllNight).toBe(first);
});

test('createNightReport() writes a table of plain text in 100 columns, with its assumptions', () => {
  const report = createNightReport();
  report.add(flight('AAA', 'BBB', 9_999, EVENING), 9_999);
  report.add(flight('BBB', 'CCC', 9_999, MORNING), 2_500);
  const text = report.toText(AIRPORTS);
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  expect(text).toContain('Miles flown in the dark: 62.5 % of 19,998 miles on 2 flights');
  expect(text).toMatch(/^Jan +1 +9,999 +100\.0 % {2}█{40}$/m);
  expect(text).toMatch(/^Feb +1 +9,999 +25\.0 % {2}█{10}$/m);
  expect(text).not.toMatch(/^Mar/m);
  expect(text).toMatch(/^23:00 +1 +9,999 +100\.0 %/m);
  expect(text).toMatch(/^12:00 +0 +0 +–$/m);
  expect(text).toMatch(/^AAA–BBB {2}A-Town to Llanfair\S*… +1 +9,999 +100\.0 %$/m);
  expect(text).toMatch(/^BBB–CCC {2}Llanfair\S*… +1 +2,500 +25\.0 %$/m);
  expect(text).toMatch(
    /Longest flight dark all the way: AAA–BBB,\n {2}A-Town to Llan[a-z]*,\n {2}9,999 miles, left on 2001-01-31 at 23:59, local time/,
  );
  for (const assumption of ['470 mph', '18 minutes', 'every 10 miles', 'more than 6°', 'not national totals']) {
    expect(text).toContain(assumption);
  }
});

test('createNightReport() has a table also when nothing was added', () => {
  const text = createNightReport().toText(new Map());
  expect(text).toContain('Miles flown in the dark: – of 0 miles on 0 flights');
  expect(text).toContain('No flight was dark all the way.');
});
