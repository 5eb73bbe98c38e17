import type { FlightColumns } from './night/night-columns.js';
import type { FlightRow } from './tables.js';

/**
 * Makes the rows that are stored of the columns of a batch.
 *
 * @param codes - The codes of the airports, in the order of the list that the columns refer to.
 */
export function flightRows(columns: FlightColumns, codes: readonly string[]): FlightRow[] {
  const { rowCount, departureWallMs, delayMinutes, distanceMiles, nightMiles, origin, destination } = columns;
  const rows: FlightRow[] = [];
  for (let row = 0; row < rowCount; row++) {
    rows.push({
      departure: new Date(departureWallMs[row] as number),
      delay: delayMinutes[row] as number,
      distance: distanceMiles[row] as number,
      origin: codes[origin[row] as number] as string,
      destination: codes[destination[row] as number] as string,
      night_miles: nightMiles[row] as number,
    });
  }
  return rows;
}
