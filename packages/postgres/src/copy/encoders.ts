import { writeNumeric } from './numeric.js';
import type { RowWriter } from './row-writer.js';

/** Writes one value that is not null, with its length before it; gives what is wrong with it otherwise. */
export type Encoder = (writer: RowWriter, value: unknown) => string | undefined;

/** From 1970 to 2000, where PostgreSQL counts from, in milliseconds. */
export const EPOCH_MS: number = 946_684_800_000;
export const DAY_MS: number = 86_400_000;
/** A length and the longest value of fixed length. */
const FIXED_BYTES = 20;

/** What a value is, without saying what is in it: messages end up in logs. */
function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid Date' : 'a Date';
  const type = typeof value;
  if (type === 'undefined') return 'undefined';
  if (type === 'number') return Number.isInteger(value) ? 'a whole number' : `a number that is not whole or not finite`;
  return type === 'object' ? `an object (${(value as object).constructor?.name ?? 'no prototype'})` : `a ${type}`;
}

const wrong = (value: unknown, mustBe: string): string => `${kindOf(value)} (must be ${mustBe})`;

function integer(bytes: 2 | 4): Encoder {
  const limit = 2 ** (bytes * 8 - 1);
  const mustBe = `a whole number from ${-limit} to ${limit - 1}`;
  return (writer, value) => {
    const number = typeof value === 'bigint' ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isInteger(number) || number < -limit || number >= limit)
      return wrong(value, mustBe);
    writer.reserve(FIXED_BYTES);
    writer.int32(bytes);
    if (bytes === 2) writer.int16(number);
    else writer.int32(number);
    return undefined;
  };
}

const BIGGEST = 2n ** 63n;

const int8: Encoder = (writer, value) => {
  writer.reserve(FIXED_BYTES);
  if (typeof value === 'number' && Number.isSafeInteger(value)) {
    writer.int32(8);
    writer.int64(value);
    return undefined;
  }
  const big = typeof value === 'string' && /^-?\d{1,19}$/.test(value) ? BigInt(value) : value;
  if (typeof big !== 'bigint' || big < -BIGGEST || big >= BIGGEST)
    return wrong(value, 'a safe whole number, a bigint of 64 bits or the digits of one');
  writer.int32(8);
  writer.bigint64(big);
  return undefined;
};

const float4: Encoder = (writer, value) => {
  if (typeof value !== 'number') return wrong(value, 'a number');
  if (Number.isFinite(value) && !Number.isFinite(Math.fround(value))) return 'a number too large (must fit in 4 bytes)';
  writer.reserve(FIXED_BYTES);
  writer.int32(4);
  writer.float32(value);
  return undefined;
};

const float8: Encoder = (writer, value) => {
  if (typeof value !== 'number') return wrong(value, 'a number');
  writer.reserve(FIXED_BYTES);
  writer.int32(8);
  writer.float64(value);
  return undefined;
};

const bool: Encoder = (writer, value) => {
  if (typeof value !== 'boolean') return wrong(value, 'true or false');
  writer.reserve(FIXED_BYTES);
  writer.int32(1);
  writer.uint8(value ? 1 : 0);
  return undefined;
};

const text: Encoder = (writer, value) => (typeof value === 'string' ? writer.text(value) : wrong(value, 'a string'));

const timestamp: Encoder = (writer, value) => {
  const ms = value instanceof Date ? value.getTime() : Number.NaN;
  if (Number.isNaN(ms)) return wrong(value, 'a valid Date');
  writer.reserve(FIXED_BYTES);
  writer.int32(8);
  // Exact: a product of a whole number and 1,000 has the three lowest bits free.
  writer.int64((ms - EPOCH_MS) * 1000);
  return undefined;
};

const date: Encoder = (writer, value) => {
  const isText = typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value);
  const ms = value instanceof Date ? value.getTime() : isText ? Date.parse(value) : Number.NaN;
  // Date.parse() makes 2 March of 30 February.
  if (Number.isNaN(ms) || (isText && new Date(ms).toISOString().slice(0, 10) !== value))
    return wrong(value, 'a valid Date, whose day in UTC counts, or a text like 2001-12-31');
  writer.reserve(FIXED_BYTES);
  writer.int32(4);
  writer.int32(Math.floor((ms - EPOCH_MS) / DAY_MS));
  return undefined;
};

const uuid: Encoder = (writer, value) => {
  const digits = typeof value === 'string' ? value.replaceAll('-', '') : '';
  if (!/^[0-9a-f]{32}$/i.test(digits)) return wrong(value, 'a text of 32 hexadecimal digits');
  writer.reserve(FIXED_BYTES);
  writer.int32(16);
  for (let at = 0; at < 32; at += 8) writer.int32(Number.parseInt(digits.slice(at, at + 8), 16));
  return undefined;
};

function json(prefix: number | undefined): Encoder {
  return (writer, value) => {
    const encoded = JSON.stringify(value);
    if (encoded === undefined) return wrong(value, 'what JSON can say');
    return writer.text(encoded, prefix);
  };
}

const bytea: Encoder = (writer, value) => {
  if (!(value instanceof Uint8Array)) return wrong(value, 'a Uint8Array');
  writer.bytes(value);
  return undefined;
};

const numeric: Encoder = (writer, value) => {
  const isNumber = typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string';
  return isNumber && writeNumeric(writer, String(value))
    ? undefined
    : wrong(value, 'a finite decimal number, or the text of one');
};

/** What writes each type, by its name in PostgreSQL's catalog. */
const ENCODERS: ReadonlyMap<string, Encoder> = new Map<string, Encoder>([
  ['bool', bool],
  ['int2', integer(2)],
  ['int4', integer(4)],
  ['int8', int8],
  ['float4', float4],
  ['float8', float8],
  ['numeric', numeric],
  ['text', text],
  ['varchar', text],
  ['bpchar', text],
  ['name', text],
  ['citext', text],
  ['timestamptz', timestamp],
  ['timestamp', timestamp],
  ['date', date],
  ['uuid', uuid],
  ['jsonb', json(1)],
  ['json', json(undefined)],
  ['bytea', bytea],
]);

/** The names of the types that can be written. */
export const SUPPORTED: string = `${[...ENCODERS.keys()].join(', ')} or an enum`;

/** What writes a type; `undefined` where nothing does. An enum is written as the text of its label. */
export function encoderFor(type: string, isEnum: boolean): Encoder | undefined {
  return isEnum ? text : ENCODERS.get(type);
}
