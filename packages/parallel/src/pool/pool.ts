import { systemClock, type Timer } from '@millrace/core';
import { parallelError } from '../errors.js';
import type { FromWorker } from '../protocol/messages.js';
import { unpackError } from '../protocol/packed-error.js';
import { startThread, type ThreadLimits } from '../threads.node.js';
import type { Burst, Client } from './client.js';
import { Leaving } from './leaving.js';
import { WorkerHandle } from './worker-handle.js';

/** Bursts sent to one worker at a time: it runs one while the other waits beside it. */
const MOST_IN_FLIGHT = 2;

/** How a pool behaves. */
export interface PoolOptions extends ThreadLimits {
  readonly workers: number;
  readonly maxRestarts: number;
  readonly startTimeoutMs: number;
}

/**
 * The workers of one module, for every run that uses it. Clients are asked for a burst when a worker has room, in turn;
 * workers are started when a burst waits, and rest, not keeping the process alive, when there is none.
 */
export class Pool {
  readonly href: string;
  readonly options: PoolOptions;
  readonly #clients: Client[] = [];
  readonly #leaving = new Set<Leaving>();
  readonly #workers: WorkerHandle[] = [];
  readonly #starts = new Map<WorkerHandle, Timer>();
  /** Deaths since a burst was last finished. */
  #deaths = 0;
  #nextLease = 1;
  #isPumping = false;
  #isAskedAgain = false;
  #isClosed = false;

  constructor(href: string, options: PoolOptions) {
    this.href = href;
    this.options = options;
  }

  lease(): number {
    return this.#nextLease++;
  }

  join(client: Client): void {
    this.#clients.push(client);
  }

  /** Stops what workers do for a client. Resolves when none does any more; one that goes on too long is ended. */
  leave(client: Client): Promise<void> | undefined {
    const at = this.#clients.indexOf(client);
    if (at < 0) return undefined;
    this.#clients.splice(at, 1);
    Atomics.store(new Int32Array(client.flag), 0, 1);
    for (const handle of this.#workers) handle.abort(client);
    const stopped = this.#clients.length === 0 ? this.#stopStarting() : undefined;
    if (!this.#isBusyFor(client)) {
      this.#forget(client);
      return stopped;
    }
    const leaving = new Leaving(client, () => this.#killFor(client));
    this.#leaving.add(leaving);
    return stopped === undefined ? leaving.left : Promise.all([leaving.left, stopped]).then(() => {});
  }

  /** Sends what waits to workers that have room. */
  pump(): void {
    this.#isAskedAgain = true;
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (this.#isAskedAgain) {
      this.#isAskedAgain = false;
      this.#distribute();
    }
    this.#isPumping = false;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unserve(this.#closedError());
    const gone = [...this.#workers].map((handle) => {
      handle.inFlight.length = 0;
      return this.#kill(handle);
    });
    this.#checkLeaving();
    await Promise.all(gone);
  }

  #distribute(): void {
    if (this.#isClosed) return this.#unserve(this.#closedError());
    for (;;) {
      const handle = this.#freest();
      const burst = handle && this.#nextBurst(handle);
      if (handle === undefined || burst === undefined) {
        const isIdle = handle !== undefined && handle.inFlight.length === 0;
        if (!isIdle && this.#workers.length < this.options.workers && this.#isWanted()) this.#startMore();
        return;
      }
      const beganMs = burst.client.began();
      try {
        handle.send(burst);
        burst.client.sent(burst, beganMs);
      } catch (error) {
        burst.client.refused(burst, error);
      }
    }
  }

  #freest(): WorkerHandle | undefined {
    let freest: WorkerHandle | undefined;
    for (const handle of this.#workers) {
      if (!handle.isReady || handle.inFlight.length >= MOST_IN_FLIGHT) continue;
      if (freest === undefined || handle.inFlight.length < freest.inFlight.length) freest = handle;
    }
    return freest;
  }

  /** Asks the clients in turn; the one that gives is asked last the next time. */
  #nextBurst(handle: WorkerHandle): Burst | undefined {
    for (const client of [...this.#clients]) {
      if (!this.#isExported(client, handle)) continue;
      const burst = client.take(handle.inFlight.length > 0);
      if (burst === undefined) continue;
      const at = this.#clients.indexOf(client);
      if (at < 0) continue;
      this.#clients.splice(at, 1);
      this.#clients.push(client);
      return burst;
    }
    return undefined;
  }

  #isExported(client: Client, { names = [] }: WorkerHandle): boolean {
    if (names.includes(client.exportName)) return true;
    const known = names.length === 0 ? 'no function' : names.map((name) => `"${name}"`).join(', ');
    const what = `Cannot call "${client.exportName}" of ${this.href}: it exports ${known}`;
    client.unserved(parallelError('ERR_PARALLEL_EXPORT', `${what} (must export a function of that name)`));
    return false;
  }

  #isWanted(): boolean {
    return [...this.#clients].some((client) => client.wantsWorker());
  }

  /** One worker at first; as many again whenever all are ready and work still waits. */
  #startMore(): void {
    if (this.#starts.size > 0) return;
    const now = this.#workers.length;
    for (let more = Math.min(Math.max(1, now), this.options.workers - now); more > 0; more--) this.#start();
  }

  #start(): void {
    const thread = startThread(this.href, this.options, {
      message: (message) => this.#onMessage(handle, message),
      died: (why, cause) => this.#onDeath(handle, why, cause),
    });
    const handle = new WorkerHandle(thread, (stuck, timeoutMs) => this.#onTimeout(stuck, timeoutMs));
    this.#workers.push(handle);
    const { startTimeoutMs } = this.options;
    this.#starts.set(
      handle,
      systemClock.setTimer(() => {
        this.#unusable(handle, `it is not loaded after ${startTimeoutMs} ms`, undefined);
      }, startTimeoutMs),
    );
  }

