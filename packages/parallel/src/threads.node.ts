import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type FromWorker, PROGRESS, type ToWorker } from './protocol/messages.js';

// All that is Node's own on the side of the main thread; another platform needs this file and a worker entry anew.

/** A worker thread, alive or not. */
export interface Thread {
  /** What the worker is at, see {@link PROGRESS}. */
  readonly progress: Int32Array;
  post(message: ToWorker, transfer: readonly Transferable[]): void;
  /** Whether the process stays alive for it. */
  hold(isNeeded: boolean): void;
  /** Resolves when the thread is gone. */
  terminate(): Promise<unknown>;
}

/** What a thread reports; `died` comes once, last, and behind every message. */
export interface ThreadEvents {
  message(message: FromWorker): void;
  died(why: string, cause: unknown): void;
}

/** The limits of a worker's memory. */
export interface ThreadLimits {
  readonly memoryLimitMb: number | undefined;
}

/** How many threads the machine runs at once. */
export function threadsAtOnce(): number {
  return availableParallelism();
}

/** Starts a thread that loads the module at `href`. */
export function startThread(href: string, limits: ThreadLimits, events: ThreadEvents): Thread {
  const progress = new SharedArrayBuffer(PROGRESS.places * Int32Array.BYTES_PER_ELEMENT);
  const { memoryLimitMb } = limits;
  // The path leads to the built entry from `src` as from `dist`: Node 20 can't start a worker from TypeScript.
  const worker = new Worker(new URL('../dist/worker.node.js', import.meta.url), {
    name: 'millrace',
    workerData: { href, progress },
    ...(memoryLimitMb !== undefined && { resourceLimits: { maxOldGenerationSizeMb: memoryLimitMb } }),
  });
  let uncaught: { readonly error: unknown } | undefined;
  worker.on('message', (message: FromWorker) => events.message(message));
  worker.on('messageerror', (error) => {
    uncaught = { error };
    void worker.terminate();
  });
  worker.on('error', (error: unknown) => {
    uncaught = { error };
  });
  worker.on('exit', (code) => {
    events.died(uncaught === undefined ? `it exited with code ${code}` : textOf(uncaught.error), uncaught?.error);
  });
  return {
    progress: new Int32Array(progress),
    post: (message, transfer) => worker.postMessage(message, transfer as never),
    hold: (isNeeded) => (isNeeded ? worker.ref() : worker.unref()),
    terminate: () => worker.terminate(),
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
