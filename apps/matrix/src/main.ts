import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findRuntime, PINNED, type Runtime, UnknownRuntimeError } from '@millrace/runtimes';
import type { SmokeReport } from './check.js';
import { execute } from './execute.js';
import { makeProject } from './pack.js';
import { failuresOf, matrixTable, type Tried } from './table.js';

/** Tries the packages on runtimes, one after the other; gives the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const names = args.filter((arg) => arg !== '--');
  const wanted = names.length > 0 ? names : PINNED.map(({ name }) => name);
  const runtimes: Runtime[] = [];
  for (const name of wanted) runtimes.push(await findRuntime(name));
  const folder = mkdtempSync(join(tmpdir(), 'millrace-matrix-'));
  try {
    const program = await makeProject(folder);
    const all: Tried[] = [];
    for (const runtime of runtimes) all.push(await tryOn(runtime, program));
    console.log(matrixTable(all));
    const results = all.flatMap(({ report }) => report?.results ?? []);
    const passed = results.filter(({ problem }) => problem === undefined).length;
    const failed = failuresOf(all).length;
    console.log(`\n${passed} passed, ${failed} failed, 0 skipped`);
    return failed === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function tryOn({ name, file, args }: Runtime, program: string): Promise<Tried> {
  try {
    const printed = await execute(file, [...args, program], dirname(program));
    return { name, report: JSON.parse(printed.trim().split('\n').at(-1) ?? '') as SmokeReport };
  } catch (error) {
    return { name, problem: error instanceof Error ? error.message : String(error) };
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof UnknownRuntimeError ? error.message : error);
  process.exitCode = 2;
}
