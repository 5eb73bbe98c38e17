import type { Clock } from '@millrace/core';
import type { Failure } from '@millrace/core/authoring';
import type { DoneMessage } from '../protocol/messages.js';

/** An item that was not worked on, and why. */
export interface Rejected {
  readonly error: unknown;
  /** How many items entered the stage before it. */
  readonly index: number;
  readonly item: unknown;
  /** How often it was tried. */
  readonly attempts: number;
}

/** Items that cross to a worker together, kept here until it acknowledges them. */
export class Burst {
  readonly client: Client;
  /** The index of the first item in its stage. */
  readonly first: number;
  /** Kept until it is acknowledged. */
  items: readonly unknown[];
  /** How often its items were begun, this time included. */
  attempt: number;
  /** Known to its worker by this number. */
  id: number = 0;
  /** When its items were taken, as the run's context tells the time. */
  beganMs: number = 0;
  state: 'waiting' | 'in flight' | 'done' = 'waiting';
  /** What has not been handed on. */
  results: unknown[] = [];
  /** What comes behind the results. */
  failure: Failure | undefined;
  /** An item that comes behind the results, where the run goes on without it. */
  rejected: Rejected | undefined;

  constructor(client: Client, first: number, items: readonly unknown[], attempt: number = 1) {
    this.client = client;
    this.first = first;
    this.items = items;
    this.attempt = attempt;
  }

  /** A burst of the items from `from` to `to`. */
  part(from: number, to: number, attempt: number): Burst {
    const part = new Burst(this.client, this.first + from, this.items.slice(from, to), attempt);
    part.beganMs = this.beganMs;
    return part;
  }
}

/** One run of one stage, as the pool sees it. */
export interface Client {
  readonly lease: number;
  /** The export to call. */
  readonly exportName: string;
  /** Tells workers to stop: 1 in its only place. */
  readonly flag: SharedArrayBuffer;
  readonly timeoutMs: number | undefined;
  readonly abortGraceMs: number;
  readonly clock: Clock;
  readonly transfer: ((item: never) => readonly Transferable[]) | undefined;
  /** Gives a burst, if there is one now. A second one for a worker that has one only where waiting for it would cost. */
  take(isSecond: boolean): Burst | undefined;
  /** Whether a burst waits for a worker; may read what is upstream. */
  wantsWorker(): boolean;
  /** The time, for `sent`. */
  began(): number;
  /** The burst is on its way, which took this thread since `beganMs`. */
  sent(burst: Burst, beganMs: number): void;
  /** A worker acknowledged the burst. */
  done(burst: Burst, message: DoneMessage): void;
  /** The burst can't be sent. */
  refused(burst: Burst, error: unknown): void;
  /** The worker died on the item at `offset`, or (`isDeath` is false) was ended since that took too long. */
  died(burst: Burst, offset: number, error: unknown, isDeath: boolean): void;
  /** The worker died before it began the burst; what was moved to it is lost. */
  returned(burst: Burst, error: unknown): void;
  /** No worker can serve the client. */
  unserved(error: unknown): void;
}
