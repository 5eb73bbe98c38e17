import type { Clock } from '@millrace/core';
import {
  type Answer,
  END,
  type Failure,
  isLater,
  Mark,
  type Pulled,
  type Puller,
  type StageContext,
} from '@millrace/core/authoring';
import { Burst, type Client } from '../pool/client.js';
import type { Pool } from '../pool/pool.js';
import { attached } from '../protocol/attached.js';
import type { DoneMessage } from '../protocol/messages.js';
import { clonable, unpackError } from '../protocol/packed-error.js';
import { BurstSize } from './burst-size.js';

/** Bursts that may be inside for each worker: two with it, the others finished and waiting for an earlier one. */
const BURSTS_PER_WORKER = 8;
/** How often an item is begun that a worker dies of, with `onWorkerDeath: 'retry'`. */
const ATTEMPTS = 2;

/** What decides how a stage behaves; checked before. */
export interface StagePlan {
  readonly exportName: string;
  readonly ordered: boolean;
  readonly maxItemsInWorkers: number;
  readonly timeoutMs: number | undefined;
  readonly abortGraceMs: number;
  readonly isRetrying: boolean;
  readonly transfer: ((item: never) => readonly Transferable[]) | undefined;
}

/**
 * One run of a parallel stage: takes items in bursts when a worker has room, and hands the results on.
 *
 * An item is in service from when it is taken until its result is handed on. In order, bursts leave in the order in which
 * they were taken; a failure keeps its place behind the results before it.
 */
export class ParallelStage implements Puller<unknown>, Client {
  readonly lease: number;
  readonly flag: SharedArrayBuffer = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  readonly #plan: StagePlan;
  readonly #pool: Pool;
  readonly #upstream: Puller<unknown>;
  readonly #context: StageContext;
  readonly #size: BurstSize;
  /** Bursts in the order in which they are handed on: as taken, or (unordered) those that are done. */
  #queue: Burst[] = [];
  /** Bursts that wait for a worker. */
  #toSend: Burst[] = [];
  #inside = 0;
  #isWanted = false;
  #isAsking = false;
  #isFailing = false;
  #isUnserved = false;
  #isClosed = false;
  /** What comes behind all items. */
  #behind: Mark | Failure | typeof END | undefined;
  #last: Failure | typeof END | undefined;
  #max = 0;
  #settle: ((answer: Answer<unknown>) => void) | undefined;

  constructor(plan: StagePlan, pool: Pool, upstream: Puller<unknown>, context: StageContext) {
    this.#plan = plan;
    this.#pool = pool;
    this.#upstream = upstream;
    this.#context = context;
    this.lease = pool.lease();
    this.#size = new BurstSize(Math.max(1, Math.floor(plan.maxItemsInWorkers / (2 * pool.options.workers))));
    pool.join(this);
  }

  get exportName(): string {
    return this.#plan.exportName;
  }

  get timeoutMs(): number | undefined {
    return this.#plan.timeoutMs;
  }

  get abortGraceMs(): number {
    return this.#plan.abortGraceMs;
  }

  get transfer(): StagePlan['transfer'] {
    return this.#plan.transfer;
  }

  get clock(): Clock {
    return this.#context.clock;
  }

