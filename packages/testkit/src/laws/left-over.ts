import { from } from '@millrace/core';
import { faultySource } from '../faults/faulty-source.js';
import { hanging } from '../faults/hanging.js';
import { doesNotApply, type Law, type Verdict } from '../law.js';
import type { Trial } from '../trial.js';
import { Patience, quiet } from '../turn.js';
import { type Leftovers, watchHandles, watchListeners, watchTimers } from './leftovers.js';

/** What must not pile up, run after run; what a user's own pool or connection keeps open stays the same. */
export const LEFT_OVER: readonly Law[] = [
  {
    name: 'no timer of the platform is left, run after run',
    check: (trial) => pilesUp(trial, watchTimers, 'timers'),
  },
  {
    name: 'no listener is left on a signal, run after run',
    check: (trial) => pilesUp(trial, watchListeners, 'listeners'),
  },
  {
    name: 'no worker, socket or port is left, run after run',
    check: (trial) => pilesUp(trial, watchHandles, 'workers, sockets and ports'),
  },
  {
    name: 'no timer is left',
    async check(trial) {
      await endedAndAborted(trial);
      const { timersLeft } = trial;
      return timersLeft.length === 0 ? undefined : `when a run was over timers were set: ${timersLeft.join(', ')}`;
    },
  },
  {
    name: 'no rejection is unhandled',
    async check(trial) {
      await endedAndAborted(trial);
      await trial.rest();
      const { reasons } = trial.rejections;
      return reasons.length === 0 ? undefined : `unhandled: ${reasons.map(String).join(', ')}`;
    },
  },
];

/** What was left by the laws before counts too. */
async function endedAndAborted(trial: Trial): Promise<void> {
  await trial.run(from(trial.input()), trial.stage());
  const started = trial.start(faultySource(trial.input(), hanging({ at: 4 })), trial.stage(), () => {});
  await trial.rest();
  started.run.abort('enough');
  await started.over();
}

/** A pool of workers that fills up run by run has no more to start by then. */
const RUNS = 8;

/** INVARIANT: one watch at a time; each puts itself in the place of something global. */
let turn: Promise<unknown> = Promise.resolve();

function pilesUp(trial: Trial, watch: () => Leftovers | undefined, what: string): Promise<Verdict> {
  const mine = turn.then(() => watched(trial, watch(), what));
  turn = mine.catch(() => {});
  return mine;
}

async function watched(trial: Trial, leftovers: Leftovers | undefined, what: string): Promise<Verdict> {
  if (leftovers === undefined) return doesNotApply('the platform does not tell');
  try {
    const stage = trial.stage();
    const { signal } = new AbortController();
    const left = [leftovers.count()];
    const { timeoutMs = 2000 } = trial.options;
    for (let run = 0; run < RUNS; run++) {
      await trial.run(from(trial.input()), stage, { signal });
      await trial.rest();
      left.push(await fallen(leftovers, left.at(-1) as number, timeoutMs / RUNS));
      if ((left.at(-1) as number) <= (left.at(-2) as number)) return undefined;
    }
    return `after each of ${RUNS} runs more were left: ${left.slice(1).join(', ')} ${what}`;
  } finally {
    leftovers.stop();
  }
}

/** What ends in another thread, such as a port, takes its time to be gone. */
async function fallen(leftovers: Leftovers, before: number, timeoutMs: number): Promise<number> {
  const patience = new Patience(timeoutMs);
  while (leftovers.count() > before && !patience.isOver()) await quiet();
  return leftovers.count();
}
