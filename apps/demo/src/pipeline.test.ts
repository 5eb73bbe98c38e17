import { type DeadLetter, deadLetter, from, map, type Pipeline, type RunSummary } from '@millrace/core';
import { expect, test } from 'vitest';
import { codeColumn, type FlightRows } from './flights.js';
import type { Flight } from './night/flight.js';
import { emptyColumns, type FlightColumns } from './night/night-columns.js';
import { BATCH, FLIGHTS, nightPipeline } from './pipeline.js';
import { type DemoSummary, summarize, summaryText } from './summary.js';

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
      origin: codeColumn(all.map(() => 'ATL')),
      destination: codeColumn(all.map(() => 'IAD')),
    },
  };
}

const NOTES = { standIns: 0, leftOut: 0, rejectsPath: 'rejects.cborseq' };

function minutesOf(flight: Pick<Flight, 'departureWallMs'>): number {
  return (flight.departureWallMs - FIRST_MS) / MINUTE_MS;
}

/** The pipeline with everything but itself left out: in the dark is the minute of the departure. */
function pipelineOf(
  groups: Iterable<FlightRows>,
  { limit, broken, letters = [] }: { limit?: number; broken?: number; letters?: DeadLetter<Flight>[] } = {},
): Pipeline<FlightColumns> {
  return nightPipeline(from(groups), {
    limit,
    rejects: deadLetter<Flight>(new WritableStream({ write: (letter) => void letters.push(letter) })),
    airports: {
      enrich(flights) {
        if (flights.some((flight) => minutesOf(flight) === broken)) throw new RangeError('no such airport');
        const columns = emptyColumns(flights.length, '[]');
        columns.departureWallMs.set(flights.map(({ departureWallMs }) => departureWallMs));
        return columns;
      },
    },
    darkness: map((columns) => {
      columns.nightMiles.set(columns.departureWallMs.map((departureWallMs) => minutesOf({ departureWallMs })));
      return columns;
    }),
  });
}

function stored(flights: number): { stored: number; rowsInDatabase: number; peakRssBytes: number } {
  return { stored: flights, rowsInDatabase: flights, peakRssBytes: 1 };
}

async function fly(
  groups: FlightRows[],
  limit?: number,
  letters: DeadLetter<Flight>[] = [],
): Promise<{ seen: number[]; summary: DemoSummary }> {
  const seen: number[] = [];
  const run = pipelineOf(groups, { ...(limit !== undefined && { limit }), letters }).run({
    name: 'table',
    open: () => ({ write: (batches) => void seen.push(...batches.flatMap(({ nightMiles }) => [...nightMiles])) }),
  });
  const summary = summarize(await run.finished, FLIGHTS, BATCH, stored(seen.length));
  return { seen, summary };
}

test('nightPipeline() rejects impossible flights, drops repeats, and accounts for every flight', async () => {
  const letters: DeadLetter<Flight>[] = [];
  const groups = [rows(0, 3), rows(2, 1), rows(2, 2, { 3: -1_116 }), rows(5, 2)];
  const { seen, summary } = await fly(groups, undefined, letters);
  expect(seen).toEqual([0, 1, 2, 5, 6]);
  expect(summary).toMatchObject({ read: 8, emitted: 5, deadLettered: 1, deduped: 2, abandoned: 0, balanced: true });
  expect(letters).toMatchObject([{ error: 'delay', index: 5, item: { delayMinutes: -1_116 } }]);
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
  const missing = { ...group, columns: { ...group.columns, origin: codeColumn([null, 'ATL']), date: [] } };
  expect((await fly([missing])).summary).toMatchObject({ read: 2, emitted: 0, deadLettered: 2 });
});

