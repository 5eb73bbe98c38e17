import type { Airport } from './airports.js';
import { CRUISE_MPH, NIGHT_ALTITUDE_DEGREES, STEP_MILES, TAXI_AND_CLIMB_MINUTES } from './darkness.js';
import type { Flight } from './flight.js';

/** How many routes the table lists. */
export const TOP_ROUTES = 10;
const BAR_WIDTH = 40;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Flights and miles added up, and how many of the miles were dark. */
export interface MilesTotal {
  flights: number;
  miles: number;
  nightMiles: number;
}

/** The total of one route, in one direction. */
export interface RouteTotal extends MilesTotal {
  readonly origin: string;
  readonly destination: string;
}

/** Adds up how much of the flying was done in the dark. */
export interface NightReport {
  /** Counts one flight and how many of its miles were dark. Allocates only for a route it has not met. */
  add(flight: Flight, nightMiles: number): void;
  readonly overall: Readonly<MilesTotal>;
  /** Twelve, January first. */
  readonly byMonth: readonly Readonly<MilesTotal>[];
  /** Twenty-four, by the local hour of departure. */
  readonly byHour: readonly Readonly<MilesTotal>[];
  /** The routes with most night miles, most first; of equal ones the first by name. */
  topRoutes(count: number): Readonly<RouteTotal>[];
  /** The longest flight that was dark all the way; of equal ones the first. */
  readonly longestAllNight: Flight | undefined;
  /**
   * Writes all of it as a table of at most 100 columns of plain text, with the assumptions under it.
   *
   * @param airports - To name the cities; a route of airports that are not in it is shown by its codes.
   */
  toText(airports: ReadonlyMap<string, Airport>): string;
}

/** Totals that somebody else has added up, as a database does. */
export interface NightTotals {
  /** By month, of which January is 1, and local hour of departure; in any order. */
  readonly hours: readonly (Readonly<MilesTotal> & { readonly month: number; readonly hour: number })[];
  /** The routes with most night miles, most first. */
  readonly routes: readonly Readonly<RouteTotal>[];
  readonly longestAllNight: Flight | undefined;
}

/** Makes a report of totals; of the routes it has those that are given. */
export function reportOf({ hours, routes, longestAllNight }: NightTotals): Omit<NightReport, 'add'> {
  const overall = emptyTotal();
  const byMonth = Array.from({ length: 12 }, emptyTotal);
  const byHour = Array.from({ length: 24 }, emptyTotal);
  for (const { month, hour, flights, miles, nightMiles } of hours) {
    for (const total of [overall, byMonth[month - 1] as MilesTotal, byHour[hour] as MilesTotal]) {
      total.flights += flights;
      total.miles += miles;
      total.nightMiles += nightMiles;
    }
  }
  const topRoutes = (count: number): Readonly<RouteTotal>[] => routes.slice(0, count);
  const figures = { overall, byMonth, byHour, topRoutes, longestAllNight };
  return { ...figures, toText: (airports) => reportText(figures, airports) };
}

/**
 * Makes an empty report. It keeps one total for each route: 3,399 in the data.
 *
 * @returns The report; it can be read at any time, also while flights are still being added.
 */
export function createNightReport(): NightReport {
  const overall = emptyTotal();
  const byMonth = Array.from({ length: 12 }, emptyTotal);
  const byHour = Array.from({ length: 24 }, emptyTotal);
  const routes = new Map<string, Map<string, RouteTotal>>();
  let longest: Flight | undefined;
  const report: NightReport = {
    add(flight, nightMiles) {
      const date = new Date(flight.departureWallMs);
      addTo(overall, flight, nightMiles);
      addTo(byMonth[date.getUTCMonth()] as MilesTotal, flight, nightMiles);
      addTo(byHour[date.getUTCHours()] as MilesTotal, flight, nightMiles);
      addTo(routeOf(routes, flight), flight, nightMiles);
      if (nightMiles === flight.distanceMiles && nightMiles > (longest?.distanceMiles ?? 0)) longest = flight;
    },
    overall,
    byMonth,
    byHour,
    topRoutes(count) {
      const all = [...routes.values()].flatMap((destinations) => [...destinations.values()]);
      return all.sort((a, b) => b.nightMiles - a.nightMiles || compareRoutes(a, b)).slice(0, count);
    },
    get longestAllNight() {
      return longest;
    },
    toText: (airports) => reportText(report, airports),
  };
  return report;
}

