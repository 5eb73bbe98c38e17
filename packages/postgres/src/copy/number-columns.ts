import { EPOCH_MS } from './encoders.js';

/** A typed array whose values are numbers. */
export type Numbers =
  | Float64Array
  | Float32Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray;

/**
 * Writes the values of rows `from` to `to` with their lengths before them, each at its place in `at`, which moves behind
 * it. Gives the row at which it ended: before `to` where a value does not fit.
 */
export type NumberLoop = (values: Numbers, view: DataView, at: Uint32Array, from: number, to: number) => number;

/** A type of PostgreSQL whose values have a fixed length, and are written of numbers. */
export interface NumberType {
  /** Of a value, without the four of its length. */
  readonly bytes: number;
  readonly loop: NumberLoop;
}

/** The latest time that a Date can have, in milliseconds from 1970. */
export const LATEST_MS: number = 8.64e15;
const TWO_TO_32 = 4_294_967_296;

// PERF: a loop for each type, where a shared one would call a function for each value.

const int4: NumberLoop = (values, view, at, from, to) => {
  for (let row = from; row < to; row++) {
    const value = values[row] as number;
    if ((value | 0) !== value) return row;
    const place = at[row - from] as number;
    view.setInt32(place, 4);
    view.setInt32(place + 4, value);
    at[row - from] = place + 8;
  }
  return to;
};

const int8: NumberLoop = (values, view, at, from, to) => {
  for (let row = from; row < to; row++) {
    const value = values[row] as number;
    if (!Number.isSafeInteger(value)) return row;
    const place = at[row - from] as number;
    const high = Math.floor(value / TWO_TO_32);
    view.setInt32(place, 8);
    view.setInt32(place + 4, high);
    view.setUint32(place + 8, value - high * TWO_TO_32);
    at[row - from] = place + 12;
  }
  return to;
};

const float8: NumberLoop = (values, view, at, from, to) => {
  for (let row = from; row < to; row++) {
    const place = at[row - from] as number;
    view.setInt32(place, 8);
    view.setFloat64(place + 4, values[row] as number);
    at[row - from] = place + 12;
  }
  return to;
};

/** Of epoch milliseconds: whole microseconds are stored. */
const timestamp: NumberLoop = (values, view, at, from, to) => {
  for (let row = from; row < to; row++) {
    const ms = values[row] as number;
    if (!(ms >= -LATEST_MS && ms <= LATEST_MS)) return row;
    const place = at[row - from] as number;
    const microseconds = Math.round((ms - EPOCH_MS) * 1000);
    const high = Math.floor(microseconds / TWO_TO_32);
    view.setInt32(place, 8);
    view.setInt32(place + 4, high);
    view.setUint32(place + 8, microseconds - high * TWO_TO_32);
    at[row - from] = place + 12;
  }
  return to;
};

/** The types that have a loop of their own, by their names in PostgreSQL's catalog. */
export const NUMBER_TYPES: ReadonlyMap<string, NumberType> = new Map([
  ['int4', { bytes: 4, loop: int4 }],
  ['int8', { bytes: 8, loop: int8 }],
  ['float8', { bytes: 8, loop: float8 }],
  ['timestamp', { bytes: 8, loop: timestamp }],
  ['timestamptz', { bytes: 8, loop: timestamp }],
]);
