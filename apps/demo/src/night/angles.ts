/** Radians in one degree. */
export const DEGREE: number = Math.PI / 180;

/** Radians in a full turn. */
export const TURN: number = 2 * Math.PI;

/** Milliseconds in one hour. */
export const HOUR_MS = 3_600_000;

/** Milliseconds in one day. */
export const DAY_MS = 86_400_000;
