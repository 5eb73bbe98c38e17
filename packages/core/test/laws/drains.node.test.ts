import { explore } from '@millrace/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { diamonds, linear, merges, nested, sinks } from './arbitraries.js';
import type { Case, Ending, SinkCase } from './case.js';
import { checkCase, checkReceipt } from './check.js';
import { driven, type Ended } from './drive.js';
import { Ledger } from './ledger.js';
import { named } from './named.js';
import { World } from './world.js';

const seed = Number(process.env['MILLRACE_LAWS_SEED'] ?? 20261122);
const MOST_STEPS = 40;

const anyCase = fc.oneof(linear, merges, diamonds, sinks, nested);

/** The case, drained at a call of any function. */
const drainedAt = (made: Case, at: number | undefined): Case =>
  named({ ...made, ending: { kind: 'drain', at } as Ending });

test('drain() gives a receipt that sums, for random topologies, whichever step it comes at', {
  timeout: 120_000,
}, async () => {
  let receipts = 0;
  const property = fc.asyncProperty(anyCase, async (made) => {
    for (let at = 0; at < MOST_STEPS; at++) {
      const { world, ended } = await checkCase(drainedAt(made, at), new Ledger());
      if (ended.receipt() !== undefined) receipts++;
      if (world.calls <= at) break;
    }
  });
  await fc.assert(property, { seed, numRuns: 30 });
  expect(receipts).toBeGreaterThan(150);
});

/** Its sinks never come back from an item, each from another one. */
const stuck = (made: Case, at: number): Case => ({
  ...made,
  sinks: made.sinks.map(({ stages, sink }, nth) => ({
    stages,
    sink: { ...sink, fault: { at: at + nth, how: 'hangs' } } as SinkCase,
  })),
});

test('drain() cuts at its deadline what sinks do not finish, says so, and its receipt sums', {
  timeout: 120_000,
}, async () => {
  let overdue = 0;
  const property = fc.asyncProperty(anyCase, fc.nat(6), async (made, at) => {
    const hanging = stuck(drainedAt(made, undefined), at);
    await explore(
      async (schedule) => {
        const world = new World(schedule, true);
        const ended: Ended = await driven(hanging, world);
        await schedule.any('rest');
        checkReceipt(ended, new Ledger());
        const receipt = ended.receipt();
        if (receipt === undefined) return;
        expect([receipt.balanced, ended.run?.inFlight]).toEqual([true, 0]);
        if (!receipt.overdue) return;
        overdue++;
      },
      { runs: 1, seed: made.order, maxSteps: 200_000 },
    );
  });
  await fc.assert(property, { seed, numRuns: 150 });
  expect(overdue).toBeGreaterThan(30);
});
