import { fallback } from '@millrace/core';
import { type ParallelOptions, parallel, workerModule } from '@millrace/parallel';
import { conform } from '@millrace/testkit';
import { afterAll, expect, type TestContext, test } from 'vitest';

type Functions = typeof import('./functions.mjs');

const TIMEOUT_MS = 60_000;
const functions = workerModule<Functions>(new URL('./functions.mjs', import.meta.url), { workers: 2 });
afterAll(() => functions.close());

/** One line for each form of the stage; `pnpm conform` prints what each did under each law. */
function conforms(name: string, options: ParallelOptions<number, number>): void {
  test(`${name} conforms`, { timeout: TIMEOUT_MS }, async ({ task }: TestContext) => {
    const { ordered = true } = options;
    // Threads take the time they take, and the grace they are given is one of the clock.
    const limits = { timeoutMs: TIMEOUT_MS / 10, timeStandsStill: true };
    const { laws } = await conform(() => parallel(functions, 'same', options), { ordered, ...limits });
    Object.assign(task.meta, { stage: name, laws });
    expect(laws.filter(({ passed }) => !passed)).toEqual([]);
  });
}

conforms('parallel()', {});
conforms('parallel() with small limits', { maxItemsInWorkers: 1, highWaterMark: 0 });
conforms('parallel(), unordered', { ordered: false, maxItemsInWorkers: 8, highWaterMark: 2 });
conforms('parallel() that skips', { onError: 'skip', maxItemsInWorkers: 8 });
conforms('parallel() with retry and fallback()', {
  retry: { attempts: 2, backoffMs: 1 },
  onError: fallback((_error, n) => n),
  maxItemsInWorkers: 8,
});
