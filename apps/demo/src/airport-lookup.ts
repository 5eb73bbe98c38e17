import { from } from '@millrace/core';
import { enrich, selectBy } from '@millrace/postgres';
import type { Sql } from 'postgres';
import type { CodeColumn, RowFlight } from './flights.js';
import type { Airport } from './night/airports.js';
import { type ColumnAirport, emptyColumns, type FlightColumns } from './night/night-columns.js';

/** The airports of the flights, as table `airport` has them. */
export interface AirportLookup {
  /** The codes of the airports that were found so far; columns refer to them by their places here. */
  readonly codes: readonly string[];
  /** The airports that the table does not have, and the file had to stand in for. */
  readonly standIns: ReadonlySet<string>;
  /**
   * Gives a batch its airports: flights by column, at once where all airports are known already.
   *
   * Rejects with a `RangeError` that names an airport which neither the table nor the file has.
   */
  enrich(flights: readonly RowFlight[]): FlightColumns | Promise<FlightColumns>;
}

/**
 * Makes the lookup of both airports of flights.
 *
 * PERF: it asks for the codes of a batch at a time, and for each code once. A stage `enrich` for each flight and end costs
 * 1.6 µs an item, twice, where all the rest costs 2.4 µs a flight; this costs less than 0.1, and columns need a number for
 * each airport anyway.
 *
 * @param sql - Where table `airport` is.
 * @param file - The airports of the file, for those that the table does not have.
 */
export function createAirportLookup(sql: Sql, file: ReadonlyMap<string, Airport>): AirportLookup {
  const standIns = new Set<string>();
  const found = enrich<string, Airport, readonly [string, Airport | undefined], Airport | undefined>(sql, {
    name: 'airport',
    key: (code) => code,
    query: selectBy<Airport>('airport', 'code'),
    inFlight: 1,
    fallback(code, error) {
      // A row that is not there has a stand-in; a database that is not there has none.
      if (error !== undefined) throw error;
      const airport = file.get(code);
      if (airport !== undefined) standIns.add(code);
      return airport;
    },
    into: (code, airport) => [code, airport],
  });
  const places = new Places();
  const airports: ColumnAirport[] = [];
  let list = '[]';

  async function learn(unknown: ReadonlySet<string>): Promise<void> {
    for (const [code, airport] of await from(unknown).pipeThrough(found).toArray()) {
      if (airport === undefined) throw unknownAirport(code);
      const { latitude, longitude, zone } = airport;
      airports.push({ latitude, longitude, zone });
      places.add(code);
    }
    list = JSON.stringify(airports);
  }

  return {
    codes: places.codes,
    standIns,
    enrich(flights) {
      const columns = emptyColumns(flights.length, list);
      const unknown = fillColumns(columns, flights, places);
      if (unknown.size === 0) return columns;
      return learn(unknown).then(() => {
        const complete = { ...columns, airports: list };
        fillColumns(complete, flights, places);
        return complete;
      });
    },
  };
}

/** The places of airports in the list that columns refer to. */
class Places {
  readonly codes: string[] = [];
  readonly #places = new Map<string, number>();
  /** For the codes of a column their places. */
  readonly #known = new WeakMap<CodeColumn['values'], { places: readonly (number | undefined)[]; codes: number }>();

  add(code: string): void {
    this.#places.set(code, this.codes.push(code) - 1);
  }

  /** Gives the place of each code of a column, by its index there; `undefined` where it has none yet. */
  of({ values }: CodeColumn): readonly (number | undefined)[] {
    const known = this.#known.get(values);
    if (known?.places.length === values.length && known.codes === this.codes.length) return known.places;
    const places = values.map((code) => this.#places.get(code ?? ''));
    this.#known.set(values, { places, codes: this.codes.length });
    return places;
  }
}

/** Fills all columns but the miles in the dark; gives the codes that have no place yet. */
function fillColumns(
  { departureWallMs, delayMinutes, distanceMiles, origin, destination }: FlightColumns,
  flights: readonly RowFlight[],
  places: Places,
): ReadonlySet<string> {
  const unknown = new Set<string>();
  for (let first = 0, end = 0; first < flights.length; first = end) {
    const { rows } = flights[first] as RowFlight;
    const { columns } = rows;
    const origins = places.of(columns.origin);
    const destinations = places.of(columns.destination);
    for (end = first; end < flights.length; end++) {
      const flight = flights[end] as RowFlight;
      if (flight.rows !== rows) break;
      const { row } = flight;
      const from = origins[columns.origin.indexes[row] as number];
      const to = destinations[columns.destination.indexes[row] as number];
      if (from === undefined) unknown.add(flight.origin);
      if (to === undefined) unknown.add(flight.destination);
      departureWallMs[end] = columns.date[row] as number;
      delayMinutes[end] = columns.delay[row] as number;
      distanceMiles[end] = columns.distance[row] as number;
      origin[end] = from ?? 0;
      destination[end] = to ?? 0;
    }
  }
  return unknown;
}

function unknownAirport(code: string): RangeError {
  return new RangeError(`Cannot follow a flight: airport "${code}" is unknown (it must be in the list)`);
}
