import { doesNotApply, firstOf, imbalance, type Law, showError } from '../law.js';
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
      const read = reader.read();
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
    name: 'no listener is left on the signal',
    async check(trial) {
      const { listeners } = await aborted(trial);
      return listeners === 0 ? undefined : `${listeners} listeners are left`;
    },
  },
];

async function aborted(trial: Parameters<Law['check']>[0]): Promise<{
  readonly ran: Parameters<typeof imbalance>[0];
  readonly probe: ReturnType<typeof sourceProbe>;
  readonly reason: unknown;
  readonly hadEnded: boolean;
  readonly listeners: number;
}> {
  const probe = sourceProbe<unknown>();
  const reason = new Error('enough');
  const { signal, abort, listeners } = counting();
  probe.release(...trial.input().slice(0, 5));
  const started = trial.start(probe.pipeline, trial.stage(), () => {}, { signal });
  await trial.rest();
  const hadEnded = probe.closes.length > 0;
  abort(reason);
  return { ran: await started.over(), probe, reason, hadEnded, listeners: listeners() };
}

/** A signal that counts who listens to it. */
function counting(): { signal: AbortSignal; abort: (reason: unknown) => void; listeners: () => number } {
  const controller = new AbortController();
  const { signal } = controller;
  const heard = new Set<unknown>();
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (type: string, listener: unknown, options?: unknown): void => {
    heard.add(listener);
    add(type, listener as EventListener, options as AddEventListenerOptions);
  };
  signal.removeEventListener = (type: string, listener: unknown, options?: unknown): void => {
    heard.delete(listener);
    remove(type, listener as EventListener, options as EventListenerOptions);
  };
  return { signal, abort: (reason) => controller.abort(reason), listeners: () => heard.size };
}
