import type { Timer } from '../clock.js';
import { type Answer, END, Failure, isLater, Mark, type Pulled, type Puller } from './answer.js';
import { spend, whenMyTurn } from './budget.js';
import { gather, plain, within } from './carried.js';
import type { StageContext } from './context.js';
import { ItemErrors, WRITING } from './item-errors.js';
import { Later, whenAnswered } from './later.js';
import { bytesOf, type OpenBatch } from './open-batch.js';
import type { ErrorPolicy } from './rejects.js';

/**
 * A batch that also closes by time. It reads on while its consumer is busy, until the open batch is full; a batch whose
 * time is up while nobody asks stays open, and goes when it is asked for.
 */
export class TimedBatch implements Puller<unknown> {
  readonly #upstream: Puller<unknown>;
  readonly #context: StageContext;
  readonly #open: OpenBatch;
  readonly #sizeOf: ((item: unknown) => number) | undefined;
  readonly #maxWaitMs: number;
  /** What becomes of an item that `sizeOf` can't weigh, and how many items may come at a time. */
  readonly #errors: ItemErrors;
  readonly #burst: number;
  #timer: Timer | undefined;
  #isDue = false;
  #isAsking = false;
  #isClosed = false;
  /** Batches that are closed; several can be of one burst where the limit is in bytes. */
  #full: unknown[][] = [];
  #behind: Mark | Failure | typeof END | undefined;
  readonly #later = new Later<unknown>();

  constructor(
    upstream: Puller<unknown>,
    context: StageContext,
    open: OpenBatch,
    sizeOf: ((item: unknown) => number) | undefined,
    maxWaitMs: number,
    onError: ErrorPolicy<unknown, number> = 'fail',
  ) {
    this.#upstream = upstream;
    this.#context = context;
    this.#open = open;
    this.#sizeOf = sizeOf;
    this.#maxWaitMs = maxWaitMs;
    this.#errors = new ItemErrors(onError, context, (failure) => this.#written(failure));
    // Nothing else may come while the letter about an item is written.
    this.#burst = typeof onError === 'object' && 'writable' in onError ? 1 : BURST;
  }

  pull(): Pulled<unknown> {
    this.#read();
    const answer = this.#take();
    if (answer !== undefined) {
      // What comes behind a mark is taken when the mark has gone on.
      if (!(answer instanceof Mark)) this.#read();
      return answer;
    }
    return this.#later.owe();
  }

