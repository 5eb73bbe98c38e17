import type { Clock } from '@millrace/core';
import {
  type Answer,
  carryOn,
  END,
  type Failure,
  isLater,
  Later,
  Mark,
  openRejects,
  type Pulled,
  type Puller,
  plain,
  Retries,
  type StageContext,
  whenAnswered,
} from '@millrace/core/authoring';
import { Burst, type Client } from '../pool/client.js';
import type { Pool } from '../pool/pool.js';
import { attached } from '../protocol/attached.js';
import type { DoneMessage } from '../protocol/messages.js';
import { clonable, unpackError } from '../protocol/packed-error.js';
import { BurstSize } from './burst-size.js';
import { Results } from './results.js';
import type { StagePlan } from './stage-plan.js';

/** Bursts that may be inside for each worker: two with it, the others finished and waiting for an earlier one. */
const BURSTS_PER_WORKER = 8;
/** How often an item is begun that a worker dies of, with `onWorkerDeath: 'retry'` and without `retry`. */
const ATTEMPTS = 2;

/**
 * One run of a parallel stage: takes items in bursts when a worker has room, and hands the results on.
 *
 * An item is in service from when it is taken until its result is handed on. In order, bursts leave in the order in which
 * they were taken; a failure, or an item that is rejected, keeps its place behind the results before it.
 */
export class ParallelStage implements Puller<unknown>, Client {
  readonly lease: number;
  readonly flag: SharedArrayBuffer = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  readonly #plan: StagePlan;
  readonly #pool: Pool;
  readonly #upstream: Puller<unknown>;
  readonly #context: StageContext;
  readonly #size: BurstSize;
  readonly #results: Results;
  readonly #retries: Retries | undefined;
  /** The items as they came, by index, where they carry their origins: workers are given them without. */
  readonly #carried = new Map<number, unknown>();
  /** Bursts that wait for a worker. */
  #toSend: Burst[] = [];
  #isWanted = false;
  #isAsking = false;
  #isFailing = false;
  #isUnserved = false;
  #isClosed = false;
  /** What comes behind all items. */
  #behind: Mark | Failure | typeof END | undefined;
  #last: Failure | typeof END | undefined;
  #max = 0;
  readonly #later = new Later<unknown>();

