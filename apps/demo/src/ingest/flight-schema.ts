import type { StandardSchema, StandardSchemaResult } from '@millrace/codecs';
import type { Airport } from '../night/airports.js';
import { DATA_YEAR, type Flight } from '../night/flight.js';

const DATE = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::00(?:\.0+)?)?Z?$/;
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const MINUTE_MS = 60_000;

const ISSUES = {
  record: issue('it must be an object with "date", "delay", "distance", "origin" and "destination"'),
  date: issue(
    `"date" must be wall-clock time at the origin, in ${DATA_YEAR} and to the minute, such as "${DATA_YEAR}-01-14T18:05"`,
  ),
  delay: issue('"delay" must be a whole number of minutes'),
  distance: issue('"distance" must be a whole number of miles'),
  origin: issue('"origin" must be the code of an airport that the data knows, such as "ATL"'),
  destination: issue('"destination" must be the code of an airport that the data knows, such as "IAD"'),
};

function issue(message: string): { readonly issues: readonly { readonly message: string }[] } {
  return { issues: [{ message }] };
}

/**
 * Makes the schema of a flight as clients send it. It tells a record that is no flight, which nothing could be done with,
 * from one that is; whether a flight can have happened as it is recorded is for the pipeline to say.
 *
 * @param airports - By code: origin and destination must be among them.
 */
export function flightSchema(airports: ReadonlyMap<string, Airport>): StandardSchema<Flight> {
  const dateOf = rememberLast(departureOf);
  const codeOf = (value: unknown): string | undefined =>
    typeof value === 'string' ? airports.get(value)?.code : undefined;

  function validate(value: unknown): StandardSchemaResult<Flight> {
    if (typeof value !== 'object' || value === null) return ISSUES.record;
    const { date, delay, distance, origin: from, destination: to } = value as Readonly<Record<string, unknown>>;
    const departureWallMs = dateOf(date);
    if (departureWallMs === undefined) return ISSUES.date;
    if (!isInt32(delay)) return ISSUES.delay;
    if (!isInt32(distance)) return ISSUES.distance;
    const origin = codeOf(from);
    if (origin === undefined) return ISSUES.origin;
    const destination = codeOf(to);
    if (destination === undefined) return ISSUES.destination;
    return { value: { departureWallMs, delayMinutes: delay, distanceMiles: distance, origin, destination } };
  }
  return { '~standard': { version: 1, vendor: 'millrace-demo', validate } };
}

/** Flights come sorted by time: about ten of each minute. */
function rememberLast<R>(fn: (value: unknown) => R): (value: unknown) => R {
  let last: unknown;
  let result = fn(last);
  return (value) => {
    if (value !== last) {
      last = value;
      result = fn(value);
    }
    return result;
  };
}

/** Reads wall-clock time as if it were UTC: of text, or of what a date of CBOR becomes. */
function departureOf(value: unknown): number | undefined {
  if (value instanceof Date) return inYear(value.getTime());
  const [, year, month, day, hour, minute] = (typeof value === 'string' ? DATE.exec(value) : null)?.map(Number) ?? [];
  if (year === undefined || month === undefined || day === undefined || hour === undefined || minute === undefined) {
    return undefined;
  }
  if (day < 1 || day > (MONTH_DAYS[month - 1] ?? 0) || hour > 23 || minute > 59) return undefined;
  return inYear(Date.UTC(year, month - 1, day, hour, minute));
}

function inYear(ms: number): number | undefined {
  const isIn = ms >= Date.UTC(DATA_YEAR, 0, 1) && ms < Date.UTC(DATA_YEAR + 1, 0, 1) && ms % MINUTE_MS === 0;
  return isIn ? ms : undefined;
}

/** Whether a value is a whole number that a column of the database, and of a row group, has room for. */
function isInt32(value: unknown): value is number {
  return typeof value === 'number' && (value | 0) === value;
}
