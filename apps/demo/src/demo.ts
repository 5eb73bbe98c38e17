import type { RunSummary } from '@millrace/core';
import { DataError, type DemoData, openData } from './data.js';
import { createNightFlights } from './night/night-flights.js';
import { createNightReport } from './night/report.js';
import { type DemoOptions, HELP, parseOptions, UsageError } from './options.js';
import { Output } from './output.js';
import { FLIGHTS, nightPipeline } from './pipeline.js';
import { showProgress } from './progress.js';
import { stopOnSignals } from './signals.js';
import { summarize, summaryText } from './summary.js';

const FAILED = 1;
const MISUSED = 2;
// 128 and SIGPIPE, what a shell reports of a program whose reader went away.
const READER_GONE = 141;

/** Runs the demo as the command line says, and gives the exit code. */
export async function runDemo(args: readonly string[]): Promise<number> {
  // Where nobody reads the complaints there is nobody to complain to.
  process.stderr.on('error', () => {});
  try {
    const options = parseOptions(args);
    if (options.help) return await printHelp();
    return await flyThrough(options, await openData(options.repeat));
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof DataError)) throw error;
    complain(error.message);
    return error instanceof UsageError ? MISUSED : FAILED;
  }
}

async function printHelp(): Promise<number> {
  const output = new Output(process.stdout, () => {});
  await output.write(HELP);
  return outputExitCode(output, false);
}

async function flyThrough(options: DemoOptions, { airports, rows }: DemoData): Promise<number> {
  const report = createNightReport();
  const pipeline = nightPipeline(rows, { limit: options.limit, nightMilesOf: createNightFlights(airports) });
  let ended: RunSummary | undefined;
  const run = pipeline.run(({ flight, nightMiles }) => report.add(flight, nightMiles), {
    observer: {
      ended(summary) {
        ended = summary;
      },
    },
  });
  const stopping = stopOnSignals(run);
  const endProgress = showProgress(run, FLIGHTS, process.stderr);
  // Without a reader the work is for nobody; how the run ends is told by `run.finished`.
  const output = new Output(process.stdout, () => void run.drain().catch(() => {}));
  if (options.explain) void output.write(`${run.explain()}\n\n`);
  const failure = await run.finished.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  stopping.release();
  endProgress();
  const isCut = output.error !== undefined;
  if (failure !== undefined) complain(messageOf(failure.error));
  const summary = summarize(ended as RunSummary, FLIGHTS, process.resourceUsage().maxRSS * 1024);
  const table = failure === undefined ? `${report.toText(airports)}\n` : '';
  await output.write(options.json ? `${JSON.stringify(summary)}\n` : table + summaryText(summary));
  if (stopping.exitCode !== undefined) return stopping.exitCode;
  return failure === undefined && summary.balanced ? outputExitCode(output, isCut) : FAILED;
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
