import type { Airport } from './airports.js';
import { nightMiles } from './darkness.js';
import { DATA_YEAR, type Flight } from './flight.js';
import { type GreatCircle, greatCircle } from './great-circle.js';
import { createSunTable } from './sun-table.js';
import { createZoneClock, wallToUtcMs, type ZoneClock } from './zones.js';

/** What {@link createNightFlights} can be told. */
export interface NightFlightsOptions {
  /**
   * How departure times are read: `'local'` at the origin, as the data means them, or `'utc'`, which is wrong on purpose
   * and shows how much depends on it. Default: `'local'`.
   */
  readonly clock?: 'local' | 'utc';
}

/**
 * Makes the function that says how many miles of a flight were flown in the dark: all of them where it was dark all the
 * way. It remembers each route and zone that it has met.
 *
 * @param airports - By code; every flight's origin and destination must be among them.
 * @param options - `clock` (default: `'local'`).
 * @returns A function of a flight for which `flightFault` finds nothing: 0.4 µs a call. It throws `RangeError` where an
 * airport is unknown, and keeps one great circle for each route, 3,399 in the data.
 */
export function createNightFlights(
  airports: ReadonlyMap<string, Airport>,
  options: NightFlightsOptions = {},
): (flight: Flight) => number {
  const isLocal = (options.clock ?? 'local') === 'local';
  // A day on each side: wall-clock time is up to 14 hours off, and a flight lasts for some more.
  const sun = createSunTable(Date.UTC(DATA_YEAR, 0, 0), Date.UTC(DATA_YEAR + 1, 0, 3));
  const clocks = new Map<string, ZoneClock>();
  const origins = new Map<string, Origin>();

  function originOf(code: string): Origin {
    const airport = airportOf(airports, code);
    const { zone } = airport;
    let clock = clocks.get(zone);
    if (clock === undefined) {
      clock = createZoneClock(zone, DATA_YEAR);
      clocks.set(zone, clock);
    }
    const origin = { airport, clock, ways: new Map<string, GreatCircle>() };
    origins.set(code, origin);
    return origin;
  }

  return (flight) => {
    const { departureWallMs, distanceMiles, destination } = flight;
    const origin = origins.get(flight.origin) ?? originOf(flight.origin);
    let way = origin.ways.get(destination);
    if (way === undefined) {
      way = greatCircle(origin.airport, airportOf(airports, destination));
      origin.ways.set(destination, way);
    }
    const departureMs = isLocal ? wallToUtcMs(origin.clock, departureWallMs) : departureWallMs;
    return nightMiles(way, distanceMiles, departureMs, sun);
  };
}

interface Origin {
  readonly airport: Airport;
  readonly clock: ZoneClock;
  /** By the code of the destination. */
  readonly ways: Map<string, GreatCircle>;
}

function airportOf(airports: ReadonlyMap<string, Airport>, code: string): Airport {
  const airport = airports.get(code);
  if (airport === undefined)
    throw new RangeError(`Cannot follow a flight: airport "${code}" is unknown (it must be in the list)`);
  return airport;
}