  pull(max: number): Pulled<unknown> {
    if (this.#last !== undefined) return this.#last;
    this.#max = max;
    this.#isWanted = true;
    this.#pool.pump();
    const answer = this.#answer();
    if (answer === undefined) {
      return new Promise((resolve) => {
        this.#settle = resolve;
      });
    }
    this.#pool.pump();
    return answer;
  }

  close(reason: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#last ??= END;
    this.#upstream.close(reason);
    this.#abandon(this.#inside);
    this.#inside = 0;
    this.#queue = [];
    this.#toSend = [];
    const leaving = this.#pool.leave(this);
    if (leaving !== undefined) this.#context.closing(leaving);
  }

  take(isSecond: boolean): Burst | undefined {
    if (this.#isClosed || (isSecond && !this.#size.maySecond)) return undefined;
    // In order, what comes before a failure is still needed.
    if (this.#isFailing && !this.#plan.ordered) return undefined;
    const waiting = this.#toSend.shift();
    return waiting === undefined ? this.#read() : this.#fitting(waiting);
  }

  wantsWorker(): boolean {
    const burst = this.take(false);
    if (burst !== undefined) this.#toSend.unshift(burst);
    return burst !== undefined;
  }

  began(): number {
    return this.#context.began();
  }

  sent(burst: Burst, beganMs: number): void {
    this.#context.worked(burst.items.length, beganMs);
  }

  done(burst: Burst, { results, errors, tookMs }: DoneMessage): void {
    const worked = results.length;
    if (worked > 0) this.#size.learn(worked, tookMs);
    this.#context.served(worked, burst.beganMs);
    // The worker gave back what it had not begun: the items cost more than was known.
    if (worked < burst.items.length) this.#replace(burst, [burst, this.#again(burst, worked, burst.items.length)]);
    burst.results = results;
    if (errors !== undefined) this.#thrown(burst, errors);
    this.#finish(burst);
  }

  refused(burst: Burst, error: unknown): void {
    const offset = burst.items.findIndex((item) => !this.#isSendable(item));
    this.#isolate(burst, Math.max(0, offset), { error, isFinal: true });
  }

  died(burst: Burst, offset: number, error: unknown, mayRetry: boolean): void {
    if (this.#plan.isRetrying) this.#isolate(burst, offset, { error, isFinal: !mayRetry || burst.attempt >= ATTEMPTS });
    else this.#fail(burst, burst.first + offset, error);
  }

  returned(burst: Burst, error: unknown): void {
    if (this.#plan.transfer !== undefined) return this.#fail(burst, burst.first, error);
    burst.state = 'waiting';
    this.#toSend.unshift(burst);
  }

  unserved(error: unknown): void {
    if (this.#isClosed || this.#isUnserved) return;
    this.#isUnserved = true;
    const next = this.#toSend[0]?.first ?? this.#context.counts.in;
    this.#toSend = [];
    const open = this.#queue.find(({ state }) => state !== 'done') ?? new Burst(this, next, []);
    if (this.#plan.ordered && !this.#queue.includes(open)) this.#queue.push(open);
    this.#fail(open, open.first, error);
  }

  readonly #onAnswer = (answer: Answer<unknown>): void => {
    this.#isAsking = false;
    const burst = this.#accept(answer);
    if (burst === undefined) return;
    this.#toSend.push(burst);
    this.#pool.pump();
  };

  /** Cuts a burst that waited down to the size of now; what is left waits on. */
  #fitting(burst: Burst): Burst {
    const { length } = burst.items;
    if (length <= this.#size.now) return burst;
    const left = this.#again(burst, this.#size.now, length);
    const part = burst.part(0, this.#size.now, burst.attempt);
    this.#replace(burst, [part, left]);
    return part;
  }

  /** Takes a burst from upstream, if there is one now and room for it. */
  #read(): Burst | undefined {
    if (!this.#isWanted || this.#isAsking || this.#isFailing || this.#behind !== undefined) return undefined;
    const most = Math.min(
      this.#plan.maxItemsInWorkers,
      this.#size.now * BURSTS_PER_WORKER * this.#pool.options.workers,
    );
    const room = most - this.#inside;
    if (room <= 0) return undefined;
    this.#isAsking = true;
    const pulled = this.#upstream.pull(Math.min(room, this.#size.now));
    if (isLater(pulled)) {
      pulled.then(this.#onAnswer);
      return undefined;
    }
    this.#isAsking = false;
    return this.#accept(pulled);
  }

  #accept(answer: Answer<unknown>): Burst | undefined {
    if (!Array.isArray(answer)) {
      this.#behind = answer;
      this.#hand();
      return undefined;
    }
    const { counts } = this.#context;
    const first = counts.in;
    counts.in += answer.length;
    if (this.#isClosed || this.#isFailing) {
      this.#abandon(answer.length);
      return undefined;
    }
    this.#inside += answer.length;
    const burst = new Burst(this, first, answer);
    burst.beganMs = this.#context.began();
    if (this.#plan.ordered) this.#queue.push(burst);
    return burst;
  }

  /** Puts what was thrown behind the results before it, or (unordered) behind all others of the burst. */
  #thrown(burst: Burst, errors: NonNullable<DoneMessage['errors']>): void {
    const [first, ...more] = errors.map(([offset, packed]) =>
      this.#context.failure(unpackError(packed), burst.first + offset, burst.attempt),
    );
    burst.failure = first;
    this.#isFailing = true;
    for (const { error } of more) this.#context.alsoFailed(error);
    const failed = new Set(errors.map(([offset]) => offset));
    const until = errors[0]?.[0] ?? 0;
    burst.results = burst.results.filter((_, offset) => (this.#plan.ordered ? offset < until : !failed.has(offset)));
  }

  /** Takes the item at `offset` out of a burst, to fail or to be tried by itself; the others are sent again. */
  #isolate(burst: Burst, offset: number, { error, isFinal }: { error: unknown; isFinal: boolean }): void {
    const { length } = burst.items;
    const alone = burst.part(offset, offset + 1, isFinal ? burst.attempt : burst.attempt + 1);
    const behind = offset + 1 < length ? [this.#again(burst, offset + 1, length)] : [];
    if (!isFinal) this.#toSend.unshift(alone);
    const before = offset > 0 ? [this.#again(burst, 0, offset)] : [];
    this.#replace(burst, [...before, alone, ...behind]);
    if (isFinal) this.#fail(alone, alone.first, error);
    this.#pool.pump();
  }

  /** Makes a burst of some of the items, to be sent next. */
  #again(burst: Burst, from: number, to: number): Burst {
    const part = burst.part(from, to, burst.attempt);
    this.#toSend.unshift(part);
    return part;
  }

  #replace(burst: Burst, parts: readonly Burst[]): void {
    if (this.#plan.ordered) this.#queue.splice(this.#queue.indexOf(burst), 1, ...parts);
  }

  #fail(burst: Burst, index: number, error: unknown): void {
    burst.failure = this.#context.failure(error, index, burst.attempt);
    this.#isFailing = true;
    this.#finish(burst);
  }

  #finish(burst: Burst): void {
    burst.state = 'done';
    burst.items = [];
    if (!this.#plan.ordered) this.#queue.push(burst);
    this.#hand();
  }

  #hand(): void {
    if (this.#settle === undefined) return;
    const answer = this.#answer();
    if (answer === undefined) return;
    const settle = this.#settle;
    this.#settle = undefined;
    settle(answer);
    this.#pool.pump();
  }

  /** What can be handed on now. */
  #answer(): Answer<unknown> | undefined {
    if (this.#last !== undefined) return this.#last;
    for (let head = this.#queue[0]; head?.state === 'done'; head = this.#queue[0]) {
      if (head.results.length > 0) return this.#out(head);
      this.#queue.shift();
      if (head.failure !== undefined) return this.#failed(head.failure);
    }
    if (this.#behind === undefined || this.#inside > 0) return undefined;
    const behind = this.#behind;
    if (behind instanceof Mark) this.#behind = undefined;
    else this.#last = behind;
    return behind;
  }

  #out(burst: Burst): unknown[] {
    const isAll = burst.results.length <= this.#max;
    const items = isAll ? burst.results : burst.results.splice(0, this.#max);
    if (isAll) burst.results = [];
    this.#inside -= items.length;
    this.#context.counts.out += items.length;
    return items;
  }

  #failed(failure: Failure): Failure {
    this.#last = failure;
    for (const { failure: other } of this.#queue) if (other !== undefined) this.#context.alsoFailed(other.error);
    return failure;
  }

  #isSendable(item: unknown): boolean {
    try {
      this.#plan.transfer?.(item as never).forEach(attached);
    } catch {
      // The error is the one that sending the burst threw.
      return false;
    }
    return clonable(item);
  }

  #abandon(items: number): void {
    this.#context.counts.abandoned += items;
    this.#context.inside(-items * this.#context.weight);
  }
}
