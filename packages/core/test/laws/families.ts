import type { RunOptions } from '@millrace/core';
import { type Schedule, sinkProbe, virtualClock } from '@millrace/testkit';
import fc from 'fast-check';
import {
  clocked,
  diamonds,
  foreign,
  inAllWays,
  joins,
  linear,
  merges,
  nested,
  sinks,
  splits,
  stalled,
} from './arbitraries.js';
import { built } from './build.js';
import type { Case, Value } from './case.js';
import { checkCase, isRefused, type Outcome } from './check.js';
import { driven } from './drive.js';
import type { Ledger } from './ledger.js';
import { named } from './named.js';
import { World } from './world.js';

/** A kind of topology, and how one of it is checked. */
export interface Family {
  readonly name: string;
  /** Its part of all cases. */
  readonly share: number;
  property(ledger: Ledger): fc.IAsyncProperty<[unknown]>;
}

const family = <T>(
  name: string,
  share: number,
  arbitrary: fc.Arbitrary<T>,
  check: (made: T, ledger: Ledger) => Promise<unknown>,
): Family => ({
  name,
  share,
  property: (ledger) =>
    fc.asyncProperty(arbitrary, async (made) => {
      ledger.next();
      await check(made, ledger);
    }) as fc.IAsyncProperty<[unknown]>,
});

const ofCases = (name: string, share: number, arbitrary: fc.Arbitrary<Case>): Family =>
  family(name, share, arbitrary.map(named), async (made, ledger) => {
    const outcome = await checkCase(made, ledger);
    await checkRefused(made, outcome, ledger);
  });

/** Chains of stages. */
export const CHAINS: readonly Family[] = [
  ofCases('linear', 0.1, linear),
  family('in all ways', 0.1, inAllWays.map(named), checkWays),
  family('stalled', 0.05, stalled, checkStalled),
  ofCases('foreign', 0.1, foreign),
  ofCases('clocked', 0.1, clocked),
];

/** Pipelines that branch and join. */
export const GRAPHS: readonly Family[] = [
  ofCases('merges', 0.1, merges),
  ofCases('joins', 0.1, joins),
  ofCases('diamonds', 0.1, diamonds),
  ofCases('splits', 0.1, splits),
  ofCases('several sinks', 0.05, sinks),
  ofCases('nested', 0.1, nested),
];

const WAYS: readonly RunOptions[] = [
  { fuse: true, generate: true },
  { fuse: true, generate: false },
  { fuse: false, generate: true },
  { fuse: false, generate: false },
  { context: true },
];

/** A run that could have more inside than it may is refused before anything is opened. */
async function checkRefused(made: Case, { ended: { bound, notCounted } }: Outcome, ledger: Ledger): Promise<void> {
  if (bound < 2 && notCounted.length === 0) return;
  const maxInFlight = notCounted.length > 0 ? 1_000_000 : Math.min(bound - 1, 1_000_000);
  const world = new World(STILL, false);
  const error = await driven(made, world, { maxInFlight }).catch((reason: unknown) => reason);
  ledger.check(
    1,
    isRefused(error),
    () => `maxInFlight ${maxInFlight} did not refuse a bound of ${bound}: ${String(error)}`,
  );
  ledger.check(1, !world.lives.some(({ name }) => name.startsWith('reader')), () => 'what was refused had been opened');
}

/** Nothing ever happens. */
const STILL = {
  seed: 0,
  clock: virtualClock(),
  steps: [],
  any: () => new Promise<void>(() => {}),
  delays: () => () => {},
  sometime: () => {},
  random: () => 0,
} satisfies Schedule;

async function checkWays(made: Case, ledger: Ledger): Promise<void> {
  const digests: string[] = [];
  for (const { fuse = true, generate = true, context = false } of WAYS) {
    const { world, ended } = await checkCase({ ...made, fuse, generate, context }, ledger);
    const { stage, index, cause } = (ended.error ?? {}) as { stage?: string; index?: number; cause?: unknown };
    const lives = world.lives.map(({ name, kind, closes, aborts, isOver }) => {
      // How far one got that is read ahead is no result.
      return kind === 'iterator' ? '' : `${name} ${kind === 'source' ? closes > 0 || isOver : closes} ${aborts}`;
    });
    const isSure = made.pipe.stages.every((each) => each.kind !== 'mapAsync' || each.ordered || each.concurrency === 1);
    const end = isSure ? [stage, index, String(cause)] : [];
    digests.push(
      JSON.stringify([
        isSure ? world.seen : [],
        end,
        isSure || ended.error === undefined ? lives.filter(Boolean).sort() : [],
      ]),
    );
  }
  digests.forEach((digest, at) => {
    ledger.check(
      6,
      digest === digests[0],
      () => `${JSON.stringify(WAYS[at])} gives ${digest}, and ${JSON.stringify(WAYS[0])} gives ${digests[0]}`,
    );
  });
}

/** With a sink that takes nothing, and again when it has taken some, exactly as many items are inside as the bound says. */
async function checkStalled(made: { readonly made: Case; readonly taken: number }, ledger: Ledger): Promise<void> {
  const stalledCase = named(made.made);
  const [only] = stalledCase.sinks;
  const clock = virtualClock();
  const world = new World({ ...STILL, clock }, false);
  const pipeline = built(stalledCase, world)[0] as ReturnType<typeof built>[number];
  const probe = stallingSink(only?.sink.kind === 'function' ? undefined : (only?.sink.mark ?? 0), clock);
  const { fuse, generate, context } = stalledCase;
  const run = pipeline.run(probe.sink, { clock, fuse, generate, context });
  run.finished.catch(() => {});
  const plan = run.explain();
  const check = (): void => {
    ledger.check(
      1,
      run.inFlight === plan.bound,
      () => `${run.inFlight} items are inside while the sink stalls, and the bound is ${plan.bound}:\n${plan}`,
    );
    const inside = world.handed - probe.done();
    ledger.check(
      1,
      inside === plan.bound,
      () => `the source is ${inside} items ahead of the sink, and the bound is ${plan.bound}`,
    );
  };
  await clock.settle();
  check();
  await probe.take(made.taken);
  await clock.settle();
  check();
  run.abort('enough');
  await run.finished.catch(() => {});
  ledger.check(1, run.inFlight === 0, () => `${run.inFlight} items are inside a run that is over`);
}

interface Stalling {
  readonly sink: Parameters<ReturnType<typeof built>[number]['run']>[0];
  take(items: number): Promise<unknown>;
  done(): number;
}

function stallingSink(highWaterMark: number | undefined, clock: ReturnType<typeof virtualClock>): Stalling {
  if (highWaterMark !== undefined) {
    const probe = sinkProbe<Value>({ highWaterMark });
    return { sink: probe.sink, take: (items) => probe.take(items), done: () => probe.items.length };
  }
  let release: (() => void) | undefined;
  let done = 0;
  return {
    sink: () =>
      new Promise<void>((resolve) => {
        release = resolve;
      }),
    done: () => done,
    async take(items) {
      for (let taken = 0; taken < items; taken++) {
        done++;
        release?.();
        await clock.settle();
      }
    },
  };
}
