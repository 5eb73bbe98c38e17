import type { Flight } from './night/flight.js';

/** The columns that the demo reads, and what each holds. */
export const FLIGHT_COLUMNS = {
  date: 'number',
  delay: 'number',
  distance: 'number',
  origin: 'dictionary',
  destination: 'dictionary',
} as const;

/** The codes of a column of airports: for each row the place of its code in a list, which may grow behind. */
export interface CodeColumn {
  readonly indexes: ArrayLike<number>;
  readonly values: readonly (string | null)[];
}

/** A row group of the file, as far as the demo looks at it. */
export interface FlightRows {
  readonly rowCount: number;
  readonly columns: {
    readonly date: ArrayLike<number>;
    readonly delay: ArrayLike<number>;
    readonly distance: ArrayLike<number>;
    readonly origin: CodeColumn;
    readonly destination: CodeColumn;
  };
}

/**
 * A flight that stays where it is, in the columns of its row group.
 *
 * PERF: it is 40 bytes, where an object with values of its own has 80, and its airports have numbers, which cost less to
 * look up than texts.
 */
export class RowFlight implements Flight {
  readonly rows: FlightRows;
  readonly row: number;

  constructor(rows: FlightRows, row: number) {
    this.rows = rows;
    this.row = row;
  }

  get departureWallMs(): number {
    return this.rows.columns.date[this.row] ?? Number.NaN;
  }

  get delayMinutes(): number {
    return this.rows.columns.delay[this.row] ?? Number.NaN;
  }

  get distanceMiles(): number {
    return this.rows.columns.distance[this.row] ?? Number.NaN;
  }

  get origin(): string {
    return codeAt(this.rows.columns.origin, this.row);
  }

  get destination(): string {
    return codeAt(this.rows.columns.destination, this.row);
  }
}

/** Makes the flights of a row group one by one, each when it is asked for; what is missing is `NaN` or empty. */
export function* flightsOf(rows: FlightRows): Generator<RowFlight, void> {
  for (let row = 0; row < rows.rowCount; row++) yield new RowFlight(rows, row);
}

/** Makes a column of codes. */
export function codeColumn(codes: Iterable<string | null>): CodeColumn {
  const values: (string | null)[] = [];
  const places = new Map<string | null, number>();
  const indexes = Array.from(codes, (code) => {
    const known = places.get(code);
    if (known !== undefined) return known;
    places.set(code, values.length);
    return values.push(code) - 1;
  });
  return { indexes, values };
}

function codeAt({ indexes, values }: CodeColumn, row: number): string {
  return values[indexes[row] as number] ?? '';
}
