import { nightMiles } from './darkness.js';
import { DATA_YEAR } from './flight.js';
import { type GreatCircle, greatCircle, type Place } from './great-circle.js';
import { createSunTable } from './sun-table.js';
import { createZoneClock, wallToUtcMs, type ZoneClock } from './zones.js';

/**
 * A batch of flights by column: what goes to a worker and comes back without a copy, since the numbers of all columns
 * are in one buffer, which moves.
 */
export interface FlightColumns {
  readonly rowCount: number;
  readonly buffer: ArrayBuffer;
  readonly departureWallMs: Float64Array;
  /** Miles in the dark; the worker fills it. */
  readonly nightMiles: Float64Array;
  readonly delayMinutes: Int32Array;
  readonly distanceMiles: Int32Array;
  /** Places in the list of `airports`. */
  readonly origin: Uint16Array;
  readonly destination: Uint16Array;
  /**
   * The list of the airports as JSON: see {@link ColumnAirport}. It only ever grows in a run.
   *
   * PERF: one text of 20 kB crosses in 2 µs and is compared in less; the list itself would be cloned object by object,
   * 0.1 µs a flight.
   */
  readonly airports: string;
}

/** What the darkness of a flight takes to know of an airport. */
export interface ColumnAirport extends Place {
  readonly zone: string;
}

/** Makes empty columns with room for `rowCount` flights. */
export function emptyColumns(rowCount: number, airports: string): FlightColumns {
  // The widest first, so that each begins where its numbers may.
  const buffer = new ArrayBuffer(rowCount * (8 + 8 + 4 + 4 + 2 + 2));
  return {
    rowCount,
    buffer,
    departureWallMs: new Float64Array(buffer, 0, rowCount),
    nightMiles: new Float64Array(buffer, rowCount * 8, rowCount),
    delayMinutes: new Int32Array(buffer, rowCount * 16, rowCount),
    distanceMiles: new Int32Array(buffer, rowCount * 20, rowCount),
    origin: new Uint16Array(buffer, rowCount * 24, rowCount),
    destination: new Uint16Array(buffer, rowCount * 26, rowCount),
    airports,
  };
}

interface RouteEnd extends Place {
  readonly clock: ZoneClock;
  /** By the place of the destination in the list. */
  readonly ways: (GreatCircle | undefined)[];
}

/**
 * Makes the function that fills the column `nightMiles` of batches. It remembers each zone, and each route as long as the
 * list of airports is the same.
 *
 * @returns A function of columns for whose flights `flightFault` finds nothing: 0.4 µs a flight.
 */
export function createNightColumns(): (columns: FlightColumns) => void {
  // A day on each side: wall-clock time is up to 14 hours off, and a flight lasts for some more.
  const sun = createSunTable(Date.UTC(DATA_YEAR, 0, 0), Date.UTC(DATA_YEAR + 1, 0, 3));
  const clocks = new Map<string, ZoneClock>();
  let airports = '';
  let ends: readonly RouteEnd[] = [];

  function endOf({ latitude, longitude, zone }: ColumnAirport): RouteEnd {
    let clock = clocks.get(zone);
    if (clock === undefined) {
      clock = createZoneClock(zone, DATA_YEAR);
      clocks.set(zone, clock);
    }
    return { latitude, longitude, clock, ways: [] };
  }

  return (columns) => {
    if (columns.airports !== airports) {
      ends = (JSON.parse(columns.airports) as ColumnAirport[]).map(endOf);
      airports = columns.airports;
    }
    const { rowCount, departureWallMs, distanceMiles, origin, destination } = columns;
    for (let row = 0; row < rowCount; row++) {
      const start = ends[origin[row] as number] as RouteEnd;
      const goal = destination[row] as number;
      const way = start.ways[goal] ?? greatCircle(start, ends[goal] as RouteEnd);
      start.ways[goal] = way;
      const departureUtcMs = wallToUtcMs(start.clock, departureWallMs[row] as number);
      columns.nightMiles[row] = nightMiles(way, distanceMiles[row] as number, departureUtcMs, sun);
    }
  };
}
