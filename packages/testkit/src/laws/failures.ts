import { from, StageError } from '@millrace/core';
import { doesNotApply, firstOf, imbalance, type Law, showError, type Verdict } from '../law.js';
import { isPrefix, show } from '../same.js';
import { sourceProbe } from '../source-probe.js';
import { BREAK_INDEX, type Ran, type Trial } from '../trial.js';

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
];

/** Where the user's function threw and the run went well all the same, the stage kept the error to itself. */
function notBroken(trial: Trial): Verdict {
  return trial.calls > BREAK_INDEX ? 'the error of the user is swallowed' : doesNotApply(NO_FUNCTION);
}

async function upstreamFails(trial: Trial): Promise<{ ran: Ran; cause: unknown; items: unknown[] } | undefined> {
  const cause = new Error('from upstream');
  const all = trial.input();
  const items = all.slice(0, Math.ceil(all.length / 2));
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
