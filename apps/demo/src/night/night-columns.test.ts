import { expect, test } from 'vitest';
import type { Airport } from './airports.js';
import { createNightColumns, emptyColumns, type FlightColumns } from './night-columns.js';
import { createNightFlights } from './night-flights.js';

const place = (code: string, latitude: number, longitude: number, zone: string): Airport => {
  return { code, name: code, city: code, state: '', latitude, longitude, zone };
};

const AIRPORTS = [
  place('ATL', 33.64, -84.43, 'America/New_York'),
  place('LAX', 33.94, -118.41, 'America/Los_Angeles'),
  place('ANC', 61.17, -150, 'America/Anchorage'),
  place('HNL', 21.32, -157.92, 'Pacific/Honolulu'),
];

function columnsOf(rows: readonly (readonly [number, number, number])[], airports: readonly Airport[]): FlightColumns {
  const columns = emptyColumns(rows.length, JSON.stringify(airports));
  rows.forEach(([hour, origin, destination], row) => {
    columns.departureWallMs[row] = Date.UTC(2001, 3, 1, hour);
    columns.distanceMiles[row] = 2_000 + row;
    columns.origin[row] = origin;
    columns.destination[row] = destination;
  });
  return columns;
}

test('createNightColumns() gives each flight the miles that it has by itself', () => {
  const rows = Array.from({ length: 480 }, (_, number) => {
    const origin = number % 4;
    return [number % 24, origin, (origin + 1 + (number % 3)) % 4] as const;
  });
  const columns = columnsOf(rows, AIRPORTS);
  createNightColumns()(columns);
  const milesOf = createNightFlights(new Map(AIRPORTS.map((airport) => [airport.code, airport])));
  const alone = rows.map(([, origin, destination], row) =>
    milesOf({
      departureWallMs: columns.departureWallMs[row] as number,
      delayMinutes: 0,
      distanceMiles: columns.distanceMiles[row] as number,
      origin: AIRPORTS[origin]?.code as string,
      destination: AIRPORTS[destination]?.code as string,
    }),
  );
  expect([...columns.nightMiles]).toEqual(alone);
  expect(new Set(alone).size).toBeGreaterThan(100);
});

test('createNightColumns() takes another list of airports with each batch', () => {
  const fill = createNightColumns();
  const rows = [[20, 0, 1]] as const;
  const milesIn = (airports: readonly Airport[]): number => {
    const columns = columnsOf(rows, airports);
    fill(columns);
    return columns.nightMiles[0] as number;
  };
  const there = milesIn(AIRPORTS);
  const back = milesIn([...AIRPORTS].reverse());
  expect(back).not.toBe(there);
  expect(milesIn(AIRPORTS)).toBe(there);
});
