import type { Check, CheckResult } from './check.js';

/** A check that hangs has failed. */
const PATIENCE_MS = 30_000;

/** Runs checks, one after the other. */
export async function runChecks(checks: readonly Check[], patienceMs: number = PATIENCE_MS): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const { name, run } of checks) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const hanging = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`Cannot wait longer: it took more than ${patienceMs} ms`)), patienceMs);
    });
    try {
      await Promise.race([run(), hanging]);
      results.push({ name });
    } catch (error) {
      results.push({ name, problem: String(error instanceof Error ? (error.stack ?? error) : error) });
    } finally {
      clearTimeout(timer);
    }
  }
  return results;
}
