import { expect, test } from 'vitest';
import { DAY_MS, DEGREE } from './angles.js';
import {
  julianCenturies,
  obliquity,
  siderealTime,
  sunAltitudeSine,
  sunDeclination,
  sunHourAngle,
  sunLongitude,
  sunRightAscension,
} from './sun.js';

function degrees(radians: number): number {
  return (((radians / DEGREE) % 360) + 360) % 360;
}

test("sunLongitude() and the rest give Meeus's example 25.a, 13 October 1992 at 0h", () => {
  const centuries = julianCenturies(Date.UTC(1992, 9, 13));
  expect(centuries).toBeCloseTo(-0.072183436, 9);
  const longitude = sunLongitude(centuries);
  expect(degrees(longitude)).toBeCloseTo(199.90895, 4);
  const tilt = obliquity(centuries);
  expect(degrees(tilt)).toBeCloseTo(23.43999, 4);
  expect(degrees(sunRightAscension(longitude, tilt))).toBeCloseTo(198.38083, 4);
  expect(sunDeclination(longitude, tilt) / DEGREE).toBeCloseTo(-7.78507, 4);
});

test("siderealTime() gives Meeus's examples 12.a and 12.b, 10 April 1987", () => {
  expect(degrees(siderealTime(Date.UTC(1987, 3, 10)))).toBeCloseTo(197.693195, 5);
  expect(degrees(siderealTime(Date.UTC(1987, 3, 10, 19, 21)))).toBeCloseTo(128.7378734, 5);
});

test("sunHourAngle() gives the equation of time of Meeus's example 28.b, 13 minutes 42.6 seconds", () => {
  // At 0h the mean sun is at its lowest, half a turn away.
  const minutes = (degrees(sunHourAngle(Date.UTC(1992, 9, 13)) + Math.PI) / 360) * 1_440;
  expect(Math.abs(minutes - 13.71)).toBeLessThan(0.05);
});

test('sunLongitude() crosses the quarters of the sky at the published equinoxes and solstices of 2001', () => {
  const quarters: [number, number][] = [
    [Date.UTC(2001, 2, 20, 13, 31), 0],
    [Date.UTC(2001, 5, 21, 7, 38), 90],
    [Date.UTC(2001, 8, 22, 23, 4), 180],
    [Date.UTC(2001, 11, 21, 19, 21), 270],
  ];
  for (const [utcMs, wanted] of quarters) {
    const away = degrees(sunLongitude(julianCenturies(utcMs)) - wanted * DEGREE + Math.PI) - 180;
    expect(Math.abs(away)).toBeLessThan(0.01);
  }
});

interface Published {
  readonly place: string;
  readonly latitude: number;
  readonly longitude: number;
  /** Midnight of the local day, in UTC. */
  readonly midnightMs: number;
  /** Local times, as published. */
  readonly civilDawn?: string;
  readonly rise: string;
  readonly set: string;
  readonly civilDusk?: string;
}

const PUBLISHED: readonly Published[] = [
  {
    // U.S. Naval Observatory
    place: 'Mauna Kea, 15 July 2003',
    latitude: 19 + 49 / 60,
    longitude: -(155 + 29 / 60),
    midnightMs: Date.UTC(2003, 6, 15, 10),
    civilDawn: '05:27',
    rise: '05:51',
    set: '19:04',
    civilDusk: '19:28',
  },
  {
    place: 'New York, 21 June',
    latitude: 40.7128,
    longitude: -74.006,
    midnightMs: Date.UTC(2001, 5, 21, 4),
    rise: '05:25',
    set: '20:31',
  },
  {
    place: 'New York, 21 December',
    latitude: 40.7128,
    longitude: -74.006,
    midnightMs: Date.UTC(2001, 11, 21, 5),
    rise: '07:17',
    set: '16:32',
  },
  {
    place: 'Greenwich, 21 June',
    latitude: 51.4769,
    longitude: 0,
    midnightMs: Date.UTC(2001, 5, 21),
    rise: '03:43',
    set: '20:21',
  },
  {
    place: 'Greenwich, 21 December',
    latitude: 51.4769,
    longitude: 0,
    midnightMs: Date.UTC(2001, 11, 21),
    rise: '08:04',
    set: '15:53',
  },
];

/** Minutes after the local midnight at which the sun passes an altitude, in one half of the day. */
function passing({ latitude, longitude, midnightMs }: Published, altitudeDegrees: number, half: 0 | 1): number {
  const above = (minute: number) =>
    sunAltitudeSine(midnightMs + minute * 60_000, latitude * DEGREE, longitude * DEGREE) >
    Math.sin(altitudeDegrees * DEGREE);
  let [low, high] = half === 0 ? [0, 720] : [780, 1_440];
  expect(above(low)).not.toBe(above(high));
  while (high - low > 0.01) {
    const middle = (low + high) / 2;
    if (above(middle) === above(low)) low = middle;
    else high = middle;
  }
  return low;
}

function minuteOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
}

test.each(PUBLISHED)('sunAltitudeSine() rises and sets within a minute of the published times: $place', (published) => {
  // By convention the upper limb on a refracted horizon, 50 arc minutes below; civil twilight is at 6°.
  expect(Math.abs(passing(published, -50 / 60, 0) - minuteOf(published.rise))).toBeLessThanOrEqual(1);
  expect(Math.abs(passing(published, -50 / 60, 1) - minuteOf(published.set))).toBeLessThanOrEqual(1);
  if (published.civilDawn === undefined || published.civilDusk === undefined) return;
  expect(Math.abs(passing(published, -6, 0) - minuteOf(published.civilDawn))).toBeLessThanOrEqual(1);
  expect(Math.abs(passing(published, -6, 1) - minuteOf(published.civilDusk))).toBeLessThanOrEqual(1);
});

test('sunAltitudeSine() never rises at the south pole in June, never sets at the north pole', () => {
  for (let hour = 0; hour < 24; hour++) {
    const utcMs = Date.UTC(2001, 5, 1) + (hour * DAY_MS) / 24;
    expect(sunAltitudeSine(utcMs, Math.PI / 2, 0)).toBeGreaterThan(0.3);
    expect(sunAltitudeSine(utcMs, -Math.PI / 2, 0)).toBeLessThan(-0.3);
  }
});
