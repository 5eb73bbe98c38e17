import { expect, test } from 'vitest';
import { HOUR_MS } from './angles.js';
import { zoneOf } from './zone-of.js';
import { createZoneClock, wallToUtcMs } from './zones.js';

function offsetHours(zone: string, wallMs: number): number {
  return (wallMs - wallToUtcMs(createZoneClock(zone, 2001), wallMs)) / HOUR_MS;
}

test('zoneOf() finds zones by coordinates, and knows Wrangell and Petersburg better', () => {
  expect(zoneOf('JFK', { latitude: 40.64, longitude: -73.78 })).toBe('America/New_York');
  expect(zoneOf('PHX', { latitude: 33.43, longitude: -112.01 })).toBe('America/Phoenix');
  expect(zoneOf('WRG', { latitude: 56.4843, longitude: -132.3698 })).toBe('America/Juneau');
  expect(zoneOf('PSG', { latitude: 56.8017, longitude: -132.9453 })).toBe('America/Juneau');
});

test('wallToUtcMs() has the offsets of 2001, daylight saving or none', () => {
  const [january, june] = [Date.UTC(2001, 0, 15, 12), Date.UTC(2001, 5, 15, 12)];
  const offsets: [string, number, number][] = [
    ['America/New_York', -5, -4],
    ['America/Los_Angeles', -8, -7],
    ['America/Anchorage', -9, -8],
    ['America/Indiana/Indianapolis', -5, -5],
    ['America/Phoenix', -7, -7],
    ['Pacific/Honolulu', -10, -10],
    ['America/Puerto_Rico', -4, -4],
    ['Asia/Kolkata', 5.5, 5.5],
  ];
  for (const [zone, winter, summer] of offsets) {
    expect([zone, offsetHours(zone, january), offsetHours(zone, june)]).toEqual([zone, winter, summer]);
  }
});

test('wallToUtcMs() counts a skipped hour from the old offset: 2:30 on 1 April is 3:30', () => {
  const clock = createZoneClock('America/Chicago', 2001);
  expect(wallToUtcMs(clock, Date.UTC(2001, 3, 1, 1, 59))).toBe(Date.UTC(2001, 3, 1, 7, 59));
  expect(wallToUtcMs(clock, Date.UTC(2001, 3, 1, 2, 30))).toBe(Date.UTC(2001, 3, 1, 8, 30));
  expect(wallToUtcMs(clock, Date.UTC(2001, 3, 1, 3, 30))).toBe(Date.UTC(2001, 3, 1, 8, 30));
  expect(wallToUtcMs(clock, Date.UTC(2001, 3, 1, 3))).toBe(Date.UTC(2001, 3, 1, 8));
});

test('wallToUtcMs() takes the first of an hour that comes twice: 1:30 on 28 October is daylight saving', () => {
  const clock = createZoneClock('America/Chicago', 2001);
  expect(wallToUtcMs(clock, Date.UTC(2001, 9, 28, 0, 59))).toBe(Date.UTC(2001, 9, 28, 5, 59));
  expect(wallToUtcMs(clock, Date.UTC(2001, 9, 28, 1, 30))).toBe(Date.UTC(2001, 9, 28, 6, 30));
  expect(wallToUtcMs(clock, Date.UTC(2001, 9, 28, 2))).toBe(Date.UTC(2001, 9, 28, 8));
});

test('wallToUtcMs() agrees with Intl at every hour of the year that comes once', () => {
  const clock = createZoneClock('America/Denver', 2001);
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: 'America/Denver',
    dateStyle: 'short',
    timeStyle: 'short',
  });
  for (let wallMs = Date.UTC(2001, 0, 1); wallMs < Date.UTC(2002, 0, 1); wallMs += HOUR_MS) {
    const wall = new Date(wallMs).toISOString().slice(0, 16).replace('T', ' ');
    if (wall === '2001-04-01 02:00') continue;
    expect(format.format(wallToUtcMs(clock, wallMs))).toBe(wall);
  }
});

test('wallToUtcMs() refuses a time outside of its year', () => {
  const clock = createZoneClock('America/Denver', 2001);
  expect(() => wallToUtcMs(clock, Date.UTC(2002, 0, 3))).toThrow(/outside the clock \(2000-12-31 to 2002-01-02\)/);
  expect(() => wallToUtcMs(clock, Number.NaN)).toThrow(RangeError);
});

test('createZoneClock() refuses a zone that does not exist', () => {
  expect(() => createZoneClock('America/Gotham', 2001)).toThrow(RangeError);
});
