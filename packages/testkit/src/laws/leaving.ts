import { from } from '@millrace/core';
import { failing } from '../faults/failing.js';
import { faultySource } from '../faults/faulty-source.js';
import { hanging } from '../faults/hanging.js';
import { doesNotApply, firstOf, imbalance, type Law, showError } from '../law.js';
import { areSame, show } from '../same.js';
import { sinkProbe } from '../sink-probe.js';
import { sourceProbe } from '../source-probe.js';

/** What a stage does when its consumer goes, or the run is aborted. */
export const LEAVING: readonly Law[] = [
  {
    name: 'a cancel closes the source with its reason',
    async check(trial) {
      const probe = sourceProbe<unknown>();
      const reason = new Error('enough');
      const { clock } = trial;
      const reader = probe.pipeline.pipeThrough(trial.stage()).toReadableStream({ clock }).getReader();
      probe.release(...trial.input());
      const read = trial.watched(reader.read());
      await trial.rest(1);
      const hasEnded = probe.closes.length > 0;
      await trial.settled(reader.cancel(reason));
      await trial.settled(read);
      return firstOf(
        probe.closes.length !== 1 && `the source was closed ${probe.closes.length} times`,
        !hasEnded && probe.closes[0] !== reason && `the source was closed with ${showError(probe.closes[0])}`,
      );
    },
  },
  {
    name: 'a cancel before the first item closes the source with its reason',
    async check(trial) {
      const probe = sourceProbe<unknown>();
      const reason = new Error('enough');
      const { clock } = trial;
      const stream = probe.pipeline.pipeThrough(trial.stage()).toReadableStream({ clock });
      probe.release(...trial.input());
      await trial.settled(stream.cancel(reason));
      return firstOf(
        probe.closes.length !== 1 && `the source was closed ${probe.closes.length} times`,
        probe.closes[0] !== reason && `the source was closed with ${showError(probe.closes[0])}`,
        probe.read > 0 && `${probe.read} items were read`,
      );
    },
  },
  {
    name: 'an abort before the start reads nothing',
    async check(trial) {
      const probe = sourceProbe<unknown>();
      const reason = new Error('too late');
      probe.release(...trial.input());
      const ran = await trial.run(probe.pipeline, trial.stage(), { signal: AbortSignal.abort(reason) });
      return firstOf(
        ran.error !== reason && `it ended with ${showError(ran.error)} (must be the reason itself)`,
        probe.pulls.length > 0 && `the source was asked for ${probe.pulls.join(', ')} items`,
        probe.closes.length !== 1 && `the source was closed ${probe.closes.length} times`,
      );
    },
  },
  {
    name: 'an abort in the middle rejects with its reason and closes the source',
    async check(trial) {
      const { ran, probe, reason, hadEnded } = await aborted(trial);
      if (hadEnded) return doesNotApply('it ended before the abort');
      return firstOf(
        ran.error !== reason && `it ended with ${showError(ran.error)} (must be the reason itself)`,
        probe.closes.length !== 1 && `the source was closed ${probe.closes.length} times`,
        probe.closes[0] !== reason && `the source was closed with ${showError(probe.closes[0])}`,
      );
    },
  },
  {
    name: 'nothing vanishes, by an abort',
    check: async (trial) => imbalance((await aborted(trial)).ran),
  },
  {
    name: 'an abort while the sink stalls ends the run in balance',
    async check(trial) {
      const sink = sinkProbe<unknown>({ highWaterMark: 0 });
      const reason = new Error('enough');
      const started = trial.start(from(trial.input()), trial.stage(), sink.sink);
      await trial.rest(1);
      const hadEnded = sink.closes > 0;
      started.run.abort(reason);
      const ran = await started.over();
      if (hadEnded) return doesNotApply('it ended before the abort');
      return firstOf(
        ran.error !== reason && `it ended with ${showError(ran.error)} (must be the reason itself)`,
        sink.aborts.length !== 1 && `the sink was aborted ${sink.aborts.length} times`,
        imbalance(ran),
      );
    },
  },
  {
    name: 'an abort does not wait for a function of the user that hangs',
    async check(trial) {
      const reason = new Error('enough');
      const started = trial.start(from(trial.input()), trial.hanging(), () => {});
      await trial.rest();
      if (!trial.hasHung) {
        started.run.abort(reason);
        await started.over();
        return doesNotApply('no asynchronous function of the user is called three times');
      }
      const beganMs = trial.clock.now();
      started.run.abort(reason);
      const ran = await started.over();
      return firstOf(
        ran.error !== reason && `it ended with ${showError(ran.error)} (must be the reason itself)`,
        trial.clock.now() > beganMs && `it took ${trial.clock.now() - beganMs} ms`,
        imbalance(ran),
      );
    },
  },
  {
    name: 'after an abort no function of the user is called',
    async check(trial) {
      const probe = sourceProbe<unknown>();
      const started = trial.start(probe.pipeline, trial.stage(), () => {});
      probe.release(...trial.input(3));
      await trial.rest();
      started.run.abort('enough');
      const { calls } = trial;
      probe.release(...trial.input());
      await started.over();
      await trial.rest(1);
      if (trial.calls === 0) return doesNotApply('no function of the user is called');
      return trial.calls === calls ? undefined : `it was called ${trial.calls - calls} times`;
    },
  },
  {
    name: 'a stage whose run was aborted, or failed, serves another run',
    async check(trial) {
      const expected = await trial.expected();
      const stage = trial.stage();
      for (const fault of [hanging({ at: 4 }), failing(new Error('from upstream'), { at: 4 })]) {
        const started = trial.start(faultySource(trial.input(), fault), stage, () => {});
        await trial.rest();
        started.run.abort('enough');
        await started.over();
      }
      const { items, hasFailed, error } = await trial.run(from(trial.input()), stage);
      return firstOf(
        hasFailed && `it failed: ${showError(error)}`,
        !areSame(items, expected, trial.isOrdered) && `it gave ${show(items)}, not ${show(expected)}`,
      );
    },
  },
  {
    name: 'a stream that it read from is cancelled, and no reader is left on it',
    async check(trial) {
      const cancels: unknown[] = [];
      const items = trial.input(5);
      const stream = new ReadableStream<unknown>({
        start: (controller) => items.forEach((item) => void controller.enqueue(item)),
        cancel: (reason) => void cancels.push(reason),
      });
      const reason = new Error('enough');
      const started = trial.start(from(stream), trial.stage(), () => {});
      await trial.rest();
      const hadEnded = cancels.length > 0;
      started.run.abort(reason);
      await started.over();
      await trial.rest();
      return firstOf(
        stream.locked && 'a reader is left on it',
        cancels.length !== 1 && `it was cancelled ${cancels.length} times`,
        !hadEnded && cancels[0] !== reason && `it was cancelled with ${showError(cancels[0])}`,
      );
    },
  },
];

async function aborted(trial: Parameters<Law['check']>[0]): Promise<{
  readonly ran: Parameters<typeof imbalance>[0];
  readonly probe: ReturnType<typeof sourceProbe>;
  readonly reason: unknown;
  readonly hadEnded: boolean;
}> {
  const probe = sourceProbe<unknown>();
  const reason = new Error('enough');
  const controller = new AbortController();
  probe.release(...trial.input().slice(0, 5));
  const started = trial.start(probe.pipeline, trial.stage(), () => {}, { signal: controller.signal });
  await trial.rest();
  const hadEnded = probe.closes.length > 0;
  controller.abort(reason);
  return { ran: await started.over(), probe, reason, hadEnded };
}
