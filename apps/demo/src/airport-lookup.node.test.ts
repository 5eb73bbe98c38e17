import { startPostgres } from '@millrace/postgres/embedded';
import postgres from 'postgres';
import { expect, test } from 'vitest';
import { createAirportLookup } from './airport-lookup.js';
import { openData } from './data.js';
import { codeColumn, flightsOf, type RowFlight } from './flights.js';
import type { Airport } from './night/airports.js';
import { LEFT_OUT, prepareTables } from './tables.js';

function flights(...routes: readonly (readonly [string, string])[]): RowFlight[] {
  const columns = {
    date: routes.map((_, number) => number),
    delay: routes.map((_, number) => -number),
    distance: routes.map((_, number) => 100 * number),
    origin: codeColumn(routes.map(([origin]) => origin)),
    destination: codeColumn(routes.map(([, destination]) => destination)),
  };
  return [...flightsOf({ rowCount: routes.length, columns })];
}

test('createAirportLookup() finds airports in the table, and in the file those that are left out of it', async () => {
  const server = await startPostgres();
  const sql = postgres({ ...server.connection, onnotice: () => {} });
  try {
    const { airports } = await openData(1);
    await prepareTables(sql, airports);
    for (const code of LEFT_OUT) expect(airports.has(code)).toBe(true);
    const lookup = createAirportLookup(sql, airports);
    const columns = await lookup.enrich(flights(['ATL', 'IAD'], ['LIH', 'ATL']));
    expect([...lookup.codes].sort()).toEqual(['ATL', 'IAD', 'LIH']);
    const codesOf = (places: Uint16Array) => [...places].map((place) => lookup.codes[place]);
    expect(codesOf(columns.origin)).toEqual(['ATL', 'LIH']);
    expect(codesOf(columns.destination)).toEqual(['IAD', 'ATL']);
    expect(columns.departureWallMs).toEqual(Float64Array.of(0, 1));
    expect(columns.delayMinutes).toEqual(Int32Array.of(0, -1));
    expect(columns.distanceMiles).toEqual(Int32Array.of(0, 100));
    for (const [place, { latitude, longitude, zone }] of (JSON.parse(columns.airports) as Airport[]).entries()) {
      expect(airports.get(lookup.codes[place] as string)).toMatchObject({ latitude, longitude, zone });
    }
    expect([...lookup.standIns]).toEqual(['LIH']);
    // What is known is not asked for again, also where the table has lost it.
    await sql`truncate airport`;
    await lookup.enrich(flights(['IAD', 'ATL'], ['SFO', 'ATL']));
    expect([...lookup.standIns]).toEqual(['LIH', 'SFO']);
    await expect(lookup.enrich(flights(['IAD', 'XXX']))).rejects.toThrow('airport "XXX" is unknown');
    await sql`drop table airport`;
    // Two row groups in one batch, and what is met in the second one first.
    const mixed = await lookup.enrich([...flights(['IAD', 'ATL']), ...flights(['SFO', 'LIH'], ['ATL', 'IAD'])]);
    expect(codesOf(mixed.origin)).toEqual(['IAD', 'SFO', 'ATL']);
    expect(codesOf(mixed.destination)).toEqual(['ATL', 'LIH', 'IAD']);
    expect(lookup.enrich(flights(['IAD', 'ATL']))).not.toBeInstanceOf(Promise);
    await expect(lookup.enrich(flights(['BOS', 'ATL']))).rejects.toThrow('"airport"');
  } finally {
    await sql.end();
    await server.stop();
  }
}, 60_000);
