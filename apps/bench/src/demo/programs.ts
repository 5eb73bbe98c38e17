import { fileURLToPath } from 'node:url';
import { type Database, startDatabase } from './database.js';
import type { FlightsJob } from './flights-job.js';
import { type ProgramCost, runProgram } from './run-program.js';

const SIDE = fileURLToPath(new URL('./flights-side.js', import.meta.url));

/** What `npm run demo` gives to Node; both sides of a comparison have it. */
const NODE_OPTIONS = ['--max-semi-space-size=8'];

/** A whole run over the flights: what it cost, and what was in the table then. */
export interface FlightsRun extends ProgramCost {
  readonly digest: string;
  readonly peakRssBytes: number;
}

/** Runs the demo, its built files and default options, into a database of its own that is looked at afterwards. */
export async function runDemo(limit: number | undefined): Promise<FlightsRun> {
  const main = fileURLToPath(import.meta.resolve('@millrace/demo/main'));
  const limited = limit === undefined ? [] : ['--limit', String(limit)];
  // The environment names the database.
  const args = [...NODE_OPTIONS, main, ...limited, '--no-dashboard', '--json', '--database', 'postgres:///postgres'];
  return onDatabase((database) => runWhole(args, database));
}

/** Runs the job that is written by hand. */
export function runByHand(limit: number): Promise<FlightsRun> {
  return onDatabase((database) => runWhole([...NODE_OPTIONS, SIDE, jobText('hand', limit, database)], database));
}

/** Runs what comes before and after the flights; gives its CPU time in microseconds. */
export function runSetUp(): Promise<number> {
  return onDatabase(
    async (database) => (await runProgram([...NODE_OPTIONS, SIDE, jobText('set-up', 0, database)], database)).cpu,
  );
}

/** Runs one stage alone; gives its CPU time in microseconds, without what it took to make its input. */
export function runStageAlone(stage: FlightsJob['what'], limit: number): Promise<number> {
  return onDatabase(async (database) => {
    const { output } = await runProgram([...NODE_OPTIONS, SIDE, jobText(stage, limit, database)], database);
    return (output as { cpu: number }).cpu;
  });
}

async function onDatabase<T>(work: (database: Database) => Promise<T>): Promise<T> {
  const database = await startDatabase();
  try {
    return await work(database);
  } finally {
    await database.stop();
  }
}

async function runWhole(args: readonly string[], database: Database): Promise<FlightsRun> {
  const cost = await runProgram(args, database);
  const { peakRssBytes } = cost.output as { peakRssBytes: number };
  return { ...cost, peakRssBytes, digest: await database.digest() };
}

function jobText(what: FlightsJob['what'], limit: number, { pid }: Database): string {
  return JSON.stringify({ what, limit, serverPid: pid } satisfies FlightsJob);
}
