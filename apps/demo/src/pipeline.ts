import { batch, dedupeConsecutive, filter, flatMap, map, mapAsync, type Pipeline, take } from '@millrace/core';
import { type FlightRows, flightsOf } from './flights.js';
import { type Flight, flightFault, isRepeat } from './night/flight.js';
import type { FlightRow } from './tables.js';

/** The name of the stage that makes the flights: what is counted begins there. */
export const FLIGHTS = 'flights';

/** The name of the stage that makes batches of them. */
export const BATCH = 'batch';

/** How many flights go into the database at a time. */
const BATCH_FLIGHTS = 5_000;

/** What the pipeline needs beside the rows. */
export interface NightPipelineOptions {
  /** Flights to read; `undefined` for all. */
  readonly limit: number | undefined;
  /** Looks up the airports of a row group before its flights need them. */
  readonly findAirports: (rows: FlightRows) => Promise<void>;
  /** Says how many miles of a flight were dark. */
  readonly nightMilesOf: (flight: Flight) => number;
}

/**
 * Joins the stages: rows → airports → flights → reject the impossible → drop repeats → darkness → batch. It serves one
 * run.
 */
export function nightPipeline(rows: Pipeline<FlightRows>, options: NightPipelineOptions): Pipeline<FlightRow[]> {
  const { limit, findAirports, nightMilesOf } = options;
  const withAirports = async (group: FlightRows): Promise<FlightRows> => {
    await findAirports(group);
    return group;
  };
  // A row group is 11 MB: the next one is read when this one is used up.
  const flights = rows
    .pipeThrough(mapAsync(withAirports, { name: 'airports', concurrency: 1 }))
    .pipeThrough(flatMap(flightsOf, { name: FLIGHTS, highWaterMark: 0 }));
  return (limit === undefined ? flights : flights.pipeThrough(take(limit, { name: 'limit' })))
    .pipeThrough(filter((flight) => flightFault(flight) === undefined, { name: 'reject impossible' }))
    .pipeThrough(dedupeConsecutive(firstOfEquals(), { name: 'drop repeats' }))
    .pipeThrough(map((flight) => rowOf(flight, nightMilesOf(flight)), { name: 'darkness' }))
    .pipeThrough(batch({ maxItems: BATCH_FLIGHTS, name: BATCH }));
}

function rowOf(flight: Flight, nightMiles: number): FlightRow {
  return {
    departure: new Date(flight.departureWallMs),
    delay: flight.delayMinutes,
    distance: flight.distanceMiles,
    origin: flight.origin,
    destination: flight.destination,
    night_miles: nightMiles,
  };
}

/** Makes a key that costs no string: of flights equal in every column, the first stands for all. */
function firstOfEquals(): (flight: Flight) => Flight {
  let first: Flight | undefined;
  return (flight) => {
    if (first === undefined || !isRepeat(first, flight)) first = flight;
    return first;
  };
}
