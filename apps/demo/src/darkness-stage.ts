import { availableParallelism } from 'node:os';
import type { Stage } from '@millrace/core';
import { parallel, workerModule } from '@millrace/parallel';
import type { FlightColumns } from './night/night-columns.js';

/** The stage that finds out the darkness, and its threads. */
export interface DarknessStage {
  readonly stage: Stage<FlightColumns, FlightColumns>;
  /** Ends the threads. */
  close(): Promise<void>;
}

// Built beside the program; the path leads there from `src` as from `dist`: Node 20 can't start a worker from TypeScript.
const WORKER = new URL('../dist/night-worker.js', import.meta.url);
// A batch is 2 ms of work, and the reading, on one thread, takes longer: more threads would wait for it.
const MOST_WORKERS = 4;
const BATCHES_IN_WORKERS = 4;

/** Makes the stage; threads start with the first batch. The main thread has much to do itself, and keeps a core. */
export function openDarkness(url: URL = WORKER): DarknessStage {
  const workers = Math.min(MOST_WORKERS, Math.max(1, availableParallelism() - 1));
  const module = workerModule<typeof import('./night-worker.js')>(url, { workers });
  return {
    stage: parallel(module, 'darkness', {
      name: 'darkness',
      highWaterMark: 1,
      maxItemsInWorkers: BATCHES_IN_WORKERS,
      transfer: (columns) => [columns.buffer],
    }),
    close: () => module.close(),
  };
}
