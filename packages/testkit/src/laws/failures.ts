import { from, StageError } from '@millrace/core';
import { faultySource } from '../faults/faulty-source.js';
import { doesNotApply, firstOf, imbalance, type Law, showError, type Verdict } from '../law.js';
import { areSame, isPrefix, show } from '../same.js';
import { type SinkProbe, sinkProbe } from '../sink-probe.js';
import { sourceProbe } from '../source-probe.js';
import { BREAK_INDEX, type Ran, type Trial } from '../trial.js';

/** A call of the user's function that has a few results before it. */
const LATE_INDEX = 7;

const NO_FUNCTION = 'no function of the user is called three times';

/** What a stage does when something fails, beside it or in it. */
export const FAILURES: readonly Law[] = [
  {
    name: 'an error from upstream keeps its place and is passed on unchanged',
    async check(trial) {
      const failed = await upstreamFails(trial);
      if (failed === undefined) return doesNotApply('it ended before the error');
      const { ran, cause, items } = failed;
      const expected = await trial.expected(items);
      return firstOf(
        wrongError(ran.error, cause, 'probe', items.length),
        !isPrefix(ran.items, expected, trial.isOrdered) && `before it came ${show(ran.items)}, not ${show(expected)}`,
      );
    },
  },
  {
    name: 'nothing vanishes, by an error from upstream',
    async check(trial) {
      const failed = await upstreamFails(trial);
      return failed === undefined ? doesNotApply('it ended before the error') : imbalance(failed.ran);
    },
  },
  {
    name: 'an error of the user says where, and is the cause',
    async check(trial) {
      const cause = new Error('of the user');
      const ran = await trial.run(from(trial.input()), trial.breaking(cause));
      if (!ran.hasFailed) return notBroken(trial);
      const own = ran.summary.stages.slice(1, -1).map(({ name }) => name);
      const { stage } = ran.error as StageError;
      return firstOf(
        wrongError(ran.error, cause, undefined, BREAK_INDEX),
        !own.includes(stage) && `the stage is "${stage}" (must be "${own.join('" or "')}")`,
      );
    },
  },
  {
    name: 'an error of the user at any item says where',
    async check(trial) {
      const cause = new Error('of the user');
      for (let at = 0; at < trial.input().length; at++) {
        const ran = await trial.run(from(trial.input()), trial.breaking(cause, at));
        if (!ran.hasFailed && trial.calls <= at) return at === 0 ? doesNotApply(NO_FUNCTION) : undefined;
        const wrong = ran.hasFailed ? wrongError(ran.error, cause, undefined, at) : 'it is swallowed';
        if (wrong !== undefined) return `thrown at call ${at + 1}: ${wrong}`;
      }
      return undefined;
    },
  },
  {
    name: 'nothing vanishes, by an error of the user',
    async check(trial) {
      const ran = await trial.run(from(trial.input()), trial.breaking(new Error('of the user')));
      return ran.hasFailed ? imbalance(ran) : notBroken(trial);
    },
  },
  {
    name: 'an error of the user closes the source',
    async check(trial) {
      const probe = sourceProbe<unknown>();
      probe.release(...trial.input());
      probe.end();
      const ran = await trial.run(probe.pipeline, trial.breaking(new Error('of the user')));
      if (!ran.hasFailed) return notBroken(trial);
      return probe.closes.length === 1 ? undefined : `the source was closed ${probe.closes.length} times`;
    },
  },
  {
    name: 'an error does not overtake what came before it, however slow the sink',
    async check(trial) {
      if (!trial.isOrdered) return doesNotApply('its results come in any order');
      const fast = sinkProbe<unknown>();
      const slow = sinkProbe<unknown>({ highWaterMark: 0 });
      void fast.take(Number.POSITIVE_INFINITY);
      if ((await failsInto(trial, fast)) === undefined) return doesNotApply('it ended before the error');
      await failsInto(trial, slow);
      return areSame(slow.items, fast.items, true)
        ? undefined
        : `a slow sink got ${show(slow.items)} before the error, a fast one ${show(fast.items)}`;
    },
  },
  {
    name: 'what comes before an error of the user does not depend on the size of bursts',
    async check(trial) {
      if (!trial.isOrdered) return doesNotApply('its results come in any order');
      for (const at of [BREAK_INDEX, LATE_INDEX]) {
        const cause = new Error('of the user');
        const whole = await trial.run(from(trial.input()), trial.breaking(cause, at));
        if (!whole.hasFailed) return at === BREAK_INDEX ? doesNotApply(NO_FUNCTION) : undefined;
        const single = await trial.run(faultySource(trial.input()), trial.breaking(cause, at));
        if (!areSame(whole.items, single.items, true))
          return `thrown at call ${at + 1}: in one burst ${show(whole.items)}, item by item ${show(single.items)}`;
      }
      return undefined;
    },
  },
  {
    name: 'after an error the sink is aborted, and not closed',
    async check(trial) {
      const sink = sinkProbe<unknown>();
      void sink.take(Number.POSITIVE_INFINITY);
      if ((await failsInto(trial, sink)) === undefined) return doesNotApply('it ended before the error');
      const [times, closes] = [sink.aborts.length, sink.closes];
      return firstOf(closes !== 0 && `it was closed ${closes} times`, times !== 1 && `it was aborted ${times} times`);
    },
  },
];

/** Lets the source fail behind half its items, at once, while the sink takes one item after the other. */
async function failsInto(trial: Trial, sink: SinkProbe<unknown>): Promise<true | undefined> {
  const probe = sourceProbe<unknown>();
  probe.release(...halfOf(trial.input()));
  probe.fail(new Error('from upstream'));
  const started = trial.start(probe.pipeline, trial.stage(), sink.sink);
  await trial.rest();
  for (let item = 0; item < 100 && sink.isOffered; item++) {
    void sink.take(1);
    await trial.rest();
  }
  void sink.take(Number.POSITIVE_INFINITY);
  await started.over();
  return probe.isSpent ? true : undefined;
}

function halfOf(items: readonly unknown[]): unknown[] {
  return items.slice(0, Math.ceil(items.length / 2));
}

/** Where the user's function threw and the run went well all the same, the stage kept the error to itself. */
function notBroken(trial: Trial): Verdict {
  return trial.calls > BREAK_INDEX ? 'the error of the user is swallowed' : doesNotApply(NO_FUNCTION);
}

async function upstreamFails(trial: Trial): Promise<{ ran: Ran; cause: unknown; items: unknown[] } | undefined> {
  const cause = new Error('from upstream');
  const items = halfOf(trial.input());
  const probe = sourceProbe<unknown>();
  probe.release(...items);
  probe.fail(cause);
  const ran = await trial.run(probe.pipeline, trial.stage());
  return probe.isSpent ? { ran, cause, items } : undefined;
}

function wrongError(error: unknown, cause: unknown, stage: string | undefined, index: number): string | undefined {
  if (!(error instanceof StageError)) return `it failed with ${showError(error)} (must be a StageError)`;
  return firstOf(
    error.cause !== cause && `the cause is ${showError(error.cause)} (must be the error that was thrown itself)`,
    stage !== undefined && error.stage !== stage && `the stage is "${error.stage}" (must be "${stage}")`,
    error.index !== index && `the index is ${error.index} (must be ${index})`,
  );
}