  constructor(plan: StagePlan, pool: Pool, upstream: Puller<unknown>, context: StageContext) {
    this.#plan = plan;
    this.#pool = pool;
    this.#upstream = upstream;
    this.#context = context;
    const rejects = openRejects(plan.onError, context);
    if (plan.retry !== undefined) this.#retries = new Retries(plan.retry, context);
    this.#results = new Results(plan.ordered, rejects, context, () => {
      this.#hand();
      pool.pump();
    });
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
    if (answer !== undefined) {
      this.#pool.pump();
      return answer;
    }
    this.#later.owe();
    // Items that were rejected have left room.
    this.#pool.pump();
    return this.#later.now();
  }

  close(reason: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#last ??= END;
    this.#upstream.close(reason);
    this.#results.close();
    this.#retries?.close();
    this.#toSend = [];
    this.#carried.clear();
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
    if (worked < burst.items.length)
      this.#results.replace(burst, [burst, this.#again(burst, worked, burst.items.length)]);
    const { first } = burst;
    burst.results = this.#context.carries
      ? results.map((made, at) => carryOn(this.#carried.get(first + at), made))
      : results;
    // An item that threw is still needed, with its origin, where it is tried again.
    const failed = new Set(errors?.map(([offset]) => offset));
    if (errors === undefined) this.#finish(burst);
    else this.#cut(burst, errors);
    for (let at = 0; at < worked && this.#carried.size > 0; at++) if (!failed.has(at)) this.#carried.delete(first + at);
  }

  refused(burst: Burst, error: unknown): void {
    const offset = burst.items.findIndex((item) => !this.#isSendable(item));
    this.#giveUp(this.#isolate(burst, Math.max(0, offset)), error);
    this.#pool.pump();
  }

  died(burst: Burst, offset: number, error: unknown, isDeath: boolean): void {
    const { isRetrying, retry, onError, transfer } = this.#plan;
    const mayRetry = isDeath ? isRetrying : retry !== undefined;
    if (onError === 'fail' && !mayRetry) return this.#fail(burst, burst.first + offset, error);
    if (transfer !== undefined) return this.#rejectAll(burst, error);
    const alone = this.#isolate(burst, offset);
    if (mayRetry && retry === undefined && alone.attempt < ATTEMPTS) {
      this.#context.retried(error, alone.first, alone.attempt, 0, this.#itemOf(alone));
      this.#sendAgain(alone);
    } else if (mayRetry) this.#failed(alone, error);
    else this.#giveUp(alone, error);
    this.#pool.pump();
  }

  returned(burst: Burst, error: unknown): void {
    if (this.#plan.transfer !== undefined) return this.#rejectAll(burst, error);
    burst.state = 'waiting';
    this.#toSend.unshift(burst);
  }

  unserved(error: unknown): void {
    if (this.#isClosed || this.#isUnserved) return;
    this.#isUnserved = true;
    const { counts, enteredBefore } = this.#context;
    const next = this.#toSend[0]?.first ?? enteredBefore + counts.in;
    this.#toSend = [];
    this.#retries?.close();
    let open = this.#results.open();
    if (open === undefined) {
      open = new Burst(this, next, []);
      this.#results.begin(open);
    }
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
    this.#results.replace(burst, [part, left]);
    return part;
  }

  /** Takes a burst from upstream, if there is one now and room for it. */
  #read(): Burst | undefined {
    if (!this.#isWanted || this.#isAsking || this.#isFailing || this.#behind !== undefined) return undefined;
    const most = Math.min(
      this.#plan.maxItemsInWorkers,
      this.#size.now * BURSTS_PER_WORKER * this.#pool.options.workers,
    );
    const room = most - this.#results.inside;
    if (room <= 0) return undefined;
    this.#isAsking = true;
    const pulled = this.#upstream.pull(Math.min(room, this.#size.now));
    if (isLater(pulled)) {
      whenAnswered(pulled, this.#onAnswer);
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
    const { counts, enteredBefore } = this.#context;
    const first = enteredBefore + counts.in;
    counts.in += answer.length;
    if (this.#isClosed || this.#isFailing) {
      this.#abandon(answer.length);
      return undefined;
    }
    if (this.#context.carries) for (const [at, item] of answer.entries()) this.#carried.set(first + at, item);
    const burst = new Burst(this, first, this.#context.carries ? answer.map(plain) : answer);
    burst.beganMs = this.#context.began();
    this.#results.begin(burst);
    return burst;
  }

  /** Cuts a burst at each item that threw, which goes its own way; the results of the others are handed on. */
  #cut(burst: Burst, errors: NonNullable<DoneMessage['errors']>): void {
    const { results } = burst;
    const done: Burst[] = [];
    const failed: Burst[] = [];
    let from = 0;
    for (const [offset] of errors) {
      const before = new Burst(this, burst.first + from, []);
      before.results = results.slice(from, offset);
      done.push(before);
      failed.push(burst.part(offset, offset + 1, burst.attempt));
      from = offset + 1;
    }
    burst.results = results.slice(from);
    this.#results.replace(burst, [...failed.flatMap((alone, at) => [done[at] as Burst, alone]), burst]);
    // Those first: out of order, a failure goes behind all results of the burst.
    for (const part of [...done, burst]) this.#results.end(part);
    for (const [at, [, packed]] of errors.entries()) this.#failed(failed[at] as Burst, unpackError(packed));
    this.#hand();
  }

  /** Has an item, a burst of its own, wait for another try, if it is worth one; or gives it up. */
  #failed(alone: Burst, error: unknown): void {
    const { first, attempt } = alone;
    try {
      const again = (): void => {
        this.#sendAgain(alone);
        this.#pool.pump();
      };
      if (this.#retries?.again(error, first, attempt, this.#itemOf(alone), again) === true) return;
    } catch (problem) {
      // `when` threw: that is what ends the run.
      this.#context.alsoFailed(error);
      return this.#fail(alone, first, problem);
    }
    this.#giveUp(alone, error);
  }

  #sendAgain(alone: Burst): void {
    alone.attempt++;
    alone.state = 'waiting';
    this.#toSend.unshift(alone);
  }

  /** Fails the run at an item, a burst of its own, or rejects it in its place. */
  #giveUp(alone: Burst, error: unknown): void {
    const { first: index, attempt: attempts } = alone;
    if (this.#plan.onError === 'fail') return this.#fail(alone, index, error);
    alone.rejected = { error, index, item: this.#itemOf(alone), attempts };
    this.#carried.delete(index);
    this.#finish(alone);
  }

  /** Gives up all items of a burst, which were moved to a worker and can't be sent again. */
  #rejectAll(burst: Burst, error: unknown): void {
    if (this.#plan.onError === 'fail') return this.#fail(burst, burst.first, error);
    const parts = burst.items.map((_, offset) => burst.part(offset, offset + 1, burst.attempt));
    this.#results.replace(burst, parts);
    for (const alone of parts) this.#giveUp(alone, error);
  }

  /** Takes the item at `offset` out of a burst; the others are sent again. */
  #isolate(burst: Burst, offset: number): Burst {
    const { length } = burst.items;
    const alone = burst.part(offset, offset + 1, burst.attempt);
    const behind = offset + 1 < length ? [this.#again(burst, offset + 1, length)] : [];
    const before = offset > 0 ? [this.#again(burst, 0, offset)] : [];
    this.#results.replace(burst, [...before, alone, ...behind]);
    return alone;
  }

  /** Makes a burst of some of the items, to be sent next. */
  #again(burst: Burst, from: number, to: number): Burst {
    const part = burst.part(from, to, burst.attempt);
    this.#toSend.unshift(part);
    return part;
  }

  #fail(burst: Burst, index: number, error: unknown): void {
    burst.failure = this.#context.failure(error, index, burst.attempt, this.#carried.get(index));
    this.#isFailing = true;
    this.#finish(burst);
  }

  /** The item of a burst of one, with its origin, where it has one. */
  #itemOf({ first, items }: Burst): unknown {
    return carryOn(this.#carried.get(first), items[0]);
  }

  #finish(burst: Burst): void {
    this.#results.end(burst);
    this.#hand();
  }

  #hand(): void {
    if (!this.#later.isOwed) return;
    const answer = this.#answer();
    if (answer === undefined) return;
    this.#later.give(answer);
    this.#pool.pump();
  }

  /** What can be handed on now. */
  #answer(): Answer<unknown> | undefined {
    if (this.#last !== undefined) return this.#last;
    const next = this.#results.next(this.#max);
    if (Array.isArray(next)) return next;
    if (next !== undefined) {
      this.#isFailing = true;
      this.#last = next;
      return next;
    }
    if (this.#behind === undefined || this.#results.inside > 0) return undefined;
    const behind = this.#behind;
    if (behind instanceof Mark) this.#behind = undefined;
    else this.#last = behind;
    return behind;
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
