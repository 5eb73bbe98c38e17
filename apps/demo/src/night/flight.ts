/** One flight of the data. */
export interface Flight {
  /** When it left the gate, in wall-clock time at the origin, as epoch milliseconds read as if it were UTC. */
  readonly departureWallMs: number;
  /** Minutes by which it arrived late; negative when early. */
  readonly delayMinutes: number;
  /** Length of the route in statute miles. */
  readonly distanceMiles: number;
  /** IATA code of the airport it left. */
  readonly origin: string;
  /** IATA code of the airport it went to. */
  readonly destination: string;
}

/** Why a flight cannot have happened as it is recorded. */
export type FlightFault = 'departure' | 'delay' | 'distance' | 'route';

/** The year of the data. Flights of other years are not in it. */
export const DATA_YEAR = 2001;

// In the data early arrivals thin out down to −87; then come −212, −953 and −1,116, one flight each.
const EARLIEST_MINUTES = -120;
// Two days; the latest in the data is 28 hours late, and flights put off to the next day are real.
const LATEST_MINUTES = 2_880;
// From the shortest hop between two islands to beyond the longest flight there is.
const SHORTEST_MILES = 1;
const LONGEST_MILES = 10_000;
const FIRST_MS = Date.UTC(DATA_YEAR, 0, 1);
const END_MS = Date.UTC(DATA_YEAR + 1, 0, 1);

/**
 * Says why a record is impossible, or nothing when it may be true.
 *
 * Of the 3,000,000 flights of the data 3 are impossible, all of them by their delay.
 *
 * @param flight - The record, as it was read: it may hold `NaN`.
 * @returns `'departure'`: no time, not on a whole minute or not in {@link DATA_YEAR}. `'delay'`: no number, or outside of
 * −120 to 2,880 minutes. `'distance'`: no number, or outside of 1 to 10,000 miles. `'route'`: a code is empty, or both are the same.
 */
export function flightFault(flight: Flight): FlightFault | undefined {
  const { departureWallMs, delayMinutes, distanceMiles, origin, destination } = flight;
  // Written so that NaN, which compares as false with everything, is a fault.
  if (!(departureWallMs >= FIRST_MS && departureWallMs < END_MS && departureWallMs % 60_000 === 0)) return 'departure';
  if (!(delayMinutes >= EARLIEST_MINUTES && delayMinutes <= LATEST_MINUTES)) return 'delay';
  if (!(distanceMiles >= SHORTEST_MILES && distanceMiles <= LONGEST_MILES)) return 'distance';
  if (!origin || !destination || origin === destination) return 'route';
  return undefined;
}

/**
 * Tells whether two flights are equal in every column: a repeat, perhaps by another airline, but not an error.
 *
 * @param a - A flight.
 * @param b - Another. Sorted by time as the data is, 19 repeats follow the flight they repeat; 172 more stand apart from it,
 * among others of the same minute.
 */
export function isRepeat(a: Flight, b: Flight): boolean {
  return (
    a.departureWallMs === b.departureWallMs &&
    a.delayMinutes === b.delayMinutes &&
    a.distanceMiles === b.distanceMiles &&
    a.origin === b.origin &&
    a.destination === b.destination
  );
}
