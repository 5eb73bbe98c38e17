import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parquet } from '@millrace/codecs';
import { from, type Pipeline } from '@millrace/core';
import { asyncBufferFromFile } from 'hyparquet';
import { FLIGHT_COLUMNS, type FlightRows } from './flights.js';
import { type Airport, parseAirports } from './night/airports.js';

/** Where the demo's data comes from. */
export interface DemoData {
  readonly airports: ReadonlyMap<string, Airport>;
  /** The rows of the flights, the file as many times over as asked for. */
  readonly rows: Pipeline<FlightRows>;
}

/** Finds the data, which comes with the npm package vega-datasets, and reads the airports. */
export async function openData(repeat: number): Promise<DemoData> {
  try {
    const folder = new URL('../data/', import.meta.resolve('vega-datasets'));
    const airports = parseAirports(await readFile(new URL('airports.csv', folder), 'utf8'));
    const file = await asyncBufferFromFile(fileURLToPath(new URL('flights-3m.parquet', folder)));
    return { airports, rows: repeated(parquet(file, { columns: FLIGHT_COLUMNS }), repeat) };
  } catch (cause) {
    const [what] = String(cause instanceof Error ? cause.message : cause).split('\n');
    throw new DataError(`Cannot read the data: ${what} (the package vega-datasets must be installed, whole)`, {
      cause,
    });
  }
}

function repeated(rows: Pipeline<FlightRows>, times: number): Pipeline<FlightRows> {
  if (times === 1) return rows;
  async function* again(): AsyncGenerator<FlightRows> {
    for (let time = 0; time < times; time++) yield* rows;
  }
  return from(again, { name: `parquet × ${times}` });
}

/** The data is not there, or is not what it must be. */
export class DataError extends Error {
  override name = 'DataError';
}
