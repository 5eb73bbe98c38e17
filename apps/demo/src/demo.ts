import { PipelineError, type RunSummary } from '@millrace/core';
import { createAirportLookup } from './airport-lookup.js';
import { type DarknessStage, openDarkness } from './darkness-stage.js';
import { DataError, type DemoData, openData } from './data.js';
import { type Database, databaseProblem, openDatabase } from './database.js';
import { type Figures, showFigures } from './figures.js';
import { flightSink } from './flight-sink.js';
import { listen } from './ingest/listen.js';
import { countFlights, readAnswer } from './night/answer.js';
import { type DemoOptions, HELP, parseOptions, UsageError } from './options.js';
import { Output } from './output.js';
import { BATCH, FLIGHTS, nightPipeline } from './pipeline.js';
import { openRejectArchive, type RejectArchive } from './reject-archive.js';
import { stopWithTerminal } from './signals.js';
import { slowed } from './slowed.js';
import { summarize, summaryText } from './summary.js';
import { LEFT_OUT, prepareTables } from './tables.js';

// Clients may pause; what they sent is to be seen all the same.
const LISTEN_WAIT_MS = 200;
const FAILED = 1;
const MISUSED = 2;
// 128 and SIGPIPE, what a shell reports of a program whose reader went away.
const READER_GONE = 141;

type Airports = DemoData['airports'];

/** Runs the demo as the command line says, and gives the exit code. */
export async function runDemo(args: readonly string[]): Promise<number> {
  // Where nobody reads the complaints there is nobody to complain to.
  process.stderr.on('error', () => {});
  try {
    const options = parseOptions(args);
    if (options.help) return await printHelp();
    const data = await openData(options.repeat);
    return await (options.listen === undefined
      ? flyThrough(options, data.airports, () => data.rows)
      : takeFlights(options, options.listen, data.airports));
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof DataError || error instanceof PipelineError)) throw error;
    complain(error.message);
    return error instanceof UsageError ? MISUSED : FAILED;
  }
}

async function printHelp(): Promise<number> {
  const output = new Output(process.stdout, () => {});
  await output.write(HELP);
  return outputExitCode(output, false);
}

/** Takes what clients send in place of the file's rows; the limit is one of what is taken. */
async function takeFlights(options: DemoOptions, port: number, airports: Airports): Promise<number> {
  const ingest = await listen({ port, limit: options.limit, airports });
  try {
    process.stderr.write(`flights are taken at ${ingest.url}\n`);
    return await flyThrough({ ...options, limit: undefined }, airports, ingest.rows);
  } finally {
    await ingest.close();
  }
}

async function flyThrough(
  options: DemoOptions,
  airports: Airports,
  rowsOf: (archive: RejectArchive) => DemoData['rows'],
): Promise<number> {
  const open: { close(): Promise<unknown> }[] = [];
  const opened = <T extends { close(): Promise<unknown> }>(what: T): T => {
    open.push(what);
    return what;
  };
  try {
    const archive = opened(await openRejectArchive(options.rejects));
    const figures = opened(await showFigures(options, process.stderr));
    const database = opened(await openDatabase(options.database));
    const darkness = opened(openDarkness());
    await prepareTables(database.sql, airports);
    return await store(options, { airports, rows: rowsOf(archive) }, { archive, figures, database, darkness });
  } finally {
    // What failed has been told, or is on its way; the rest must still be closed.
    for (const each of open.reverse()) await each.close().catch(() => {});
  }
}

interface Tools {
  readonly archive: RejectArchive;
  readonly figures: Figures;
  readonly database: Database;
  readonly darkness: DarknessStage;
}

async function store(options: DemoOptions, { airports, rows }: DemoData, tools: Tools): Promise<number> {
  const { archive, figures, database, darkness } = tools;
  const lookup = createAirportLookup(database.sql, airports);
  const flightTable = flightSink(database.sql, lookup.codes);
  const pipeline = nightPipeline(rows, {
    limit: options.limit,
    maxWaitMs: options.listen === undefined ? undefined : LISTEN_WAIT_MS,
    rejects: archive.office,
    airports: lookup,
    darkness: darkness.stage,
  });
  let ended: RunSummary | undefined;
  figures.observed.watch({
    ended(_name, summary) {
      ended = summary;
    },
  });
  const run = pipeline.run(slowed(flightTable, options.slowDatabaseMs), { observer: figures.observed.observer });
  const stopping = stopWithTerminal({
    drain: (drainOptions) => run.drain(drainOptions),
    abort(reason) {
      run.abort(reason);
      // The run may be over, and the answer be awaited.
      database.drop();
    },
  });
  // Without a reader the work is for nobody; how the run ends is told by `run.finished`.
  const output = new Output(process.stdout, () => void run.drain().catch(() => {}));
  if (options.explain) void output.write(`${run.explain()}\n\n`);
  const failure = (await failureOf(run.finished)) ?? (await failureOf(archive.close()));
  await figures.close();
  const isCut = output.error !== undefined;
  if (failure !== undefined) complain(messageOf(failure.error));
  const answer = await ask(database, failure === undefined && !options.json);
  stopping.release();
  const summary = summarize(ended as unknown as RunSummary, FLIGHTS, BATCH, {
    stored: flightTable.flightsWritten,
    rowsInDatabase: answer.rows,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
  });
  const table = answer.report === undefined ? '' : `${answer.report.toText(airports)}\n`;
  const notes = { standIns: lookup.standIns.size, leftOut: LEFT_OUT.size, rejectsPath: archive.path };
  await output.write(options.json ? `${JSON.stringify(summary)}\n` : table + summaryText(summary, notes));
  if (stopping.exitCode !== undefined) return stopping.exitCode;
  const isDone = failure === undefined && answer.rows !== undefined && summary.balanced;
  return isDone ? outputExitCode(output, isCut) : FAILED;
}

interface Answer {
  readonly rows?: number;
  readonly report?: Awaited<ReturnType<typeof readAnswer>>;
}

/** Asks the database what is in it; where it does not say, the run has most often failed for the same reason. */
async function ask({ sql }: Database, isWhole: boolean): Promise<Answer> {
  let rows: number | undefined;
  try {
    rows = await countFlights(sql);
    return isWhole ? { rows, report: await readAnswer(sql) } : { rows };
  } catch (error) {
    complain(databaseProblem('ask the database', error, 'it must still be there').message);
    return rows === undefined ? {} : { rows };
  }
}

function failureOf(finished: Promise<unknown>): Promise<{ readonly error: unknown } | undefined> {
  return finished.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
}

/** Says what became of what was written; `isCut`: whether work was given up for it. */
function outputExitCode(output: Output, isCut: boolean): number {
  if (output.error === undefined) return 0;
  if (output.isClosedByReader) return isCut ? READER_GONE : 0;
  complain(`Cannot write the result: ${output.error.message}`);
  return FAILED;
}

function complain(message: string): void {
  process.stderr.write(`${message}\n`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
