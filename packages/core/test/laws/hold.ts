import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Family } from './families.js';
import { Ledger } from './ledger.js';

// `pnpm laws` sets them; without it a few hundred cases are tried, always the same.
const runs = Number(process.env['MILLRACE_LAWS_RUNS'] ?? 800);
const seed = Number(process.env['MILLRACE_LAWS_SEED'] ?? 20261122);
const only = process.env['MILLRACE_LAWS_FAMILY'];
const path = process.env['MILLRACE_LAWS_PATH'];

const DAY_MS = 86_400_000;

/** Tests families of topologies, each on its share of the cases, and leaves what came of it for the table of `pnpm laws`. */
export function lawsHold(families: readonly Family[]): void {
  const chosen = families.filter(({ name }) => only === undefined || name === only);
  for (const { name, share, property } of chosen) {
    test(`the laws hold for topologies: ${name}`, { timeout: DAY_MS }, async ({ task }) => {
      const ledger = new Ledger();
      const numRuns = only === undefined ? Math.max(1, Math.round(runs * share)) : runs;
      const ended = await fc.check(property(ledger), { seed, numRuns, ...(path === undefined ? {} : { path }) });
      ledger.next();
      const again = `pnpm laws --family "${name}" --seed ${seed} --path ${ended.counterexamplePath}`;
      const failure = ended.failed
        ? `${String(ended.errorInstance)}\nagain: ${again}\nthe case: ${fc.stringify(ended.counterexample)}`
        : undefined;
      const { checked } = ledger;
      Object.assign(task.meta, { laws: { family: name, seed, cases: ended.numRuns, checked, failure } });
      expect(failure, failure).toBe(undefined);
    });
  }
  if (chosen.length === 0) test.each([only])('no topologies of the family %s here', () => {});
}
