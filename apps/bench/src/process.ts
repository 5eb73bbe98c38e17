import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Runtime } from '@millrace/runtimes';
import type { Figure, Job } from './model.js';

const SIDE = fileURLToPath(new URL('./side.js', import.meta.url));
const TIMEOUT_MS = 180_000;

/** Runs one job in a fresh process of a runtime; gives nothing where the runtime lacks what the side needs. */
export function runJob({ file, args }: Runtime, job: Job): Promise<Figure | undefined> {
  return new Promise((resolve, reject) => {
    const options = { timeout: TIMEOUT_MS, maxBuffer: 1 << 24 };
    execFile(file, [...args, SIDE, JSON.stringify(job)], options, (error, stdout, stderr) => {
      const { suite, case: name, side } = job;
      if (error !== null) {
        const problem = error.killed ? `it took more than ${TIMEOUT_MS} ms` : stderr.trim() || error.message;
        reject(new Error(`Cannot run ${side} of ${suite}/${name}: ${problem}`, { cause: error }));
      } else resolve(JSON.parse(stdout.trim().split('\n').at(-1) ?? '') ?? undefined);
    });
  });
}
