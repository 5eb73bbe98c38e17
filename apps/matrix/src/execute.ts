import { execFile } from 'node:child_process';

const TIMEOUT_MS = 300_000;

/** Runs a program to its end; gives what it printed, and throws what it said if it failed. */
export function execute(file: string, args: readonly string[], directory: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { cwd: directory, timeout: TIMEOUT_MS, maxBuffer: 1 << 24 };
    execFile(file, [...args], options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const problem = error.killed ? `it took more than ${TIMEOUT_MS} ms` : stderr.trim() || error.message;
      reject(new Error(`Cannot run ${file} ${args.join(' ')}: ${problem}`, { cause: error }));
    });
  });
}