  #onMessage(handle: WorkerHandle, message: FromWorker): void {
    // What was posted before the worker was ended has been dealt with.
    if (handle.isDead) return;
    if (message.type === 'unusable') {
      const error = unpackError(message.error);
      this.#unusable(handle, error instanceof Error ? error.message : String(error), error);
    } else if (message.type === 'ready') {
      this.#started(handle);
      handle.names = message.names;
      this.pump();
      if (handle.inFlight.length === 0) handle.rest();
    } else {
      this.#deaths = 0;
      const burst = handle.acknowledged(message);
      if (this.#clients.includes(burst.client)) burst.client.done(burst, message);
      else this.#checkLeaving();
      this.pump();
    }
  }

  #onDeath(handle: WorkerHandle, why: string, cause: unknown): void {
    if (handle.isDead) return;
    if (handle.names === undefined) return this.#unusable(handle, why, cause);
    handle.dead();
    this.#remove(handle);
    const what = `Cannot finish the item: its worker died, ${why}`;
    this.#buried(handle, parallelError('ERR_PARALLEL_WORKER_DIED', `${what} (must stay alive)`, cause), true);
  }

  #onTimeout(handle: WorkerHandle, timeoutMs: number): void {
    const what = `Cannot finish the item: it runs for ${timeoutMs} ms or more, the timeoutMs`;
    void this.#kill(handle);
    this.#buried(handle, parallelError('ERR_PARALLEL_TIMEOUT', `${what} (must take less)`), false);
  }

  /** Gives back what a dead worker had: what it ran, to be reported or tried again, and what it had not begun. */
  #buried(handle: WorkerHandle, error: Error, isDeath: boolean): void {
    this.#deaths++;
    const running = handle.running();
    for (const burst of handle.inFlight.splice(0).reverse()) {
      if (!this.#clients.includes(burst.client)) continue;
      if (burst === running?.burst) burst.client.died(burst, running.offset, error, isDeath);
      else burst.client.returned(burst, error);
    }
    this.#checkLeaving();
    if (this.#deaths > this.options.maxRestarts) {
      this.#deaths = 0;
      this.#unserve(error);
    }
    this.pump();
  }

  #unusable(handle: WorkerHandle, why: string, cause: unknown): void {
    const what = `Cannot load the worker module ${this.href}: ${why}`;
    void this.#kill(handle);
    this.#unserve(parallelError('ERR_PARALLEL_MODULE', `${what} (must be a module that Node can load)`, cause));
  }

  #unserve(error: Error): void {
    for (const client of [...this.#clients]) client.unserved(error);
  }

  #kill(handle: WorkerHandle): Promise<unknown> {
    this.#remove(handle);
    return handle.kill();
  }

  #remove(handle: WorkerHandle): void {
    const at = this.#workers.indexOf(handle);
    if (at >= 0) this.#workers.splice(at, 1);
    this.#started(handle);
  }

  #started(handle: WorkerHandle): void {
    this.#starts.get(handle)?.clear();
    this.#starts.delete(handle);
  }

  /** Ends workers that nobody waits for any more; resolves when they are gone. */
  #stopStarting(): Promise<void> | undefined {
    const gone = [...this.#starts.keys()].map((handle) => this.#kill(handle));
    return gone.length === 0 ? undefined : Promise.all(gone).then(() => {});
  }

  #isBusyFor(client: Client): boolean {
    return this.#workers.some(({ inFlight }) => inFlight.some((burst) => burst.client === client));
  }

  #killFor(client: Client): Promise<unknown> {
    const what = 'Cannot begin the items: another run did not stop, and its worker was ended';
    const error = parallelError('ERR_PARALLEL_WORKER_DIED', `${what} (must not have moved them)`);
    const busy = this.#workers.filter((handle) => handle.running()?.burst.client === client);
    const gone = busy.map((handle) => {
      const ended = this.#kill(handle);
      for (const burst of handle.inFlight.splice(0).reverse()) {
        if (this.#clients.includes(burst.client)) burst.client.returned(burst, error);
      }
      return ended;
    });
    this.pump();
    return Promise.all(gone);
  }

  /** Lets go of the clients whose last burst is back. */
  #checkLeaving(): void {
    for (const leaving of this.#leaving) {
      if (this.#isBusyFor(leaving.client)) continue;
      this.#leaving.delete(leaving);
      this.#forget(leaving.client);
      leaving.done();
    }
  }

  #forget(client: Client): void {
    for (const handle of this.#workers) handle.close(client);
  }

  #closedError(): Error {
    return parallelError('ERR_PARALLEL_CLOSED', `Cannot use the workers of ${this.href}: the module is closed`);
  }
}
