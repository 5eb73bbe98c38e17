import type { CheckResult, SmokeReport } from './check.js';

/** What was tried on a runtime: a report, or why there is none. */
export interface Tried {
  readonly name: string;
  readonly report?: SmokeReport;
  readonly problem?: string;
}

/** Lays out check × runtime, and below it what failed. */
export function matrixTable(all: readonly Tried[]): string {
  const checks = [...new Set(all.flatMap(({ report }) => report?.results.map(({ name }) => name) ?? []))];
  const heads = all.map(({ name, report }) => report?.runtime ?? name);
  const width = Math.max('check'.length, ...checks.map((name) => name.length));
  const line = (name: string, cells: readonly string[]): string =>
    `${name.padEnd(width)}${cells.map((cell, at) => `  ${cell.padEnd((heads[at] as string).length)}`).join('')}`.trimEnd();
  return [
    line('check', heads),
    ...checks.map((name) =>
      line(
        name,
        all.map(({ report }) => markOf(report, name)),
      ),
    ),
    ...failuresOf(all).map(({ name, problem }) => `\nFAIL  ${name}\n${problem}`),
  ].join('\n');
}

/** What failed, with the runtime where it did. */
export function failuresOf(all: readonly Tried[]): CheckResult[] {
  return all.flatMap(({ name, report, problem }) => [
    ...(problem === undefined ? [] : [{ name, problem }]),
    ...(report?.results ?? [])
      .filter((result) => result.problem !== undefined)
      .map((result) => ({ ...result, name: `${name}: ${result.name}` })),
  ]);
}

function markOf(report: SmokeReport | undefined, name: string): string {
  const results = report?.results.filter((result) => result.name === name) ?? [];
  if (results.length === 0) return '';
  return results.every(({ problem }) => problem === undefined) ? '✓' : '✗';
}
