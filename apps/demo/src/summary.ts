import type { RunSummary } from '@millrace/core';

/** What became of the flights, in the shape that people and checks rely on. */
export interface DemoSummary {
  /** Flights read; all others add up to it. */
  readonly read: number;
  readonly emitted: number;
  readonly filtered: number;
  readonly deduped: number;
  readonly deadLettered: number;
  readonly dropped: number;
  readonly abandoned: number;
  readonly rowsInDatabase: number;
  readonly seconds: number;
  readonly itemsPerSecond: number;
  readonly inFlightBound: number;
  readonly inFlightMax: number;
  readonly peakRssBytes: number;
  readonly balanced: boolean;
}

/** What a run says nothing about. */
export interface SummaryFigures {
  /** The flights that were stored and committed. */
  readonly stored: number;
  /** The flights that the database counts in its table afterwards; `undefined` where it cannot be asked. */
  readonly rowsInDatabase: number | undefined;
  /** The most memory that the process had. */
  readonly peakRssBytes: number;
}

/**
 * Sums a run up in flights: the run itself counts row groups too, which end where the flights begin, and batches, into
 * which they go.
 *
 * @param run - The summary of the run.
 * @param flightsStage - The name of the stage that makes the flights.
 * @param batchStage - The name of the stage that makes batches of them.
 */
export function summarize(
  run: RunSummary,
  flightsStage: string,
  batchStage: string,
  { stored, rowsInDatabase, peakRssBytes }: SummaryFigures,
): DemoSummary {
  const made = run.stages.findIndex(({ name }) => name === flightsStage);
  const batched = run.stages.findIndex(({ name }) => name === batchStage);
  const behind = run.stages.slice(made + 1, batched + 1);
  const sum = (fate: 'filtered' | 'deduped' | 'deadLettered' | 'dropped' | 'abandoned'): number =>
    behind.reduce((total, stage) => total + stage[fate], 0);
  // Before the flights there are groups of them, and only records that are no flights are put aside.
  const rejected = run.stages.slice(0, made + 1).reduce((total, stage) => total + stage.deadLettered, 0);
  const counts = {
    read: (run.stages[made]?.made ?? 0) + rejected,
    emitted: stored,
    filtered: sum('filtered'),
    deduped: sum('deduped'),
    deadLettered: sum('deadLettered') + rejected,
    dropped: sum('dropped'),
    // The run knows how many batches were lost, and the sink how many flights were stored.
    abandoned: sum('abandoned') + (run.stages[batched]?.absorbed ?? 0) - stored,
  };
  const { read, ...ended } = counts;
  const isComplete = read === Object.values(ended).reduce((total, count) => total + count, 0);
  return {
    ...counts,
    rowsInDatabase: rowsInDatabase ?? 0,
    seconds: Number(run.seconds.toFixed(3)),
    itemsPerSecond: run.seconds > 0 ? Math.round(read / run.seconds) : 0,
    inFlightBound: run.inFlightBound,
    inFlightMax: run.inFlightMax,
    peakRssBytes,
    balanced: run.balanced && isComplete && (rowsInDatabase ?? stored) === stored,
  };
}

/** What the summary for people says beside the counts. */
export interface SummaryNotes {
  /** The airports that the database did not have, and the file stood in for. */
  readonly standIns: number;
  /** The airports that were left out of the database on purpose. */
  readonly leftOut: number;
  /** Where the rejected flights are. */
  readonly rejectsPath: string;
}

/** Writes the summary for people. */
export function summaryText(summary: DemoSummary, { standIns, leftOut, rejectsPath }: SummaryNotes): string {
  const { read, emitted, filtered, deduped, deadLettered, dropped, abandoned } = summary;
  const ends = [
    `${count(emitted)} in the table`,
    `${count(deadLettered)} impossible`,
    `${count(deduped)} repeats`,
    ...(filtered > 0 ? [`${count(filtered)} filtered out`] : []),
    ...(dropped > 0 ? [`${count(dropped)} dropped`] : []),
    ...(abandoned > 0 ? [`${count(abandoned)} abandoned`] : []),
  ];
  return [
    'Summary',
    `- ${count(read)} flights read: ${ends.join(', ')}. ${summary.balanced ? 'It adds up.' : 'It does not add up!'}`,
    `- ${count(summary.rowsInDatabase)} rows are in the database.`,
    ...(deadLettered > 0 ? [`- What is impossible is in ${rejectsPath}, a sequence of CBOR items.`] : []),
    `- ${leftOut} airports are left out of the database on purpose: the file stood in for ${standIns} of them.`,
    `- ${summary.seconds.toFixed(1)} seconds, ${count(summary.itemsPerSecond)} flights a second, ${Math.round(summary.peakRssBytes / 1e6)} MB of memory at most.`,
    `- At most ${count(summary.inFlightMax)} items were inside the pipeline at a time; ${count(summary.inFlightBound)} could have been.`,
    '',
  ].join('\n');
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
