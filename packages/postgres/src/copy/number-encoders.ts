import { DAY_MS, type Encoder, EPOCH_MS, encoderFor } from './encoders.js';
import { LATEST_MS, type Numbers } from './number-columns.js';

const MS = 'a number of milliseconds from 1970 that a Date can have';

/** Writes the day, in UTC, of epoch milliseconds. */
const date: Encoder = (writer, value) => {
  const ms = value as number;
  if (!(ms >= -LATEST_MS && ms <= LATEST_MS)) return `out of range (must be ${MS})`;
  writer.reserve(8);
  writer.int32(4);
  writer.int32(Math.floor((ms - EPOCH_MS) / DAY_MS));
  return undefined;
};

/** Only says what is wrong: a column of them is written by a loop. */
const instant: Encoder = (_writer, value) =>
  Math.abs(value as number) <= LATEST_MS ? undefined : `out of range (must be ${MS})`;

/** Writes 0 and 1 as false and true. */
const bool: Encoder = (writer, value) => {
  if (value !== 0 && value !== 1) return `a number that is neither 0 nor 1 (must be one of them)`;
  writer.reserve(5);
  writer.int32(1);
  writer.uint8(value);
  return undefined;
};

/** What writes numbers of a typed array as values of types that are otherwise not written of numbers. */
export function encodeNumber(type: string, values: Numbers): Encoder | undefined {
  if (type === 'bool' && values instanceof Uint8Array) return bool;
  if (type === 'date') return date;
  if (type === 'timestamp' || type === 'timestamptz') return instant;
  return encoderFor(type, false);
}
