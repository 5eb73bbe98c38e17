import {
  batch,
  type DeadLetterOffice,
  dedupeConsecutive,
  flatMap,
  mapAsync,
  type Pipeline,
  type Stage,
  take,
} from '@millrace/core';
import type { AirportLookup } from './airport-lookup.js';
import { type FlightRows, flightsOf, type RowFlight } from './flights.js';
import { type Flight, isRepeat } from './night/flight.js';
import type { FlightColumns } from './night/night-columns.js';
import { rejectImpossible } from './reject-impossible.js';

/** The name of the stage that makes the flights: what is counted begins there. */
export const FLIGHTS = 'flights';

/** The name of the stage that makes batches of them. */
export const BATCH = 'batch';

/** How many flights go to a worker, and into the database, at a time. */
const BATCH_FLIGHTS = 5_000;

/** What the pipeline needs beside the rows. */
export interface NightPipelineOptions {
  /** Flights to read; `undefined` for all. */
  readonly limit: number | undefined;
  /** How long a flight may wait for its batch to fill; `undefined` for as long as it takes. */
  readonly maxWaitMs?: number | undefined;
  /** Takes the impossible flights. */
  readonly rejects: DeadLetterOffice<Flight>;
  /** Looks up both airports of flights. */
  readonly airports: Pick<AirportLookup, 'enrich'>;
  /** Says how many miles of each flight were dark. */
  readonly darkness: Stage<FlightColumns, FlightColumns>;
}

/**
 * Joins the stages: rows → flights → reject the impossible → drop repeats → batch → airports → darkness. It serves one
 * run.
 */
export function nightPipeline(rows: Pipeline<FlightRows>, options: NightPipelineOptions): Pipeline<FlightColumns> {
  const { limit, maxWaitMs, rejects, airports, darkness } = options;
  // A row group is 11 MB: the next one is read when this one is used up.
  const flights = rows.pipeThrough(flatMap(flightsOf, { name: FLIGHTS, highWaterMark: 0 }));
  return (limit === undefined ? flights : flights.pipeThrough(take(limit, { name: 'limit' })))
    .pipeThrough(rejectImpossible<RowFlight>(rejects))
    .pipeThrough(dedupeConsecutive(firstOfEquals(), { name: 'drop repeats' }))
    .pipeThrough(batch({ maxItems: BATCH_FLIGHTS, ...(maxWaitMs !== undefined && { maxWaitMs }), name: BATCH }))
    .pipeThrough(mapAsync((each) => airports.enrich(each), { name: 'airports', concurrency: 1 }))
    .pipeThrough(darkness);
}

/** Makes a key that costs no string: of flights equal in every column, the first stands for all. */
function firstOfEquals(): (flight: RowFlight) => RowFlight {
  let first: RowFlight | undefined;
  return (flight) => {
    if (first === undefined || !isRepeat(first, flight)) first = flight;
    return first;
  };
}
