import { from, type RunSummary } from '@millrace/core';
import { expect, test } from 'vitest';
import type { FlightRows } from './flights.js';
import type { Flight } from './night/flight.js';
import { BATCH, FLIGHTS, nightPipeline } from './pipeline.js';
import { type DemoSummary, summarize, summaryText } from './summary.js';
import type { FlightRow } from './tables.js';

const MINUTE_MS = 60_000;
const FIRST_MS = Date.UTC(2001, 0, 1);

/** A row group of flights a minute apart, from Atlanta to Dulles. */
function rows(first: number, rowCount: number, delays: Readonly<Record<number, number>> = {}): FlightRows {
  const all = Array.from({ length: rowCount }, (_, row) => first + row);
  return {
    rowCount,
    columns: {
      date: all.map((number) => FIRST_MS + number * MINUTE_MS),
      delay: all.map((number) => delays[number] ?? 0),
      distance: all.map(() => 533),
      origin: all.map(() => 'ATL'),
      destination: all.map(() => 'IAD'),
    },
  };
}

const findAirports = (): Promise<void> => Promise.resolve();
const nightMilesOf = (flight: Flight) => (flight.departureWallMs - FIRST_MS) / MINUTE_MS;

function stored({ length }: readonly unknown[]): { stored: number; rowsInDatabase: number; peakRssBytes: number } {
  return { stored: length, rowsInDatabase: length, peakRssBytes: 1 };
}

async function fly(groups: FlightRows[], limit?: number): Promise<{ seen: number[]; summary: DemoSummary }> {
  const seen: FlightRow[] = [];
  const run = nightPipeline(from(groups), { limit, findAirports, nightMilesOf }).run({
    name: 'table',
    open: () => ({ write: (batches) => void seen.push(...batches.flat()) }),
  });
  const summary = summarize(await run.finished, FLIGHTS, BATCH, stored(seen));
  return { seen: seen.map(({ night_miles }) => night_miles), summary };
}

test('nightPipeline() rejects impossible flights, drops repeats, and accounts for every flight', async () => {
  const { seen, summary } = await fly([rows(0, 3), rows(2, 1), rows(2, 2, { 3: -1_116 }), rows(5, 2)]);
  expect(seen).toEqual([0, 1, 2, 5, 6]);
  expect(summary).toMatchObject({ read: 8, emitted: 5, filtered: 1, deduped: 2, abandoned: 0, balanced: true });
  expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
});

test('nightPipeline() reads no more flights than the limit, in the middle of a row group too', async () => {
  for (const limit of [1, 4, 5, 8]) {
    const { seen, summary } = await fly([rows(0, 4), rows(4, 4)], limit);
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7].slice(0, limit));
    expect(summary).toMatchObject({ read: limit, emitted: limit, abandoned: 0, balanced: true });
  }
  expect((await fly([rows(0, 4)], 9)).summary.read).toBe(4);
});

test('nightPipeline() counts rows with missing values as impossible', async () => {
  const group = rows(0, 2);
  const missing = { ...group, columns: { ...group.columns, origin: [null, 'ATL'], date: [] } };
  expect((await fly([missing])).summary).toMatchObject({ read: 2, emitted: 0, filtered: 2 });
});

test('summarize() counts the flight that ends a run, and those of the open batch, as abandoned', async () => {
  let ended: RunSummary | undefined;
  const broken = (flight: Flight): number => {
    if (nightMilesOf(flight) === 2) throw new RangeError('no such airport');
    return 0;
  };
  const run = nightPipeline(from([rows(0, 4)]), { limit: undefined, findAirports, nightMilesOf: broken }).run(
    () => {},
    {
      observer: {
        ended(summary) {
          ended = summary;
        },
      },
    },
  );
  await expect(run.finished).rejects.toThrow('no such airport');
  const summary = summarize(ended as RunSummary, FLIGHTS, BATCH, stored([]));
  expect(summary).toMatchObject({ read: 3, emitted: 0, abandoned: 3, balanced: true });
  expect(summaryText(summary)).toContain('3 flights read: 0 in the table, 0 impossible, 0 repeats, 3 abandoned.');
});

test('summarize() counts the flights of a batch that was not stored as abandoned', async () => {
  let ended: RunSummary | undefined;
  const refuse = (): never => {
    throw new Error('the disk is full');
  };
  const run = nightPipeline(from([rows(0, 4)]), { limit: undefined, findAirports, nightMilesOf }).run(refuse, {
    observer: {
      ended(summary) {
        ended = summary;
      },
    },
  });
  await expect(run.finished).rejects.toThrow('the disk is full');
  const summary = summarize(ended as RunSummary, FLIGHTS, BATCH, stored([]));
  expect(summary).toMatchObject({ read: 4, emitted: 0, abandoned: 4, balanced: true });
});

test('summarize() says so where the counts do not add up', async () => {
  const run = await nightPipeline(from([rows(0, 4)]), { limit: undefined, findAirports, nightMilesOf }).run(() => {})
    .finished;
  const summary = summarize(run, FLIGHTS, BATCH, { ...stored([1, 2, 3, 4]), rowsInDatabase: 3 });
  expect(summary.balanced).toBe(false);
  expect(summaryText(summary)).toContain('It does not add up!');
  expect(summarize(run, FLIGHTS, BATCH, stored([1, 2, 3, 4])).balanced).toBe(true);
});
