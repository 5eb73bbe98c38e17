import { constants } from 'node:os';
import type { Run } from '@millrace/core';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
// A terminal sends Ctrl-C to npm and to this process, and npm passes it on: the second within this time is the first.
const DEBOUNCE_MS = 500;
const DEADLINE_MS = 5_000;
const PARENT_LOOK_MS = 250;

/** Whether a run was stopped by a signal, and the exit code that says so. */
export interface Stopping {
  /** 128 and the number of the first signal, as shells have it; `undefined` where none came. */
  readonly exitCode: number | undefined;
  /** Lets signals end the process as usual. */
  release(): void;
}

/**
 * Drains a run at the first signal that asks the process to end, and aborts it at the next. Under npm the death of the
 * parent counts as the terminal's hanging up: `kill -9` of npm tells its child nothing.
 */
export function stopOnSignals(
  run: Pick<Run, 'drain' | 'abort'>,
  now: () => number = () => performance.now(),
): Stopping {
  let exitCode: number | undefined;
  let firstMs = 0;
  function onSignal(signal: NodeJS.Signals): void {
    if (exitCode === undefined) {
      exitCode = 128 + constants.signals[signal];
      firstMs = now();
      // How it ends is told by `run.finished`.
      run.drain({ deadlineMs: DEADLINE_MS }).catch(() => {});
    } else if (now() - firstMs >= DEBOUNCE_MS) run.abort(new Error('Cannot finish the run: it was told twice to stop'));
  }
  for (const signal of SIGNALS) process.on(signal, onSignal);
  const parent = process.ppid;
  const orphanWatch = setInterval(() => {
    if (process.ppid === parent || process.env['npm_lifecycle_event'] === undefined) return;
    clearInterval(orphanWatch);
    onSignal('SIGHUP');
  }, PARENT_LOOK_MS);
  orphanWatch.unref();
  return {
    get exitCode() {
      return exitCode;
    },
    release() {
      clearInterval(orphanWatch);
      for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
}
