import type { RowWriter } from './row-writer.js';

const NUMBER: RegExp = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/;
const NEGATIVE = 0x4000;
const NAN = -0x4000;
/** More digits than PostgreSQL keeps; also the limit of what a short text such as `1e999999` may unfold to. */
const MOST_DIGITS = 16_383;

/**
 * Writes a decimal number: four digits at a time, the first group's weight in powers of 10,000.
 *
 * SPEC: `numeric_recv` in PostgreSQL's `src/backend/utils/adt/numeric.c`.
 *
 * @returns Whether the text is a number that can be written.
 */
export function writeNumeric(writer: RowWriter, text: string): boolean {
  if (text === 'NaN') return writeGroups(writer, [], 0, NAN, 0);
  const match = NUMBER.exec(text);
  if (match === null) return false;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  if (whole === '' && fraction === '') return false;
  const point = whole.length + Number(exponent);
  const scale = Math.max(0, fraction.length - Number(exponent));
  if (Math.abs(point) > MOST_DIGITS || scale > MOST_DIGITS) return false;
  const digits = whole + fraction;
  // Groups are counted from the point: zeros fill the first and the last one.
  const lead = (4 - (((point % 4) + 4) % 4)) % 4;
  const padded = '0'.repeat(lead) + digits;
  const groups: number[] = [];
  for (let at = 0; at < padded.length; at += 4) groups.push(Number(padded.slice(at, at + 4).padEnd(4, '0')));
  let weight = (point + lead) / 4 - 1;
  while (groups.length > 0 && groups[0] === 0) {
    groups.shift();
    weight--;
  }
  while (groups.length > 0 && groups[groups.length - 1] === 0) groups.pop();
  if (groups.length === 0) return writeGroups(writer, [], 0, 0, scale);
  return writeGroups(writer, groups, weight, sign === '-' ? NEGATIVE : 0, scale);
}

function writeGroups(writer: RowWriter, groups: readonly number[], weight: number, sign: number, scale: number): true {
  writer.reserve(12 + groups.length * 2);
  writer.int32(8 + groups.length * 2);
  writer.int16(groups.length);
  writer.int16(weight);
  writer.int16(sign);
  writer.int16(scale);
  for (const group of groups) writer.int16(group);
  return true;
}
