import { dedupeConsecutive, filter, flatMap, map, type Pipeline, take } from '@millrace/core';
import { type FlightRows, flightsOf } from './flights.js';
import { type Flight, flightFault, isRepeat } from './night/flight.js';

/** A flight, and how many of its miles were flown in the dark. */
export interface NightFlight {
  readonly flight: Flight;
  readonly nightMiles: number;
}

/** The name of the stage that makes the flights: what is counted begins there. */
export const FLIGHTS = 'flights';

/** What the pipeline needs beside the rows. */
export interface NightPipelineOptions {
  /** Flights to read; `undefined` for all. */
  readonly limit: number | undefined;
  /** Says how many miles of a flight were dark. */
  readonly nightMilesOf: (flight: Flight) => number;
}

/** Joins the stages: rows → flights → reject the impossible → drop repeats → darkness. It serves one run. */
export function nightPipeline(rows: Pipeline<FlightRows>, options: NightPipelineOptions): Pipeline<NightFlight> {
  const { limit, nightMilesOf } = options;
  // A row group is 11 MB: the next one is read when this one is used up.
  const flights = rows.pipeThrough(flatMap(flightsOf, { name: FLIGHTS, highWaterMark: 0 }));
  return (limit === undefined ? flights : flights.pipeThrough(take(limit, { name: 'limit' })))
    .pipeThrough(filter((flight) => flightFault(flight) === undefined, { name: 'reject impossible' }))
    .pipeThrough(dedupeConsecutive(firstOfEquals(), { name: 'drop repeats' }))
    .pipeThrough(map((flight) => ({ flight, nightMiles: nightMilesOf(flight) }), { name: 'darkness' }));
}

/** Makes a key that costs no string: of flights equal in every column, the first stands for all. */
function firstOfEquals(): (flight: Flight) => Flight {
  let first: Flight | undefined;
  return (flight) => {
    if (first === undefined || !isRepeat(first, flight)) first = flight;
    return first;
  };
}
