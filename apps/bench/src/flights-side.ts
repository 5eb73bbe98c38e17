import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { countFlights, parseAirports, prepareTables } from '@millrace/demo/parts';
import postgres from 'postgres';
import type { FlightsJob } from './demo/flights-job.js';

// The program that a fresh process runs for the suite `demo`: the whole job by hand, or one stage of the demo alone. The
// environment names the database. It prints one JSON object.

const { what, limit, serverPid } = JSON.parse(process.argv[2] ?? '{}') as FlightsJob;
const sql = postgres({ max: 2, onnotice: () => {} });
const data = new URL('../data/', import.meta.resolve('vega-datasets'));
const airports = parseAirports(await readFile(new URL('airports.csv', data), 'utf8'));
await prepareTables(sql, airports);
const report: Record<string, unknown> = {};
if (what === 'hand') {
  const { storeFlights } = await import('./hand/flights.js');
  const file = fileURLToPath(new URL('flights-3m.parquet', data));
  report['stored'] = await storeFlights({ sql, file, airports, limit });
} else if (what !== 'set-up') {
  const { runStage } = await import('./demo/stages.js');
  report['cpu'] = await runStage(what, { sql, airports, limit, serverPid });
}
report['rows'] = await countFlights(sql);
await sql.end({ timeout: 1 });
report['peakRssBytes'] = process.resourceUsage().maxRSS * 1024;
console.log(JSON.stringify(report));