function reportText(report: Omit<NightReport, 'add' | 'toText'>, airports: ReadonlyMap<string, Airport>): string {
  const { overall, byMonth, byHour, longestAllNight } = report;
  const months = MONTHS.map((name, i) => ({ name, total: byMonth[i] as MilesTotal })).filter(
    (m) => m.total.flights > 0,
  );
  const hours = byHour.map((total, hour) => ({ name: `${pad2(hour)}:00`, total }));
  return [
    `Miles flown in the dark: ${percent(overall)} of ${count(overall.miles)} miles on ${count(overall.flights)} flights`,
    '',
    ...shareTable('Month', months),
    '',
    ...shareTable('Leaves', hours),
    '',
    ...routeTable(report.topRoutes(TOP_ROUTES), airports),
    '',
    longestAllNight === undefined
      ? 'No flight was dark all the way.'
      : `Longest flight dark all the way: ${flightText(longestAllNight, airports)}`,
    '',
    ...ASSUMPTIONS,
    '',
  ].join('\n');
}

const ASSUMPTIONS = [
  'Assumptions',
  '- A sample of flights in the United States, January to June 2001: shares, not national totals.',
  '  A flight that left at 24:00 is counted on the next day, so a few of 30 June are in July.',
  '- Departure is the time the flight left, by the clock at its origin; delays are not used.',
  `- Every flight takes the great circle at ${CRUISE_MPH} mph, after ${TAXI_AND_CLIMB_MINUTES} minutes of taxi and climb:`,
  '  no wind, no detours.',
  `- Looked at every ${STEP_MILES} miles. Dark is where the sun is more than ${-NIGHT_ALTITUDE_DEGREES}° below the horizon (civil night),`,
  '  seen from the ground below; the sun by Meeus, good to 0.01°.',
];

function shareTable(title: string, rows: readonly { readonly name: string; readonly total: MilesTotal }[]): string[] {
  return [
    `${title.padEnd(8)}${'flights'.padStart(11)}${'miles'.padStart(15)}${'in the dark'.padStart(14)}`,
    ...rows.map(({ name, total }) => {
      const bar = '█'.repeat(Math.round(share(total) * BAR_WIDTH));
      const figures = `${count(total.flights).padStart(11)}${count(total.miles).padStart(15)}${percent(total).padStart(14)}`;
      return `${name.padEnd(8)}${figures}  ${bar}`.trimEnd();
    }),
  ];
}

function routeTable(routes: readonly RouteTotal[], airports: ReadonlyMap<string, Airport>): string[] {
  return [
    `${'Most night miles'.padEnd(54)}${'flights'.padStart(9)}${'night miles'.padStart(14)}${'in the dark'.padStart(14)}`,
    ...routes.map((route) => {
      const name = `${route.origin}–${route.destination}  ${routeText(route, airports)}`;
      const figures = `${count(route.flights).padStart(9)}${count(route.nightMiles).padStart(14)}${percent(route).padStart(14)}`;
      return `${clip(name, 53).padEnd(54)}${figures}`;
    }),
  ];
}

function flightText(flight: Flight, airports: ReadonlyMap<string, Airport>): string {
  const when = new Date(flight.departureWallMs).toISOString().slice(0, 16).replace('T', ' at ');
  return (
    `${flight.origin}–${flight.destination},\n  ${clip(routeText(flight, airports), 90)},\n` +
    `  ${count(flight.distanceMiles)} miles, left on ${when}, local time`
  );
}

interface Ends {
  readonly origin: string;
  readonly destination: string;
}

function routeText({ origin, destination }: Ends, airports: ReadonlyMap<string, Airport>): string {
  const [from, to] = [airports.get(origin), airports.get(destination)];
  return `${from?.city ?? origin} to ${to?.city ?? destination}`;
}

function routeOf(routes: Map<string, Map<string, RouteTotal>>, { origin, destination }: Ends): RouteTotal {
  let destinations = routes.get(origin);
  if (destinations === undefined) {
    destinations = new Map();
    routes.set(origin, destinations);
  }
  let route = destinations.get(destination);
  if (route === undefined) {
    route = { origin, destination, ...emptyTotal() };
    destinations.set(destination, route);
  }
  return route;
}

function compareRoutes(a: Ends, b: Ends): number {
  return `${a.origin}-${a.destination}` < `${b.origin}-${b.destination}` ? -1 : 1;
}

function emptyTotal(): MilesTotal {
  return { flights: 0, miles: 0, nightMiles: 0 };
}

function addTo(total: MilesTotal, { distanceMiles }: Flight, nightMiles: number): void {
  total.flights += 1;
  total.miles += distanceMiles;
  total.nightMiles += nightMiles;
}

function share({ miles, nightMiles }: MilesTotal): number {
  return miles === 0 ? 0 : nightMiles / miles;
}

function percent(total: MilesTotal): string {
  return total.flights === 0 ? '–' : `${(share(total) * 100).toFixed(1)} %`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function clip(text: string, columns: number): string {
  return text.length > columns ? `${text.slice(0, columns - 1)}…` : text;
}

function pad2(value: number): string {
  return String(value).padStart(2, '0');
}
