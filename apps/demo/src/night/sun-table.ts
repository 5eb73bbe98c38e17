import { DAY_MS, TURN } from './angles.js';
import { julianCenturies, obliquity, sunDeclination, sunHourAngle, sunLongitude } from './sun.js';

const STEP_MS = DAY_MS / 4;

/**
 * The sun over the earth for a span of time, looked up where {@link createSunTable} has computed it.
 *
 * The direction to the sun is slow but for the turning of the earth: its declination and its lead over the clock (the
 * equation of time) change by less than 0.5° a day. They are kept for every 6 hours and drawn straight in between.
 */
export interface SunTable {
  readonly startMs: number;
  /** Exclusive. */
  readonly endMs: number;
  readonly declinationSine: Float64Array;
  readonly declinationCosine: Float64Array;
  /** Radians by which the sun's hour angle at Greenwich leads the Universal Time of day; about π. */
  readonly lead: Float64Array;
}

/**
 * Computes a table of the sun for a span of time: a few milliseconds and 35 kB for a year.
 *
 * @param startMs - Epoch milliseconds, where the span starts.
 * @param endMs - Where it ends, exclusive.
 * @returns The table. It is plain data: it can be sent to a worker.
 * @throws RangeError when the span is empty, longer than 100 years or not a number.
 */
export function createSunTable(startMs: number, endMs: number): SunTable {
  const steps = Math.ceil((endMs - startMs) / STEP_MS);
  if (!(steps > 0 && steps <= 146_100)) {
    throw new RangeError(`Cannot make a sun table: it spans ${steps / 4} days (more than 0, at most 36525)`);
  }
  const declinationSine = new Float64Array(steps + 1);
  const declinationCosine = new Float64Array(steps + 1);
  const lead = new Float64Array(steps + 1);
  for (let i = 0; i <= steps; i++) {
    const utcMs = startMs + i * STEP_MS;
    const centuries = julianCenturies(utcMs);
    const declination = sunDeclination(sunLongitude(centuries), obliquity(centuries));
    declinationSine[i] = Math.sin(declination);
    declinationCosine[i] = Math.cos(declination);
    // Kept near π, never wrapped, so that neighbours can be averaged.
    const ahead = sunHourAngle(utcMs) - dayAngle(utcMs);
    lead[i] = ahead - TURN * Math.round((ahead - Math.PI) / TURN);
  }
  return { startMs, endMs, declinationSine, declinationCosine, lead };
}

/**
 * Looks up the sine of the sun's altitude where a unit vector points, within 0.001° of the full formula.
 *
 * @param sun - From {@link createSunTable}.
 * @param utcMs - Epoch milliseconds, inside the table's span; outside of it the result is `NaN`.
 * @param x - Towards latitude 0, longitude 0.
 * @param y - Towards latitude 0, longitude 90° east.
 * @param z - Towards the north pole.
 */
export function altitudeSineAt(sun: SunTable, utcMs: number, x: number, y: number, z: number): number {
  const position = (utcMs - sun.startMs) / STEP_MS;
  const i = Math.floor(position);
  const part = position - i;
  const sine = between(sun.declinationSine, i, part);
  const cosine = between(sun.declinationCosine, i, part);
  const hourAngle = dayAngle(utcMs) + between(sun.lead, i, part);
  return cosine * (x * Math.cos(hourAngle) - y * Math.sin(hourAngle)) + z * sine;
}

function between(values: Float64Array, i: number, part: number): number {
  // Outside the table this is undefined, and the sum NaN.
  const low = values[i] as number;
  const high = values[i + 1] as number;
  return low + (high - low) * part;
}

function dayAngle(utcMs: number): number {
  return ((utcMs % DAY_MS) / DAY_MS) * TURN;
}
