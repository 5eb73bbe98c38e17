import type { CheckResult, SmokeReport } from './check.js';
import { CHECKS } from './checks/all.js';
import { runChecks } from './run-checks.js';

// The program that each runtime runs, with the packed packages beside it; it prints its report as the last line.

const { bun, deno, node } = process.versions;
const runtime = bun === undefined ? (deno === undefined ? `node ${node}` : `deno ${deno}`) : `bun ${bun}`;
const strays: CheckResult[] = [];
process.on('unhandledRejection', (reason) => {
  strays.push({ name: 'no unhandled rejection', problem: String(reason) });
});
const results = await runChecks(CHECKS);
console.log(JSON.stringify({ runtime, results: [...results, ...strays] } satisfies SmokeReport));
