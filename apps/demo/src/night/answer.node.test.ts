import { batch, from } from '@millrace/core';
import { copyInto } from '@millrace/postgres';
import { startPostgres } from '@millrace/postgres/embedded';
import postgres from 'postgres';
import { expect, test } from 'vitest';
import { prepareTables } from '../tables.js';
import { countFlights, readAnswer } from './answer.js';
import type { Flight } from './flight.js';
import { createNightReport, TOP_ROUTES } from './report.js';

const HOUR_MS = 3_600_000;

/** Flights of half a year in no order, some dark all the way; every figure is a whole number. */
function flights(): { readonly flight: Flight; readonly nightMiles: number }[] {
  return Array.from({ length: 3_000 }, (_, n) => {
    const flight = {
      departureWallMs: Date.UTC(2001, 0, 1) + ((n * 7_919) % 4_344) * HOUR_MS,
      delayMinutes: (n % 90) - 30,
      distanceMiles: 100 + ((n * 37) % 2_000),
      origin: `A${n % 7}`,
      destination: `b${n % 5}`,
    };
    return { flight, nightMiles: n % 3 === 0 ? flight.distanceMiles : (n * 13) % 100 };
  });
}

test('readAnswer() tells from the table what the flights themselves tell', async () => {
  const server = await startPostgres();
  const sql = postgres({ ...server.connection, onnotice: () => {} });
  try {
    await prepareTables(sql, new Map());
    expect((await readAnswer(sql)).toText(new Map())).toBe(createNightReport().toText(new Map()));
    const all = flights();
    const report = createNightReport();
    for (const { flight, nightMiles } of all) report.add(flight, nightMiles);
    const rows = all.map(({ flight, nightMiles }) => ({
      departure: new Date(flight.departureWallMs),
      delay: flight.delayMinutes,
      distance: flight.distanceMiles,
      origin: flight.origin,
      destination: flight.destination,
      night_miles: nightMiles,
    }));
    await from(rows)
      .pipeThrough(batch({ maxItems: 1_000 }))
      .run(copyInto(sql, 'flight')).finished;
    const answer = await readAnswer(sql);
    expect(await countFlights(sql)).toBe(all.length);
    expect(answer.overall).toEqual(report.overall);
    expect(answer.byMonth).toEqual(report.byMonth);
    expect(answer.byHour).toEqual(report.byHour);
    expect(answer.topRoutes(TOP_ROUTES)).toEqual(report.topRoutes(TOP_ROUTES));
    expect(answer.longestAllNight?.distanceMiles).toBe(report.longestAllNight?.distanceMiles);
    await prepareTables(sql, new Map());
    expect(await countFlights(sql)).toBe(0);
  } finally {
    await sql.end();
    await server.stop();
  }
}, 60_000);
