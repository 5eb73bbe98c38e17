import { parentPort, workerData } from 'node:worker_threads';
import type { FromWorker, ToWorker } from './protocol/messages.js';
import { packError } from './protocol/packed-error.js';
import { Server } from './worker/server.js';

// What a worker thread of Node starts with: loads the user's module, says what it exports, then serves bursts.

const { href, progress } = workerData as { readonly href: string; readonly progress: SharedArrayBuffer };

function post(message: FromWorker, transfer: readonly Transferable[] = []): void {
  // The type of Node's transfer list leaves streams out, which it takes.
  parentPort?.postMessage(message, transfer as never);
}

import(href).then(
  (exports: Record<string, unknown>) => {
    const server = new Server(exports, new Int32Array(progress), post);
    parentPort?.on('message', (message: ToWorker) => server.receive(message));
    // What can't be read is lost: better that the worker dies of it, and is reported, than that nothing happens.
    parentPort?.on('messageerror', (error) => {
      throw error;
    });
    post({ type: 'ready', names: Object.keys(exports).filter((name) => typeof exports[name] === 'function') });
  },
  (error: unknown) => post({ type: 'unusable', error: packError(error) }),
);
