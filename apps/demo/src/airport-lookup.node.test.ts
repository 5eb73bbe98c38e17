import { startPostgres } from '@millrace/postgres/embedded';
import postgres from 'postgres';
import { expect, test } from 'vitest';
import { createAirportLookup } from './airport-lookup.js';
import { openData } from './data.js';
import type { FlightRows } from './flights.js';
import { LEFT_OUT, prepareTables } from './tables.js';

function rows(...routes: readonly (readonly [string | null, string])[]): FlightRows {
  const numbers = routes.map(() => 0);
  const columns = { date: numbers, delay: numbers, distance: numbers };
  const [origin, destination] = [routes.map(([code]) => code), routes.map(([, code]) => code)];
  return { rowCount: routes.length, columns: { ...columns, origin, destination } };
}

test('createAirportLookup() finds airports in the table, and in the file those that are left out of it', async () => {
  const server = await startPostgres();
  const sql = postgres({ ...server.connection, onnotice: () => {} });
  try {
    const { airports } = await openData(1);
    await prepareTables(sql, airports);
    for (const code of LEFT_OUT) expect(airports.has(code)).toBe(true);
    const lookup = createAirportLookup(sql, airports);
    await lookup.find(rows(['ATL', 'IAD'], ['LIH', 'ATL'], [null, 'XXX']));
    expect([...lookup.known.keys()].sort()).toEqual(['ATL', 'IAD', 'LIH']);
    for (const [code, airport] of lookup.known) expect(airport).toEqual(airports.get(code));
    expect([...lookup.standIns]).toEqual(['LIH']);
    // What is known is not asked for again, also where the table has lost it.
    await sql`truncate airport`;
    await lookup.find(rows(['IAD', 'ATL'], ['SFO', 'ATL']));
    expect([...lookup.standIns]).toEqual(['LIH', 'SFO']);
    await sql`drop table airport`;
    await lookup.find(rows(['IAD', 'ATL']));
    await expect(lookup.find(rows(['BOS', 'ATL']))).rejects.toThrow('"airport"');
  } finally {
    await sql.end();
    await server.stop();
  }
}, 60_000);
