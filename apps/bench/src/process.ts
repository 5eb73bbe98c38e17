import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Figure, Job } from './model.js';
import { UsageError } from './usage-error.js';

const SIDE = fileURLToPath(new URL('./side.js', import.meta.url));
const TIMEOUT_MS = 180_000;

interface Runtime {
  readonly file: string;
  readonly args: readonly string[];
}

/** Finds a runtime by name: this Node, or a Bun or Deno on the `PATH`. */
export function findRuntime(name: string): Runtime {
  if (name === 'node') return { file: process.execPath, args: [] };
  if (name !== 'bun' && name !== 'deno') {
    throw new UsageError(`Cannot use runtime '${name}': it is unknown (must be one of node, bun, deno)`);
  }
  const file = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isProgram);
  if (file === undefined) throw new UsageError(`Cannot use runtime '${name}': it is not on the PATH`);
  return { file, args: name === 'deno' ? ['run', '--allow-all'] : [] };
}

/** Runs one job in a fresh process of a runtime. */
export function runJob({ file, args }: Runtime, job: Job): Promise<Figure> {
  return new Promise((resolve, reject) => {
    const options = { timeout: TIMEOUT_MS, maxBuffer: 1 << 24 };
    execFile(file, [...args, SIDE, JSON.stringify(job)], options, (error, stdout, stderr) => {
      const { suite, case: name, side } = job;
      if (error !== null) {
        const problem = error.killed ? `it took more than ${TIMEOUT_MS} ms` : stderr.trim() || error.message;
        reject(new Error(`Cannot run ${side} of ${suite}/${name}: ${problem}`, { cause: error }));
      } else resolve(JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Figure);
    });
  });
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    // Not there, or not for us to run: the next folder may have it.
    return false;
  }
}
