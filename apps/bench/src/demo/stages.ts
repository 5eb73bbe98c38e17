import { batch, deadLetter, dedupeConsecutive, flatMap, from, mapAsync, type Pipeline, take } from '@millrace/core';
import {
  type Airport,
  type AirportLookup,
  createAirportLookup,
  createNightColumns,
  type FlightColumns,
  flightSink,
  flightsOf,
  isRepeat,
  openDarkness,
  openData,
  type RowFlight,
  rejectImpossible,
} from '@millrace/demo/parts';
import type { Sql } from 'postgres';
import { familyOf, familySince } from './cpu-time.js';
import type { StageName } from './flights-job.js';

/** What the stages need. */
export interface StageOptions {
  readonly sql: Sql;
  readonly airports: ReadonlyMap<string, Airport>;
  /** How many flights go through it. */
  readonly limit: number;
  /** The first process of PostgreSQL. */
  readonly serverPid: number;
}

/** A stage that has begun: it takes the flights of a row group, or what the stages before made of them. */
interface Alone {
  /** Makes what goes in, and gives the function that lets it through. */
  feed(flights: Pipeline<RowFlight>): Promise<() => Promise<unknown>>;
  end?(): Promise<void>;
}

/**
 * Runs a stage alone over as much as the demo reads, a row group at a time, so that the heap is as small as in the demo.
 *
 * @returns Its CPU time in microseconds, PostgreSQL included, without what it took to make what goes in.
 */
export async function runStage(stage: StageName, options: StageOptions): Promise<number> {
  let costUs = 0;
  const measured = async <T>(work: () => Promise<T> | T): Promise<T> => {
    const server = familyOf(options.serverPid);
    const before = process.cpuUsage();
    const result = await work();
    const { user, system } = process.cpuUsage(before);
    costUs += user + system + (await familySince(options.serverPid, server));
    return result;
  };
  if (stage === 'read') {
    await measured(async () => ended(await readFlights(options)));
    return costUs;
  }
  const alone = await measured(() => STAGE[stage](options));
  let left = options.limit;
  for await (const group of (await openData(1)).rows) {
    const flights = from([group])
      .pipeThrough(flatMap(flightsOf))
      .pipeThrough(take(Math.min(left, group.rowCount)));
    await measured(await alone.feed(flights));
    left -= group.rowCount;
    if (left <= 0) break;
  }
  await measured(() => alone.end?.());
  return costUs;
}

const STAGE: Readonly<Record<Exclude<StageName, 'read'>, (options: StageOptions) => Alone>> = {
  'reject, drop repeats, batch': () => ({
    async feed(flights) {
      const input = from(await flights.toArray());
      return () => ended(batches(input));
    },
  }),
  airports({ sql, airports }) {
    const lookup = createAirportLookup(sql, airports);
    return {
      async feed(flights) {
        const input = from(await batches(flights).toArray());
        return () => ended(input.pipeThrough(mapAsync((each) => lookup.enrich(each), { concurrency: 1 })));
      },
    };
  },
  darkness({ sql, airports }) {
    const lookup = createAirportLookup(sql, airports);
    const { stage, close } = openDarkness();
    return {
      async feed(flights) {
        const input = from(await columnsOf(flights, lookup));
        return () => ended(input.pipeThrough(stage));
      },
      end: close,
    };
  },
  store({ sql, airports }) {
    const lookup = createAirportLookup(sql, airports);
    const fillNightMiles = createNightColumns();
    const table = flightSink(sql, lookup.codes);
    return {
      async feed(flights) {
        const columns = await columnsOf(flights, lookup);
        columns.forEach(fillNightMiles);
        return () => from(columns).run(table).finished;
      },
    };
  },
};

/** Runs to the end, keeping nothing. */
function ended<T>(items: Pipeline<T>): Promise<void> {
  return items.forEach(() => {});
}

async function readFlights({ limit }: StageOptions): Promise<Pipeline<RowFlight>> {
  const { rows } = await openData(1);
  return rows.pipeThrough(flatMap(flightsOf, { highWaterMark: 0 })).pipeThrough(take(limit));
}

function batches(flights: Pipeline<RowFlight>): Pipeline<RowFlight[]> {
  let first: RowFlight | undefined;
  return flights
    .pipeThrough(rejectImpossible(deadLetter(new WritableStream())))
    .pipeThrough(
      dedupeConsecutive((flight) => {
        if (first === undefined || !isRepeat(first, flight)) first = flight;
        return first;
      }),
    )
    .pipeThrough(batch({ maxItems: 5_000 }));
}

function columnsOf(flights: Pipeline<RowFlight>, { enrich }: AirportLookup): Promise<FlightColumns[]> {
  return batches(flights)
    .pipeThrough(mapAsync(enrich, { concurrency: 1 }))
    .toArray();
}
