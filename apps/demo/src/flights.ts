import type { Flight } from './night/flight.js';

/** The columns that the demo reads, and what each holds. */
export const FLIGHT_COLUMNS = {
  date: 'number',
  delay: 'number',
  distance: 'number',
  origin: 'string',
  destination: 'string',
} as const;

/** A row group of the file, as far as the demo looks at it. */
export interface FlightRows {
  readonly rowCount: number;
  readonly columns: {
    readonly date: ArrayLike<number>;
    readonly delay: ArrayLike<number>;
    readonly distance: ArrayLike<number>;
    readonly origin: ArrayLike<string | null>;
    readonly destination: ArrayLike<string | null>;
  };
}

/** Makes the flights of a row group one by one, each when it is asked for; what is missing is `NaN` or empty. */
export function* flightsOf({ rowCount, columns }: FlightRows): Generator<Flight, void> {
  const { date, delay, distance, origin, destination } = columns;
  for (let row = 0; row < rowCount; row++) {
    yield {
      departureWallMs: date[row] ?? Number.NaN,
      delayMinutes: delay[row] ?? Number.NaN,
      distanceMiles: distance[row] ?? Number.NaN,
      origin: origin[row] ?? '',
      destination: destination[row] ?? '',
    };
  }
}
