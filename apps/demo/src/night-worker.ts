import { type Transferred, transferred } from '@millrace/parallel/worker';
import { createNightColumns, type FlightColumns } from './night/night-columns.js';

const fillNightMiles = createNightColumns();

/** Says of each flight of a batch how many of its miles were dark. Runs on a worker thread. */
export function darkness(columns: FlightColumns): Transferred<FlightColumns> {
  fillNightMiles(columns);
  return transferred(columns, [columns.buffer]);
}
