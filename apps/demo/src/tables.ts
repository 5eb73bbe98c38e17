import { batch, from } from '@millrace/core';
import { copyInto } from '@millrace/postgres';
import type { Sql } from 'postgres';
import { DataError } from './data.js';
import { databaseProblem } from './database.js';
import type { Airport } from './night/airports.js';

/** A flight as it is stored; the names are those of the columns. */
export interface FlightRow {
  /** Wall-clock time at the origin, as if it were UTC. */
  readonly departure: Date;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
  readonly night_miles: number;
}

/** The columns of table `flight`, in its order. */
export const FLIGHT_TABLE: Readonly<Record<keyof FlightRow, string>> = {
  departure: 'timestamp without time zone',
  delay: 'integer',
  distance: 'integer',
  origin: 'text',
  destination: 'text',
  night_miles: 'double precision',
};

const AIRPORT_TABLE: Readonly<Record<keyof Airport, string>> = {
  code: 'text',
  name: 'text',
  city: 'text',
  state: 'text',
  latitude: 'double precision',
  longitude: 'double precision',
  zone: 'text',
};

/** Airports that are kept out of the table on purpose, so that flights meet one that the database does not know. */
export const LEFT_OUT: ReadonlySet<string> = new Set([
  ...['ABQ', 'ACY', 'ALB', 'AMA', 'AUS', 'BOI', 'BTV', 'CAE', 'CRP', 'DAY'],
  ...['ELP', 'FAT', 'GEG', 'ITO', 'JAX', 'LIH', 'MFR', 'OKC', 'PSG', 'WRG'],
]);

/**
 * Makes the demo's tables where they are not there, empties them, and fills that of the airports.
 *
 * @throws DataError when a table of that name is there with other columns; it is left as it is.
 */
export async function prepareTables(sql: Sql, airports: ReadonlyMap<string, Airport>): Promise<void> {
  try {
    await prepare(sql, 'airport', AIRPORT_TABLE, 'code');
    await prepare(sql, 'flight', FLIGHT_TABLE);
    const known = [...airports.values()].filter(({ code }) => !LEFT_OUT.has(code));
    await from(known)
      .pipeThrough(batch({ maxItems: 5_000 }))
      .run(copyInto(sql, 'airport')).finished;
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw databaseProblem('prepare the tables', error, 'this user must be allowed to make them and to write into them');
  }
}

async function prepare(sql: Sql, table: string, columns: Readonly<Record<string, string>>, key = ''): Promise<void> {
  const list = Object.entries(columns).map(([name, type]) => `${name} ${type} not null`);
  const primary = key === '' ? '' : `, primary key (${key})`;
  await sql.unsafe(`create table if not exists ${table} (${list.join(', ')}${primary})`);
  const found = await sql<{ name: string; type: string }[]>`
    select attname as name, format_type(atttypid, null) as type from pg_attribute
    where attrelid = to_regclass(${table}) and attnum > 0 and not attisdropped`;
  const is = found.map(({ name, type }) => `${name} ${type}`).sort();
  const must = Object.entries(columns).map(([name, type]) => `${name} ${type}`);
  if (is.join() !== [...must].sort().join()) {
    const why = `its columns are ${is.join(', ')} (they must be ${must.join(', ')}; drop it, or use another database)`;
    throw new DataError(`Cannot use table "${table}" of the database: ${why}`);
  }
  await sql.unsafe(`truncate ${table}`);
}
