import type { Sql } from 'postgres';
import type { Flight } from './flight.js';
import { type MilesTotal, type NightReport, type RouteTotal, reportOf, TOP_ROUTES } from './report.js';

interface HourTotal extends MilesTotal {
  /** January is 1. */
  readonly month: number;
  readonly hour: number;
}

/** Asks the database how much of the flying that is stored in table `flight` was done in the dark. */
export async function readAnswer(sql: Sql): Promise<Omit<NightReport, 'add'>> {
  const hours = await sql<HourTotal[]>`
    select date_part('month', departure)::int as month, date_part('hour', departure)::int as hour,
      count(*)::int as flights, sum(distance)::float8 as miles, sum(night_miles) as "nightMiles"
    from flight group by 1, 2`;
  const routes = await sql<RouteTotal[]>`
    select origin, destination,
      count(*)::int as flights, sum(distance)::float8 as miles, sum(night_miles) as "nightMiles"
    from flight group by 1, 2
    order by 5 desc, origin collate "C", destination collate "C" limit ${TOP_ROUTES}`;
  const longest = await sql<Flight[]>`
    select (date_part('epoch', departure) * 1000)::float8 as "departureWallMs", delay as "delayMinutes",
      distance as "distanceMiles", origin, destination
    from flight where night_miles = distance
    order by distance desc, departure, origin collate "C", destination collate "C" limit 1`;
  return reportOf({ hours, routes, longestAllNight: longest[0] });
}

/** Counts the flights that are stored. */
export async function countFlights(sql: Sql): Promise<number> {
  const [row] = await sql<{ rows: number }[]>`select count(*)::int as rows from flight`;
  return row?.rows ?? 0;
}
