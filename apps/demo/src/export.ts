import { Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { cbor, ndjson } from '@millrace/codecs';
import { flatMap, map, type Pipeline, take } from '@millrace/core';
import { openData } from './data.js';
import { flightsOf } from './flights.js';
import type { Flight } from './night/flight.js';

// Writes the flights of the file to standard output as clients of `--listen` send them.

const { values } = parseArgs({
  options: {
    limit: { type: 'string', default: '3000000' },
    repeat: { type: 'string', default: '1' },
    cbor: { type: 'boolean', default: false },
  },
});

const { rows } = await openData(Number(values.repeat));
const records: Pipeline<object> = rows
  .pipeThrough(flatMap(flightsOf, { name: 'flights', highWaterMark: 0 }))
  .pipeThrough(take(Number(values.limit)))
  .pipeThrough(map(recordOf));
const bytes = records.pipeThrough(values.cbor ? cbor.encode() : ndjson.encode());
await bytes.pipeTo(Writable.toWeb(process.stdout)).catch((error) => {
  // A reader that has seen enough, such as `head`.
  if (error?.cause?.code !== 'EPIPE') throw error;
});

function recordOf({ departureWallMs, delayMinutes, distanceMiles, origin, destination }: Flight): object {
  const date = new Date(departureWallMs).toISOString().slice(0, 16);
  return { date, delay: delayMinutes, distance: distanceMiles, origin, destination };
}
