import { DAY_MS, DEGREE, TURN } from './angles.js';

const J2000_MS = Date.UTC(2000, 0, 1, 12);
const CENTURY_DAYS = 36_525;

/**
 * Converts an instant to Julian centuries since noon of 1 January 2000, the time argument of the formulas below.
 *
 * The difference between Terrestrial and Universal Time (64 seconds in 2001) is left out: the sun moves 0.0007° in it.
 *
 * @param utcMs - Epoch milliseconds.
 */
export function julianCenturies(utcMs: number): number {
  return (utcMs - J2000_MS) / (DAY_MS * CENTURY_DAYS);
}

/**
 * Computes the sun's apparent longitude on the ecliptic, in radians (not reduced to one turn), good to 0.01°.
 *
 * @param centuries - From {@link julianCenturies}.
 *
 * @see Jean Meeus, Astronomical Algorithms, 2nd edition, chapter 25, "low accuracy"
 */
export function sunLongitude(centuries: number): number {
  const meanLongitude = 280.46646 + centuries * (36_000.76983 + centuries * 0.0003032);
  const anomaly = (357.52911 + centuries * (35_999.05029 - centuries * 0.0001537)) * DEGREE;
  const center =
    (1.914602 - centuries * (0.004817 + centuries * 0.000014)) * Math.sin(anomaly) +
    (0.019993 - centuries * 0.000101) * Math.sin(2 * anomaly) +
    0.000289 * Math.sin(3 * anomaly);
  return (meanLongitude + center - 0.00569) * DEGREE + nutation(centuries);
}

/**
 * Computes the tilt of the earth's axis against the ecliptic, in radians, with the largest term of nutation.
 *
 * @param centuries - From {@link julianCenturies}.
 * @see Meeus, formulas 22.2 and 25.8
 */
export function obliquity(centuries: number): number {
  const mean = 23.4392911 - centuries * (0.0130042 + centuries * (0.000000164 - centuries * 0.000000504));
  return (mean + 0.00256 * Math.cos(moonNode(centuries))) * DEGREE;
}

/**
 * Computes how far north of the celestial equator the sun is, in radians.
 *
 * @param longitude - From {@link sunLongitude}.
 * @param tilt - From {@link obliquity}.
 */
export function sunDeclination(longitude: number, tilt: number): number {
  return Math.asin(Math.sin(tilt) * Math.sin(longitude));
}

/**
 * Computes the sun's right ascension, in radians from −π to π.
 *
 * @param longitude - From {@link sunLongitude}.
 * @param tilt - From {@link obliquity}.
 */
export function sunRightAscension(longitude: number, tilt: number): number {
  return Math.atan2(Math.cos(tilt) * Math.sin(longitude), Math.cos(longitude));
}

/**
 * Computes Greenwich mean sidereal time: the right ascension that stands over the prime meridian, in radians (not
 * reduced to one turn).
 *
 * @param utcMs - Epoch milliseconds.
 * @see Meeus, formula 12.4
 */
export function siderealTime(utcMs: number): number {
  const days = (utcMs - J2000_MS) / DAY_MS;
  const centuries = days / CENTURY_DAYS;
  const degrees =
    280.46061837 + 360.98564736629 * days + centuries * centuries * (0.000387933 - centuries / 38_710_000);
  return degrees * DEGREE;
}

/**
 * Computes how far west of Greenwich the sun stands at its zenith, in radians from −π to π.
 *
 * @param utcMs - Epoch milliseconds.
 */
export function sunHourAngle(utcMs: number): number {
  const centuries = julianCenturies(utcMs);
  const tilt = obliquity(centuries);
  return wrap(apparentSiderealTime(utcMs, tilt) - sunRightAscension(sunLongitude(centuries), tilt));
}

/**
 * Computes the sine of the sun's geometric altitude (no refraction) over a place.
 *
 * This is the full formula; `SunTable` gives the same to 0.001° at a fraction of the cost.
 *
 * @param utcMs - Epoch milliseconds.
 * @param latitude - Radians, north positive.
 * @param longitude - Radians, east positive.
 */
export function sunAltitudeSine(utcMs: number, latitude: number, longitude: number): number {
  const centuries = julianCenturies(utcMs);
  const ecliptic = sunLongitude(centuries);
  const tilt = obliquity(centuries);
  const declination = sunDeclination(ecliptic, tilt);
  const hourAngle = apparentSiderealTime(utcMs, tilt) - sunRightAscension(ecliptic, tilt) + longitude;
  return Math.sin(latitude) * Math.sin(declination) + Math.cos(latitude) * Math.cos(declination) * Math.cos(hourAngle);
}

// The equinox, from which right ascension counts, nods with nutation too.
function apparentSiderealTime(utcMs: number, tilt: number): number {
  return siderealTime(utcMs) + nutation(julianCenturies(utcMs)) * Math.cos(tilt);
}

// Nutation in longitude, largest term, in radians.
function nutation(centuries: number): number {
  return -0.00478 * Math.sin(moonNode(centuries)) * DEGREE;
}

/** Brings an angle in radians into −π to π. */
function wrap(angle: number): number {
  return angle - TURN * Math.round(angle / TURN);
}

// Longitude of the ascending node of the moon's orbit, which drives nutation, in radians.
function moonNode(centuries: number): number {
  return (125.04 - 1934.136 * centuries) * DEGREE;
}
