import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { ROOT } from './workspace.js';

/** What a finished command left. */
export interface CommandResult {
  readonly ok: boolean;
  /** Standard output and standard error, interleaved as they came. */
  readonly output: string;
}

/** Runs a program of `node_modules/.bin` (the root's or this package's) or of the PATH, and collects what it prints. */
export function command(program: string, args: readonly string[], directory: string = ROOT): Promise<CommandResult> {
  const bins = [join(ROOT, 'node_modules/.bin'), join(ROOT, 'packages/tooling/node_modules/.bin')];
  const env = { ...process.env, PATH: [...bins, process.env['PATH'] ?? ''].join(delimiter) };
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (data) => (output += String(data)));
    child.stderr.on('data', (data) => (output += String(data)));
    child.on('error', reject);
    child.on('close', (code) => resolve({ ok: code === 0, output }));
  });
}

/** One named check: it returns undefined when all is well, or else what to show. */
export interface Check {
  readonly name: string;
  readonly run: () => Promise<string | undefined>;
}

/** Runs checks, as many at a time as there are cores, prints a line for each, and sets the exit code when one failed. */
export async function runChecks(checks: readonly Check[]): Promise<void> {
  const queue = checks.values();
  const worker = async (): Promise<void> => {
    for (const { name, run } of queue) {
      const problem = await run().catch((error: unknown) => String(error instanceof Error ? error.stack : error));
      console.log(problem === undefined ? `ok    ${name}` : `FAIL  ${name}\n${problem.trimEnd()}`);
      if (problem !== undefined) process.exitCode = 1;
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}
