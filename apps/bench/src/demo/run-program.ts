import { execFile } from 'node:child_process';
import { endedChildrenUs, familyOf, familySince } from './cpu-time.js';
import type { Database } from './database.js';

/** What a program cost from its start to its end. */
export interface ProgramCost {
  /** CPU time of all its threads, and of PostgreSQL while it ran, in microseconds. */
  readonly cpu: number;
  /** In milliseconds. */
  readonly wall: number;
  /** What it printed last, one JSON object. */
  readonly output: unknown;
}

const TIMEOUT_MS = 180_000;

/** Runs a program of Node in a fresh process, and measures it. Nothing else may be run by this process meanwhile. */
export async function runProgram(args: readonly string[], { env, pid }: Database): Promise<ProgramCost> {
  const server = familyOf(pid);
  const before = endedChildrenUs();
  const began = performance.now();
  const printed = await run(process.execPath, args, { ...process.env, ...env });
  const wall = performance.now() - began;
  const cpu = endedChildrenUs() - before + (await familySince(pid, server));
  return { cpu, wall, output: JSON.parse(printed.trim().split('\n').at(-1) ?? '') };
}

/** Runs a command and gives what it printed. */
export function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv, cwd?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(file, [...args], { timeout: TIMEOUT_MS, maxBuffer: 1 << 24, env, cwd }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const problem = error.killed ? `it took more than ${TIMEOUT_MS} ms` : stderr.trim() || error.message;
      reject(new Error(`Cannot run ${args.join(' ')}: ${problem}`, { cause: error }));
    });
  });
}