test('nightPipeline() reads no faster than the impossible flights can be put aside', async () => {
  let groups = 0;
  function* impossible(): Generator<FlightRows> {
    for (; ; groups++) yield rows(groups * 4, 4, { [groups * 4]: 9_999, [groups * 4 + 3]: 9_999 });
  }
  let letters = 0;
  let reachesFive: () => void = () => {};
  const five = new Promise<void>((resolve) => {
    reachesFive = resolve;
  });
  const stuck = new WritableStream({
    write() {
      letters += 1;
      if (letters < 5) return undefined;
      reachesFive();
      return new Promise(() => {});
    },
  });
  const airports = { enrich: () => emptyColumns(0, '[]') };
  const options = {
    limit: undefined,
    rejects: deadLetter<Flight>(stuck),
    airports,
    darkness: map((c: FlightColumns) => c),
  };
  const run = nightPipeline(from(impossible()), options).run(() => {}, { closeGraceMs: 1 });
  await five;
  await new Promise((resolve) => setImmediate(resolve));
  expect(letters).toBe(5);
  expect(run.inFlight).toBeLessThanOrEqual(run.explain().bound);
  run.abort(new Error('enough'));
  await expect(run.finished).rejects.toThrow('enough');
  expect(run.inFlight).toBe(0);
});

test('nightPipeline() fails where an impossible flight cannot be put aside, behind the flights before it', async () => {
  let ended: RunSummary | undefined;
  const full = new WritableStream({
    write() {
      throw new Error('the disk is full');
    },
  });
  const airports = { enrich: (flights: readonly Flight[]) => emptyColumns(flights.length, '[]') };
  const options = {
    limit: undefined,
    rejects: deadLetter<Flight>(full),
    airports,
    darkness: map((c: FlightColumns) => c),
  };
  const run = nightPipeline(from([rows(0, 4, { 2: 9_999 })]), options).run(() => {}, {
    observer: {
      ended(summary) {
        ended = summary;
      },
    },
  });
  await expect(run.finished).rejects.toThrow('Cannot process item 2 in stage "reject impossible": the disk is full');
  const summary = summarize(ended as RunSummary, FLIGHTS, BATCH, stored(0));
  expect(summary).toMatchObject({ read: 3, emitted: 0, deadLettered: 0, abandoned: 3, balanced: true });
});

test('summarize() counts the flights of the batch that ends a run as abandoned', async () => {
  let ended: RunSummary | undefined;
  const run = pipelineOf([rows(0, 4)], { broken: 2 }).run(() => {}, {
    observer: {
      ended(summary) {
        ended = summary;
      },
    },
  });
  await expect(run.finished).rejects.toThrow('no such airport');
  const summary = summarize(ended as RunSummary, FLIGHTS, BATCH, stored(0));
  expect(summary).toMatchObject({ read: 4, emitted: 0, abandoned: 4, balanced: true });
  expect(summaryText(summary, NOTES)).toContain(
    '4 flights read: 0 in the table, 0 impossible, 0 repeats, 4 abandoned.',
  );
});

test('summarize() counts the flights of a batch that was not stored as abandoned', async () => {
  let ended: RunSummary | undefined;
  const refuse = (): never => {
    throw new Error('the disk is full');
  };
  const run = pipelineOf([rows(0, 4)]).run(refuse, {
    observer: {
      ended(summary) {
        ended = summary;
      },
    },
  });
  await expect(run.finished).rejects.toThrow('the disk is full');
  const summary = summarize(ended as RunSummary, FLIGHTS, BATCH, stored(0));
  expect(summary).toMatchObject({ read: 4, emitted: 0, abandoned: 4, balanced: true });
});

test('summarize() says so where the counts do not add up', async () => {
  const run = await pipelineOf([rows(0, 4)]).run(() => {}).finished;
  const summary = summarize(run, FLIGHTS, BATCH, { ...stored(4), rowsInDatabase: 3 });
  expect(summary.balanced).toBe(false);
  expect(summaryText(summary, NOTES)).toContain('It does not add up!');
  expect(summarize(run, FLIGHTS, BATCH, stored(4)).balanced).toBe(true);
});
