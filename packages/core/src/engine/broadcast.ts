import { type Answer, END, type Failure, isLater, Mark, type Pulled, type Puller } from './answer.js';
import type { RunContext, StageContext } from './context.js';
import { Later, whenAnswered } from './later.js';

/**
 * Hands each item to several branches, which pull at their own pace: reads on once a branch waits and all have room, so
 * that the slowest applies back-pressure. A branch that is closed is left out from then on.
 */
export class Broadcast {
  readonly #upstream: Puller<unknown>;
  readonly #run: RunContext;
  readonly #context: StageContext;
  #branches: Branch[] = [];
  #isAsking = false;
  #isBusy = false;
  #isSoon = false;
  #isClosed = false;
  /** What comes behind all items. */
  last: Failure | typeof END | undefined;

  constructor(upstream: Puller<unknown>, run: RunContext, context: StageContext) {
    this.#upstream = upstream;
    this.#run = run;
    this.#context = context;
  }

  /** Connects a branch, before which `highWaterMark` items may wait. */
  branch(highWaterMark: number, context: StageContext): Puller<unknown> {
    const branch = new Branch(this, highWaterMark, context);
    this.#branches.push(branch);
    return branch;
  }

  /** Reads on, if a branch waits and all have room. */
  ask(): void {
    // A branch that is answered may ask from inside: the one that answers goes on for it.
    if (this.#isBusy) return;
    const credit = this.#credit();
    if (credit <= 0) return;
    this.#isBusy = true;
    this.#isAsking = true;
    const pulled = this.#upstream.pull(credit);
    if (isLater(pulled)) whenAnswered(pulled, this.#onAnswer);
    else {
      this.#accept(pulled);
      this.askSoon();
    }
    this.#isBusy = false;
  }

  /**
   * Reads on in the next microtask: by then those that have items now may have asked for more.
   *
   * PERF: at once, it would be for the one item that may wait before each of them (25 times slower for synchronous sinks).
   */
  askSoon(): void {
    if (this.#isSoon || this.#credit() <= 0) return;
    this.#isSoon = true;
    queueMicrotask(() => {
      this.#isSoon = false;
      this.ask();
    });
  }

  /** How many items may be read: 0 where nobody waits. */
  #credit(): number {
    if (this.#isAsking || this.#isClosed || this.#run.isOver || this.last !== undefined) return 0;
    let credit = Number.POSITIVE_INFINITY;
    let isWaitedFor = false;
    for (const branch of this.#branches) {
      credit = Math.min(credit, branch.room);
      isWaitedFor ||= branch.isWaiting;
    }
    return isWaitedFor ? credit : 0;
  }

  /** Leaves a branch out; without any, closes what is before. */
  drop(branch: Branch, reason: unknown): void {
    this.#branches = this.#branches.filter((each) => each !== branch);
    if (this.#branches.length > 0) return this.ask();
    this.#isClosed = true;
    this.#upstream.close(reason);
  }

  readonly #onAnswer = (answer: Answer<unknown>): void => {
    const wasBusy = this.#isBusy;
    this.#isBusy = true;
    this.#accept(answer);
    this.#isBusy = wasBusy;
    this.ask();
  };

  #accept(answer: Answer<unknown>): void {
    this.#isAsking = false;
    const branches = this.#branches;
    if (Array.isArray(answer)) this.#count(answer.length, branches.length);
    else if (!(answer instanceof Mark)) this.last ??= answer;
    branches.forEach((branch, at) => {
      // A burst belongs to the one that gets it.
      if (Array.isArray(answer)) branch.take(at + 1 < branches.length ? answer.slice() : answer);
      else branch.end(answer);
    });
  }

  #count(items: number, branches: number): void {
    const { counts, weight } = this.#context;
    counts.in += items;
    if (branches === 0) counts.abandoned += items;
    else counts.made += items * (branches - 1);
    counts.out += items * branches;
    this.#context.inside(items * (branches - 1) * weight);
  }
}

/** One of the consumers of a broadcast, and what waits before it. */
class Branch implements Puller<unknown> {
  readonly #broadcast: Broadcast;
  readonly #highWaterMark: number;
  readonly #context: StageContext;
  #items: unknown[] = [];
  /** A mark that waits behind the items; nothing is read past it. */
  #mark: Mark | undefined;
  #isClosed = false;
  #max = 0;
  readonly #later = new Later<unknown>();

  constructor(broadcast: Broadcast, highWaterMark: number, context: StageContext) {
    this.#broadcast = broadcast;
    this.#highWaterMark = highWaterMark;
    this.#context = context;
  }

  get isWaiting(): boolean {
    return this.#later.isOwed;
  }

  /** How many items it can be handed: what it waits for, or what may wait before it. */
  get room(): number {
    if (this.#mark !== undefined) return 0;
    return this.isWaiting ? this.#max : this.#highWaterMark - this.#items.length;
  }

  pull(max: number): Pulled<unknown> {
    this.#max = max;
    const waited = this.#take();
    if (waited !== undefined) {
      // There is room again, which others may be waiting for.
      this.#broadcast.askSoon();
      return waited;
    }
    this.#later.owe();
    this.#broadcast.ask();
    return this.#later.now();
  }

  close(reason: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { length } = this.#items;
    this.#items = [];
    this.#mark = undefined;
    this.#abandon(length);
    this.#broadcast.drop(this, reason);
    this.#later.give(END);
  }

  /** Takes a burst: hands on what was asked for, and lets the rest wait. */
  take(items: unknown[]): void {
    this.#context.counts.in += items.length;
    // A branch that got the burst before may have ended the run.
    if (this.#isClosed) return this.#abandon(items.length);
    this.#items = this.#items.length === 0 ? items : this.#items.concat(items);
    this.#give();
  }

  /** Takes a mark, a failure or the end. */
  end(answer: Answer<unknown>): void {
    if (answer instanceof Mark) this.#mark = answer;
    this.#give();
  }

  #abandon(items: number): void {
    this.#context.counts.abandoned += items;
    this.#context.inside(-items * this.#context.weight);
  }

  #give(): void {
    if (!this.isWaiting) return;
    const answer = this.#take();
    if (answer !== undefined) this.#later.give(answer);
  }

  #take(): Answer<unknown> | undefined {
    if (this.#isClosed) return END;
    if (this.#items.length === 0) {
      const mark = this.#mark;
      this.#mark = undefined;
      return mark ?? this.#broadcast.last;
    }
    const items = this.#items.length > this.#max ? this.#items.slice(0, this.#max) : this.#items;
    this.#items = items === this.#items ? [] : this.#items.slice(items.length);
    this.#context.counts.out += items.length;
    return items;
  }
}
