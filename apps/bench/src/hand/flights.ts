import {
  type Airport,
  createSunTable,
  createZoneClock,
  DATA_YEAR,
  type GreatCircle,
  greatCircle,
  nightMiles,
  type SunTable,
  wallToUtcMs,
  type ZoneClock,
} from '@millrace/demo/parts';
import type { Sql } from 'postgres';
import { FlightCopy } from './flight-copy.js';
import { type FlightColumns, FlightFile } from './flight-file.js';

/** Where the flights and the airports come from, and where they go. */
export interface FlightJob {
  readonly sql: Sql;
  /** The path of the Parquet file. */
  readonly file: string;
  /** The airports of the file, for those that the table does not have. */
  readonly airports: ReadonlyMap<string, Airport>;
  readonly limit: number;
}

const FIRST_MS = Date.UTC(DATA_YEAR, 0, 1);
const END_MS = Date.UTC(DATA_YEAR + 1, 0, 1);

/** An airport: what is known of it, and the ways from it by the number of the destination. */
interface Origin {
  readonly airport: Airport;
  readonly clock: ZoneClock;
  readonly ways: (GreatCircle | undefined)[];
}

/**
 * Does what the demo's pipeline does, by hand and as fast as we can: no object for a flight, airports as small numbers
 * from the decoder on, rows written into bytes that are laid out beforehand. It serves this file only.
 *
 * @returns How many flights were stored.
 */
export async function storeFlights({ sql, file: path, airports, limit }: FlightJob): Promise<number> {
  const file = new FlightFile(path);
  const copy = new FlightCopy(sql, file.codes);
  const rows = new FlightRows(copy);
  let left = limit;
  for (let group = 0; group < file.groups && left > 0; group++) {
    const columns = await file.read(group);
    rows.know(await findAirports(sql, airports, file.codes.slice(rows.airports)));
    const end = Math.min(columns.rows, left);
    left -= end;
    for (let row = 0; row < end; ) {
      row = rows.add(columns, row, end);
      if (copy.isFull) await copy.send();
    }
  }
  return copy.finish();
}

/** Looks up airports by their codes, those of the file standing in where the table has none. */
async function findAirports(
  sql: Sql,
  file: ReadonlyMap<string, Airport>,
  codes: readonly string[],
): Promise<readonly Airport[]> {
  if (codes.length === 0) return [];
  const found = await sql<Airport[]>`select * from airport where code = any(${codes as string[]})`;
  const known = new Map(found.map((airport) => [airport.code, airport]));
  return codes.map((code) => {
    const airport = known.get(code) ?? file.get(code);
    if (airport === undefined) throw new RangeError(`Cannot follow a flight: airport "${code}" is unknown`);
    return airport;
  });
}

/** Rejects, drops repeats, follows and encodes flights. */
class FlightRows {
  readonly #copy: FlightCopy;
  readonly #sun: SunTable = createSunTable(Date.UTC(DATA_YEAR, 0, 0), Date.UTC(DATA_YEAR + 1, 0, 3));
  readonly #clocks = new Map<string, ZoneClock>();
  readonly #origins: Origin[] = [];
  /** The flight that was possible and came last; a flight is equal to none at first. */
  readonly #last = { date: Number.NaN, delay: 0, distance: 0, origin: 0, destination: 0 };

  constructor(copy: FlightCopy) {
    this.#copy = copy;
  }

  /** How many airports are known. */
  get airports(): number {
    return this.#origins.length;
  }

  know(airports: readonly Airport[]): void {
    for (const airport of airports) {
      const clock = this.#clocks.get(airport.zone) ?? createZoneClock(airport.zone, DATA_YEAR);
      this.#clocks.set(airport.zone, clock);
      this.#origins.push({ airport, clock, ways: [] });
    }
  }

  /** Adds the flights of some rows until there is no room for more; gives the row to go on from. */
  add({ dates, delays, distances, from, to }: FlightColumns, first: number, end: number): number {
    const copy = this.#copy;
    const last = this.#last;
    for (let row = first; row < end; row++) {
      const date = dates[row] as number;
      const delay = delays[row] as number;
      const distance = distances[row] as number;
      const origin = from[row] as number;
      const destination = to[row] as number;
      if (!(date >= FIRST_MS && date < END_MS && date % 60_000 === 0)) continue;
      if (!(delay >= -120 && delay <= 2_880 && distance >= 1 && distance <= 10_000)) continue;
      if (origin === destination) continue;
      const isSameFlight = date === last.date && origin === last.origin && destination === last.destination;
      if (isSameFlight && delay === last.delay && distance === last.distance) continue;
      last.date = date;
      last.delay = delay;
      last.distance = distance;
      last.origin = origin;
      last.destination = destination;
      const { clock, ways } = this.#origins[origin] as Origin;
      const way = ways[destination] ?? this.#way(origin, destination);
      const miles = nightMiles(way, distance, wallToUtcMs(clock, date), this.#sun);
      if (copy.add(date, delay, distance, origin, destination, miles)) return row + 1;
    }
    return end;
  }

  #way(from: number, to: number): GreatCircle {
    const origin = this.#origins[from] as Origin;
    const way = greatCircle(origin.airport, (this.#origins[to] as Origin).airport);
    origin.ways[to] = way;
    return way;
  }
}
