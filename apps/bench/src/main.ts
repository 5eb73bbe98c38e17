import { appendFileSync } from 'node:fs';
import { findRuntime, UnknownRuntimeError } from '@millrace/runtimes';
import { type Arguments, parseArguments } from './arguments.js';
import { compare } from './compare.js';
import { type Case, hasSides, type ProgramCase, type Row } from './model.js';
import { runJob } from './process.js';
import { jsonLine, tableHead, tableRow } from './report.js';
import { select } from './select.js';
import { CASES } from './suites.js';
import { UsageError } from './usage-error.js';

/** Lists the cases, or runs them; gives the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const wanted = parseArguments(args, [...new Set(CASES.map(({ suite }) => suite))]);
  const cases = select(CASES, wanted.selectors);
  if (wanted.isList) {
    console.log(cases.map(listed).join('\n'));
    return 0;
  }
  return runAll(cases, wanted);
}

async function runAll(
  cases: readonly (Case | ProgramCase)[],
  { json, runtime: name, runs, seed }: Arguments,
): Promise<number> {
  const runtime = await findRuntime(name);
  // Lines of JSON on standard output are not to be mixed with a table.
  const print = json !== undefined && json.file === undefined ? console.error : console.log;
  print(`seed ${seed}, ${runs} runs; speed: how many times as fast as the other side Millrace is\n\n${tableHead()}`);
  const record = (row: Row): void => {
    print(tableRow(row));
    if (json === undefined) return;
    if (json.file === undefined) console.log(jsonLine(row));
    else appendFileSync(json.file, `${jsonLine(row)}\n`);
  };
  let failed = 0;
  for (const of of cases) {
    if (!hasSides(of) && name !== 'node') {
      console.error(`${of.suite}/${of.name} (${of.options}): left out, it is measured on node alone`);
      continue;
    }
    try {
      const rows = hasSides(of) ? await compare(of, runs, seed, (job) => runJob(runtime, job)) : await of.compare(runs);
      rows.forEach(record);
    } catch (error) {
      // The other cases still say something; the exit code says that not all is well.
      failed++;
      console.error(`${of.suite}/${of.name} (${of.condition}${of.options && `, ${of.options}`}): ${messageOf(error)}`);
    }
  }
  return failed === 0 ? 0 : 1;
}

function listed({ suite, name, condition, options, against }: Case | ProgramCase): string {
  const sides = against.length === 0 ? 'own figure' : `against ${against.map((side) => side.name).join(', ')}`;
  return `${suite}/${name} · ${condition}${options && ` · ${options}`} · ${sides}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof UsageError || error instanceof UnknownRuntimeError ? error.message : error);
  process.exitCode = 2;
}
