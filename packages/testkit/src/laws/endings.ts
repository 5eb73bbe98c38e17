import { from, type Stage } from '@millrace/core';
import { operator } from '@millrace/core/authoring';
import { faultySource } from '../faults/faulty-source.js';
import { firstOf, imbalance, type Law, showError } from '../law.js';
import { areSame, show } from '../same.js';
import { sinkProbe } from '../sink-probe.js';
import { sourceProbe } from '../source-probe.js';
import { quiet } from '../turn.js';

/** How a stage ends when all is well. */
export const ENDINGS: readonly Law[] = [
  {
    name: 'empty input ends',
    async check(trial) {
      const ran = await trial.run(from([]), trial.stage());
      return firstOf(ran.hasFailed && `it failed: ${showError(ran.error)}`, imbalance(ran));
    },
  },
  {
    name: 'the end closes the source, once',
    async check(trial) {
      const probe = sourceProbe<unknown>();
      probe.release(...trial.input());
      probe.end();
      const ran = await trial.run(probe.pipeline, trial.stage());
      return firstOf(
        ran.hasFailed && `it failed: ${showError(ran.error)}`,
        probe.closes.length !== 1 && `the source was closed ${probe.closes.length} times`,
        probe.closes[0] !== undefined && `the source was closed with the reason ${String(probe.closes[0])}`,
      );
    },
  },
  {
    name: 'nothing vanishes, by the end',
    check: async (trial) => imbalance(await trial.run(from(trial.input()), trial.stage())),
  },
  {
    name: 'what it holds is flushed once',
    async check(trial) {
      const expected = await trial.expected();
      const probe = sinkProbe<unknown>();
      const started = trial.start(from(trial.input()), trial.stage(), probe.sink);
      const taken = probe.take(Number.POSITIVE_INFINITY);
      const ran = await started.over();
      await trial.settled(taken);
      return firstOf(
        imbalance(ran),
        probe.closes !== 1 && `the sink was closed ${probe.closes} times`,
        !areSame(probe.items, expected, trial.isOrdered) && `a sink got ${show(probe.items)}, not ${show(expected)}`,
      );
    },
  },
  {
    name: 'the source is closed before the run is over',
    async check(trial) {
      const { clock } = trial;
      let isClosed = false;
      const items = faultySource(trial.input(), ({ what }) => {
        if (what !== 'close') return undefined;
        return quiet().then(() => {
          isClosed = true;
        });
      });
      let wasClosed = false;
      const noted = items
        .pipeThrough(trial.stage())
        .run(() => {}, { clock })
        .finished.then(() => {
          wasClosed = isClosed;
        });
      const end = await trial.settled(noted);
      return firstOf(
        end.isError && `it failed: ${showError(end.error)}`,
        !wasClosed && 'the run was over while its source was still open',
      );
    },
  },
  {
    name: 'drained, it finishes what is inside',
    async check(trial) {
      const probe = sourceProbe<unknown>();
      const items: unknown[] = [];
      const started = trial.start(probe.pipeline, trial.stage(), (item) => void items.push(item));
      probe.release(...trial.input(5));
      await trial.rest();
      // A worker of the stage takes real time, in which the virtual deadline must not pass.
      started.run.drain({ deadlineMs: 1e9 }).catch(() => {});
      const ran = await started.over();
      const expected = await trial.expected(trial.input(probe.read));
      return firstOf(
        ran.hasFailed && `it failed: ${showError(ran.error)}`,
        imbalance(ran),
        ran.summary.abandoned > 0 && `${ran.summary.abandoned} items were abandoned`,
        !areSame(items, expected, trial.isOrdered) && `it gave ${show(items)}, not ${show(expected)}`,
      );
    },
  },
  {
    name: 'the end stays the end',
    async check(trial) {
      const asked = new AskedAgain();
      const expected = await trial.expected();
      const ran = await trial.run(from(trial.input()).pipeThrough(trial.stage()), asked.stage);
      return firstOf(
        ran.hasFailed && `it failed: ${showError(ran.error)}`,
        asked.others.length > 0 && `asked again after its end it answered ${asked.others.join(', ')}`,
        !areSame(ran.items, expected, trial.isOrdered) && `it gave ${show(ran.items)}, not ${show(expected)}`,
      );
    },
  },
  {
    name: 'close() can be called again, and during a pull',
    async check(trial) {
      const probe = sourceProbe<unknown>();
      const asked = new AskedAgain();
      const started = trial.start(probe.pipeline.pipeThrough(trial.stage()), asked.stage, () => {});
      probe.release(...trial.input(3));
      await trial.rest();
      started.run.abort('enough');
      const ran = await started.over();
      return firstOf(probe.closes.length !== 1 && `the source was closed ${probe.closes.length} times`, imbalance(ran));
    },
  },
];

/** Stands behind a stage, asks again after its end, and closes it three times. */
class AskedAgain {
  readonly others: string[] = [];

  readonly stage: Stage<unknown, unknown> = operator<unknown, unknown>({
    name: 'asked again',
    open: (upstream, { counts }) => {
      let isPassing = true;
      return {
        pull: async (max) => {
          const answer = await upstream.pull(max);
          if (Array.isArray(answer)) {
            counts.in += answer.length;
            counts[isPassing ? 'out' : 'abandoned'] += answer.length;
          } else if (isPassing) {
            for (let again = 0; again < 2; again++) {
              const next = await upstream.pull(max);
              if (next !== answer) this.others.push(Array.isArray(next) ? show(next) : String(next));
            }
          }
          return answer;
        },
        close: (reason) => {
          isPassing = false;
          for (let again = 0; again < 3; again++) upstream.close(reason);
        },
      };
    },
  });
}
