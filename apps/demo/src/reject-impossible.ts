import { type DeadLetterOffice, type Stage, tap } from '@millrace/core';
import { type Flight, flightFault } from './night/flight.js';

/**
 * Lets through the flights that may have happened, and sends the others away with what is wrong with them.
 *
 * Contract
 * - Order: kept.
 * - Holds: nothing of its own.
 * - Backpressure: waits for each letter, so where every flight is impossible the archive sets the pace.
 * - Failure: fails at the flight whose letter cannot be written.
 * - Cancel: cancels upstream with the same reason.
 *
 * @param office - From `deadLetter()`; the `error` of its letters is a `FlightFault`.
 */
export function rejectImpossible<F extends Flight>(office: DeadLetterOffice<Flight>): Stage<F, F> {
  return tap<F>(refuseImpossible, { name: 'reject impossible', onError: office });
}

function refuseImpossible(flight: Flight): void {
  const fault = flightFault(flight);
  if (fault !== undefined) throw fault;
}
