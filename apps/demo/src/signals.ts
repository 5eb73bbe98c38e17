import { type Stoppable, type Stopping, stopOnSignals } from '@millrace/core';

const PARENT_LOOK_MS = 250;

/**
 * Stops a run on signals. Under npm the death of the parent counts as the terminal's hanging up: `kill -9` of npm tells
 * its child nothing.
 */
export function stopWithTerminal(run: Stoppable): Stopping {
  const stopping = stopOnSignals(run, { signals: ['SIGINT', 'SIGTERM', 'SIGHUP'] });
  const parent = process.ppid;
  const orphanWatch = setInterval(() => {
    if (process.ppid === parent || process.env['npm_lifecycle_event'] === undefined) return;
    clearInterval(orphanWatch);
    stopping.stop('SIGHUP');
  }, PARENT_LOOK_MS);
  orphanWatch.unref();
  return {
    get exitCode() {
      return stopping.exitCode;
    },
    stop: stopping.stop,
    release() {
      clearInterval(orphanWatch);
      stopping.release();
    },
  };
}
