import { fileURLToPath } from 'node:url';
import { run } from './run-program.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** What goes into the database at a time. */
const FLIGHTS = 5_000;

/**
 * Gives the milliseconds from `npm run demo` with caches warm to the end of a run whose flights are all in the first
 * batch: an upper bound of when the first flight is in the table, with its own PostgreSQL set up and stopped.
 */
export async function runFirstBatch(): Promise<number> {
  const args = ['run', '--silent', 'demo', '--', '--limit', String(FLIGHTS), '--no-dashboard', '--json'];
  const began = performance.now();
  const printed = await run('npm', args, process.env, ROOT);
  const ms = performance.now() - began;
  const { emitted, rowsInDatabase } = JSON.parse(printed.trim().split('\n').at(-1) ?? '') as Record<string, number>;
  if (emitted === 0 || rowsInDatabase !== emitted)
    throw new Error(`Cannot measure the first batch: it printed ${printed}`);
  return ms;
}
