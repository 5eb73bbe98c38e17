import { DEGREE } from './angles.js';

/** The earth's mean radius in statute miles. */
export const EARTH_RADIUS_MILES = 3_958.7613;

/** A place on the earth: degrees, north and east positive. */
export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

/**
 * The shortest way between two places on a sphere, as two unit vectors at right angles: the point at an angle `a` from
 * the start is `start · cos a + ahead · sin a`. No date line or pole needs care.
 *
 * Axes: x towards latitude 0, longitude 0; y towards longitude 90° east; z towards the north pole.
 */
export interface GreatCircle {
  readonly startX: number;
  readonly startY: number;
  readonly startZ: number;
  readonly aheadX: number;
  readonly aheadY: number;
  readonly aheadZ: number;
  /** The angle from start to end, in radians. */
  readonly angle: number;
  /** Its length on the ground, in statute miles. */
  readonly miles: number;
}

/**
 * Finds the shortest way from one place to another on a sphere, within 0.6 % of the way on the true earth.
 *
 * @param from - Where it starts.
 * @param to - Where it ends.
 * @throws RangeError when a coordinate is out of range, or the places are the same or opposite, so that no way is the shortest.
 */
export function greatCircle(from: Place, to: Place): GreatCircle {
  const start = unitVector(from);
  const end = unitVector(to);
  const cosine = start.x * end.x + start.y * end.y + start.z * end.z;
  // What is left of the end when its part along the start is taken away points ahead, and is as long as the sine.
  const x = end.x - cosine * start.x;
  const y = end.y - cosine * start.y;
  const z = end.z - cosine * start.z;
  const sine = Math.hypot(x, y, z);
  if (sine < 1e-9)
    throw new RangeError('Cannot find a great circle: the places are the same or opposite (two ways must differ)');
  const angle = Math.atan2(sine, cosine);
  return {
    startX: start.x,
    startY: start.y,
    startZ: start.z,
    aheadX: x / sine,
    aheadY: y / sine,
    aheadZ: z / sine,
    angle,
    miles: angle * EARTH_RADIUS_MILES,
  };
}

/**
 * Finds the place at an angle from the start of a great circle.
 *
 * @param way - From {@link greatCircle}.
 * @param angle - Radians from the start.
 */
export function placeAt(way: GreatCircle, angle: number): Place {
  const cosine = Math.cos(angle);
  const sine = Math.sin(angle);
  const x = way.startX * cosine + way.aheadX * sine;
  const y = way.startY * cosine + way.aheadY * sine;
  const z = way.startZ * cosine + way.aheadZ * sine;
  return { latitude: Math.atan2(z, Math.hypot(x, y)) / DEGREE, longitude: Math.atan2(y, x) / DEGREE };
}

function unitVector({ latitude, longitude }: Place): { x: number; y: number; z: number } {
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) {
    throw new RangeError(`Cannot place ${latitude}°, ${longitude}°: it is out of range (−90 to 90, −180 to 180)`);
  }
  const ring = Math.cos(latitude * DEGREE);
  return {
    x: ring * Math.cos(longitude * DEGREE),
    y: ring * Math.sin(longitude * DEGREE),
    z: Math.sin(latitude * DEGREE),
  };
}
