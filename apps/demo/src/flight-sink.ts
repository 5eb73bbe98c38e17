import type { Sink } from '@millrace/core';
import { inSpan } from '@millrace/observability/tracing';
import { type CopySink, copyInto } from '@millrace/postgres';
import type { Sql } from 'postgres';
import { flightRows } from './flight-rows.js';
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
 * The rows are made of the columns as they are written, so that only one batch of them is there at a time.
 *
 * @param sql - Where table `flight` is.
 * @param codes - The codes of the airports that the columns refer to.
 */
export function flightSink(sql: Sql, codes: readonly string[]): FlightSink {
  const columns = Object.keys(FLIGHT_TABLE) as (keyof FlightRow)[];
  const table: CopySink<FlightRow | readonly FlightRow[]> = copyInto<FlightRow>(sql, 'flight', { columns });
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
            const rows = flightRows(batch, codes);
            await inSpan('store flights', () => writer.write([rows]), { items: rows.length });
          }
        },
        close: () => writer.close?.(),
        abort: (reason) => writer.abort?.(reason),
      };
    },
  };
}
