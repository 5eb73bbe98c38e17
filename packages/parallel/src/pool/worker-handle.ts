import type { Timer } from '@millrace/core';
import { attached } from '../protocol/attached.js';
import { type DoneMessage, PROGRESS } from '../protocol/messages.js';
import type { Thread } from '../threads.node.js';
import type { Burst, Client } from './client.js';

/** How often, in a time-out, the item that runs is looked at. */
const LOOKS = 4;
/** Ids fit the shared 32-bit place; no more than a few are in use at once. */
const MOST_ID = 2 ** 30;

/** What a worker is at. */
export interface Running {
  readonly burst: Burst;
  readonly offset: number;
  /** Whether all items have been worked on and the results are being sent. */
  readonly isSending: boolean;
}

/** A worker and what it has been sent. INVARIANT: nothing is posted to it once it is dead. */
export class WorkerHandle {
  readonly #thread: Thread;
  readonly #onTimeout: (handle: WorkerHandle, timeoutMs: number) => void;
  readonly #opened = new Set<number>();
  /** Oldest first: the worker runs them in this order. */
  readonly inFlight: Burst[] = [];
  /** The functions that its module exports, once it is loaded. */
  names: readonly string[] | undefined;
  isDead: boolean = false;
  #nextId = 1;
  #watch: { readonly timer: Timer; readonly of: Running | undefined; readonly sinceMs: number } | undefined;

  constructor(thread: Thread, onTimeout: (handle: WorkerHandle, timeoutMs: number) => void) {
    this.#thread = thread;
    this.#onTimeout = onTimeout;
  }

  /** Whether it can be sent bursts. */
  get isReady(): boolean {
    return this.names !== undefined && !this.isDead;
  }

  /** Sends a burst; throws where its items can't be cloned. */
  send(burst: Burst): void {
    const { client } = burst;
    const transfer = transferOf(burst);
    if (!this.#opened.has(client.lease)) {
      this.#opened.add(client.lease);
      this.#thread.post({ type: 'open', lease: client.lease, name: client.exportName, flag: client.flag }, []);
    }
    burst.id = this.#nextId;
    this.#nextId = (this.#nextId % MOST_ID) + 1;
    const { lease, transfer: moves } = client;
    const { id, first, items, attempt } = burst;
    this.#thread.post({ type: 'burst', lease, id, first, items, attempt, mayReturn: moves === undefined }, transfer);
    burst.state = 'in flight';
    this.inFlight.push(burst);
    if (this.inFlight.length === 1) this.#thread.hold(true);
    if (this.#watch === undefined) this.#look();
  }

  /** Takes the burst that a message acknowledges from those in flight. */
  acknowledged(message: DoneMessage): Burst {
    const at = this.inFlight.findIndex((burst) => burst.id === message.id);
    const [burst] = this.inFlight.splice(at, 1);
    if (this.inFlight.length === 0) this.rest();
    return burst as Burst;
  }

  /** Nothing is in flight: the process need not stay alive for it. */
  rest(): void {
    this.#stopWatching();
    this.#thread.hold(false);
  }

  /** What it works on now, as far as it is known here. */
  running(): Running | undefined {
    const id = Atomics.load(this.#thread.progress, PROGRESS.burst);
    const burst = this.inFlight.find((each) => each.id === id);
    if (burst === undefined) return undefined;
    const offset = Atomics.load(this.#thread.progress, PROGRESS.offset);
    const last = burst.items.length - 1;
    return { burst, offset: Math.min(offset, last), isSending: offset > last };
  }

  /** Tells the functions of a client that its run has ended. */
  abort(client: Client): void {
    if (!this.isDead && this.#opened.has(client.lease)) this.#thread.post({ type: 'abort', lease: client.lease }, []);
  }

  /** Forgets a client. */
  close(client: Client): void {
    if (this.#opened.delete(client.lease) && !this.isDead) {
      this.#thread.post({ type: 'close', lease: client.lease }, []);
    }
  }

  /** Ends the thread, whatever it does; what was in flight stays in `inFlight`. */
  kill(): Promise<unknown> {
    this.dead();
    return this.#thread.terminate();
  }

  dead(): void {
    this.isDead = true;
    this.#stopWatching();
  }

  #stopWatching(): void {
    this.#watch?.timer.clear();
    this.#watch = undefined;
  }

  /** Looks at what runs, and again later: an item that still runs after its time is up is stuck. */
  #look(): void {
    const timed = this.inFlight.find(({ client }) => client.timeoutMs !== undefined);
    const timeoutMs = timed?.client.timeoutMs;
    if (timed === undefined || timeoutMs === undefined) return this.#stopWatching();
    const { clock } = timed.client;
    const before = this.#watch;
    const of = this.running();
    const isSame = of !== undefined && of.burst === before?.of?.burst && of.offset === before.of.offset;
    const sinceMs = isSame ? (before as { sinceMs: number }).sinceMs : clock.now();
    if (isSame && !of.isSending && of.burst.client.timeoutMs !== undefined) {
      const limitMs = of.burst.client.timeoutMs;
      if (clock.now() - sinceMs >= limitMs) return this.#onTimeout(this, limitMs);
    }
    this.#watch = { of, sinceMs, timer: clock.setTimer(() => this.#look(), timeoutMs / LOOKS) };
  }
}

/** What moves with a burst, each once: two items may be views of one buffer. */
function transferOf({ client, items }: Burst): readonly Transferable[] {
  const { transfer } = client;
  if (transfer === undefined) return [];
  return [...new Set(items.flatMap((item) => transfer(item as never)))].map(attached);
}