  close(reason: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#behind = END;
    this.#stopTimer();
    this.#upstream.close(reason);
    if (this.#errors.close()) this.#context.inside(-this.#context.weight);
    this.#discard();
    for (const full of this.#full.splice(0)) this.#lose(full);
  }

  readonly #read = (): void => {
    while (this.#mayRead()) {
      this.#isAsking = true;
      const pulled = this.#upstream.pull(Math.max(1, Math.min(this.#open.room(), this.#burst)));
      if (isLater(pulled)) {
        whenAnswered(pulled, this.#onAnswer);
        return;
      }
      this.#isAsking = false;
      this.#accept(pulled);
      this.#hand();
      if (this.#mustGiveWay(pulled)) return whenMyTurn(this.#read);
    }
  };

  #mayRead(): boolean {
    if (this.#isAsking || this.#errors.isWriting || this.#isClosed) return false;
    return this.#full.length === 0 && this.#behind === undefined;
  }

  readonly #onAnswer = (answer: Answer<unknown>): void => {
    this.#isAsking = false;
    this.#accept(answer);
    this.#hand();
    if (this.#mustGiveWay(answer)) whenMyTurn(this.#read);
    else this.#read();
  };

  /** Without a limit in items nothing but the timer closes the batch: it must get its turn. */
  #mustGiveWay(answer: Answer<unknown>): boolean {
    return spend(Array.isArray(answer) ? answer.length : 1);
  }

  #accept(answer: Answer<unknown>): void {
    if (!Array.isArray(answer)) {
      if (!this.#isClosed) this.#behind = answer;
      if (answer instanceof Failure) this.#discard();
      return;
    }
    const { counts } = this.#context;
    if (this.#sizeOf === undefined && !this.#isClosed && this.#behind === undefined) this.#addAll(answer);
    else
      for (let at = 0; at < answer.length; at++) {
        counts.in++;
        if (this.#isClosed || this.#behind !== undefined) this.#abandon(1);
        else this.#add(answer[at], this.#context.enteredBefore + counts.in - 1);
      }
    // What gathers may be all there is inside, which a source that waits for room has to know.
    this.#context.inside(0);
  }

  /** PERF: no function of the user is called, so that nothing can end the run meanwhile (core/batch, by time). */
  #addAll(items: unknown[]): void {
    const { counts } = this.#context;
    counts.in += items.length;
    counts.held += items.length;
    for (let at = 0; at < items.length; ) {
      at = this.#open.addFrom(items, at);
      const full = this.#open.flushFull();
      if (full !== undefined) {
        this.#stopTimer();
        this.#full.push(full);
      }
    }
    if (this.#open.held() > 0 && this.#timer === undefined) this.#startTimer();
  }

  #add(item: unknown, index: number): void {
    try {
      const full = this.#open.add(
        item,
        this.#sizeOf === undefined ? 0 : bytesOf(this.#weigh(item, index, this.#sizeOf)),
      );
      // `sizeOf` may have ended the run.
      if (this.#isClosed) return this.#abandon(1);
      this.#context.counts.held++;
      if (full !== undefined) {
        this.#stopTimer();
        this.#full.push(full);
        const next = this.#open.flushFull();
        if (next !== undefined) this.#full.push(next);
      }
      if (this.#open.held() > 0 && this.#timer === undefined) this.#startTimer();
    } catch (error) {
      this.#reject(error, index, item);
    }
  }

  /** Asks `sizeOf`, and what stands in where that fails. */
  #weigh(item: unknown, index: number, sizeOf: (item: unknown) => number): number {
    if (!this.#context.carries && !this.#errors.fallsBack) return sizeOf(item);
    try {
      return within(item, () => sizeOf(plain(item)));
    } catch (error) {
      return this.#errors.instead(error, index, item) as number;
    }
  }

  #reject(error: unknown, index: number, item: unknown): void {
    const taken = this.#errors.take(error, index, item);
    if (taken !== WRITING) this.#lost(taken);
  }

  #written(failure: Failure | undefined): void {
    this.#lost(failure);
    this.#hand();
    this.#read();
  }

  /** An item is dealt with, and counted, or ends the run. */
  #lost(failure: Failure | undefined): void {
    if (failure === undefined) return this.#context.inside(-this.#context.weight);
    this.#abandon(1);
    if (this.#isClosed) return this.#context.alsoFailed(failure.error);
    this.#discard();
    this.#behind = failure;
  }

  #hand(): void {
    if (!this.#later.isOwed) return;
    const answer = this.#take();
    if (answer !== undefined) this.#later.give(answer);
  }

  #take(): Answer<unknown> | undefined {
    if (
      this.#full.length === 0 &&
      (this.#isDue || (this.#behind !== undefined && !(this.#behind instanceof Failure)))
    ) {
      this.#stopTimer();
      const rest = this.#open.flush();
      if (rest !== undefined) this.#full.push(rest);
    }
    const { counts } = this.#context;
    const items = this.#full.shift();
    if (items !== undefined) {
      counts.held -= items.length;
      counts.absorbed += items.length;
      counts.made++;
      counts.out++;
      // In the bound a batch counts as many items as it may have.
      this.#context.inside((this.#batchWeight() - items.length) * this.#context.weight);
      return [this.#context.carries ? gather(items) : items];
    }
    const behind = this.#behind;
    if (behind instanceof Mark) this.#behind = undefined;
    return behind;
  }

  #batchWeight(): number {
    const most = this.#open.room() + this.#open.held();
    return Number.isFinite(most) ? most : 1;
  }

  #startTimer(): void {
    this.#timer = this.#context.clock.setTimer(() => {
      this.#isDue = true;
      this.#hand();
    }, this.#maxWaitMs);
  }

  #stopTimer(): void {
    this.#timer?.clear();
    this.#timer = undefined;
    this.#isDue = false;
  }

  /** Gives the open batch up; those that are closed keep their place before what comes behind them. */
  #discard(): void {
    this.#stopTimer();
    this.#lose(this.#open.flush());
  }

  #lose(batch: unknown[] | undefined): void {
    if (batch === undefined) return;
    this.#context.counts.held -= batch.length;
    this.#abandon(batch.length);
  }

  #abandon(items: number): void {
    this.#context.counts.abandoned += items;
    this.#context.inside(-items * this.#context.weight);
  }
}

/** How many items to ask for where a batch has no limit in items. */
const BURST = 256;
