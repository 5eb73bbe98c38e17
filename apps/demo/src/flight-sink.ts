import type { Sink } from '@millrace/core';
import { inSpan } from '@millrace/observability/tracing';
import { type ColumnBatch, copyInto } from '@millrace/postgres';
import type { Sql } from 'postgres';
import type { FlightColumns } from './night/night-columns.js';
import { FLIGHT_TABLE, type FlightRow } from './tables.js';

/** Stores batches of flights in table `flight`. */
export interface FlightSink extends Sink<FlightColumns> {
  /** The flights that were stored and committed so far. */
  readonly flightsWritten: number;
}

/**
 * Makes the sink of the pipeline: COPY, a transaction and a span for each batch.
 *
 * They go there as columns: no object is made for a flight.
 *
 * @param sql - Where table `flight` is.
 * @param codes - The codes of the airports that the columns refer to.
 */
export function flightSink(sql: Sql, codes: readonly string[]): FlightSink {
  const columns = Object.keys(FLIGHT_TABLE) as (keyof FlightRow)[];
  const table = copyInto<FlightRow>(sql, 'flight', { layout: 'columns', columns });
  return {
    name: 'copyInto',
    get flightsWritten() {
      return table.rowsWritten;
    },
    open(context) {
      const writer = table.open(context);
      return {
        async write(batches) {
          for (const batch of batches) {
            const stored = tableColumns(batch, codes);
            await inSpan('store flights', () => writer.write([stored]), { items: stored.rowCount });
          }
        },
        close: () => writer.close?.(),
        abort: (reason) => writer.abort?.(reason),
      };
    },
  };
}

function tableColumns(flights: FlightColumns, codes: readonly string[]): ColumnBatch<FlightRow> {
  const { rowCount, departureWallMs, delayMinutes, distanceMiles, origin, destination, nightMiles } = flights;
  return {
    rowCount,
    columns: {
      departure: departureWallMs,
      delay: delayMinutes,
      distance: distanceMiles,
      origin: { indexes: origin, values: codes },
      destination: { indexes: destination, values: codes },
      night_miles: nightMiles,
    },
  };
}
