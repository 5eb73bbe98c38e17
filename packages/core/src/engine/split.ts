import { type Answer, END, type Failure, isLater, Mark, type Pulled, type Puller } from './answer.js';
import { Carried } from './carried.js';
import type { OpenStageContext, RunContext, StageContext } from './context.js';
import { Entered } from './entered.js';
import { ItemErrors, WRITING } from './item-errors.js';
import { Later, whenAnswered } from './later.js';
import type { ErrorPolicy } from './rejects.js';
import { Scale, type SizeOf } from './scale.js';

/** Which branch gets an item, where each goes to one only; one for each run. */
export interface SplitRule {
  /** How many items may be read, with a branch that waits. */
  credit(branches: readonly Branch[]): number;
  /** Looks at the branches that are open, before a burst is dealt out. */
  begin?(branches: readonly Branch[]): void;
  /** The number of the branch that an item goes to, or -1; may throw what a function of the user throws. */
  choose(item: unknown, index: number): number;
  /** The same, of what `fallback()` gives in place of what such a function should have given. */
  chosen?(value: unknown): number;
}

/** What describes a split in a plan. */
export interface SplitKind {
  /** What its branches are called. */
  readonly branches: readonly string[];
  /** What becomes of an item on which a function of the user fails. Default: it fails the run. */
  readonly onError?: ErrorPolicy<never, unknown> | undefined;
  open(): SplitRule;
}

/** How many items suit all branches, where an item may go to any. */
export function leastRoom(branches: readonly Branch[]): number {
  let credit = Number.POSITIVE_INFINITY;
  for (const branch of branches) credit = Math.min(credit, branch.room);
  return credit;
}

/**
 * Hands items to several branches, which pull at their own pace: each item to all of them, or by a rule to one. Reads on
 * once a branch waits and the rule has room for more: as a rule when all have, so that the slowest applies back-pressure.
 * A branch that is closed is left out from then on; what a rule sends to it counts as dropped.
 */
export class Split {
  readonly #upstream: Puller<unknown>;
  readonly #run: RunContext;
  readonly #context: OpenStageContext;
  readonly #entered: Entered;
  /** Those that are open. */
  #branches: Branch[] = [];
  readonly #all: Branch[] = [];
  readonly #rule: SplitRule | undefined;
  readonly #errors: ItemErrors;
  readonly #writesLetters: boolean;
  /** What came behind an item whose letter is being written. */
  #rest: unknown[] = [];
  #isAsking = false;
  #isBusy = false;
  #isSoon = false;
  #isClosed = false;
  /** What comes behind all items. */
  last: Failure | typeof END | undefined;

  constructor(upstream: Puller<unknown>, run: RunContext, context: OpenStageContext, kind?: SplitKind) {
    this.#rule = kind?.open();
    this.#errors = new ItemErrors(kind?.onError, context, (failure) => this.#written(failure));
    this.#writesLetters = typeof kind?.onError === 'object' && 'writable' in kind.onError;
    this.#upstream = upstream;
    this.#run = run;
    this.#context = context;
    this.#entered = new Entered(context);
    run.checkpoints?.node(this.#entered);
  }

  /** Connects a branch, before which `highWaterMark` items may wait; with a `size`, items that weigh so much. */
  branch(highWaterMark: number, context: StageContext, size?: SizeOf): Puller<unknown> {
    const branch = new Branch(this, this.#all.length, highWaterMark, context, size);
    this.#all.push(branch);
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
    if (this.#errors.isWriting || !this.#branches.some(({ isWaiting }) => isWaiting)) return 0;
    if (this.#rule === undefined) return leastRoom(this.#branches);
    const credit = this.#rule.credit(this.#branches);
    // What comes behind a letter finds branches that wait no more, before which only so much weight may wait.
    return this.#writesLetters && this.#branches.some(({ isWeighed }) => isWeighed) ? Math.min(1, credit) : credit;
  }

  /** Leaves a branch out; without any, closes what is before. */
  drop(branch: Branch, reason: unknown): void {
    this.#branches = this.#branches.filter((each) => each !== branch);
    if (this.#branches.length > 0) return this.ask();
    this.#isClosed = true;
    this.#upstream.close(reason);
    if (this.#errors.close()) this.#context.inside(-this.#context.weight);
    this.#abandon(this.#rest.splice(0).length);
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
    if (Array.isArray(answer)) {
      if (this.#rule === undefined) this.#copy(answer);
      else this.#deal(answer, this.#rule);
      return;
    }
    if (answer instanceof Mark) this.#run.checkpoints?.passes(answer, this.#entered);
    else this.last ??= answer;
    for (const branch of this.#branches) branch.end(answer);
  }

  /** Hands items to all branches. */
  #copy(items: unknown[]): void {
    const branches = this.#branches;
    this.#countCopies(items.length, branches.length);
    // A burst belongs to the one that gets it.
    branches.forEach((branch, at) => void branch.take(at + 1 < branches.length ? items.slice() : items));
  }

  /** Hands each item to the branch that the rule chooses, until one has to wait for its letter. */
  #deal(items: unknown[], rule: SplitRule): void {
    if (this.#branches.length === 0) return this.#abandon(items.length);
    const { counts, weight, inside, enteredBefore } = this.#context;
    const shares: unknown[][] = this.#all.map(() => []);
    const first = enteredBefore + counts.in;
    const lost = { dropped: 0, abandoned: 0 };
    let rejected = 0;
    let at = 0;
    let end: Failure | typeof WRITING | undefined;
    const share = (branch: number): void => {
      if (this.#all[branch]?.isClosed === false) shares[branch]?.push(items[at]);
      else lost[this.#isClosed ? 'abandoned' : 'dropped']++;
    };
    rule.begin?.(this.#branches);
    for (; at < items.length && end === undefined; at++) {
      try {
        share(choose(rule, items[at], first + at));
      } catch (thrown) {
        const taken = this.#reject(rule, thrown, first + at, items[at]);
        if (typeof taken === 'number') share(taken);
        else {
          end = taken;
          rejected++;
        }
      }
    }
    counts.in += at;
    counts.dropped += lost.dropped;
    counts.abandoned += lost.abandoned;
    counts.out += at - lost.dropped - lost.abandoned - rejected;
    const gone = lost.dropped + lost.abandoned + (end === undefined ? rejected : rejected - 1);
    if (gone > 0) inside(-gone * weight);
    this.#endDeal(end, items.slice(at));
    shares.forEach((each, number) => void (each.length > 0 && this.#all[number]?.take(each)));
    if (this.last !== undefined) for (const branch of this.#branches) branch.end(this.last);
  }

  /** Deals with an item on which a function failed; a number is that of the branch where it goes all the same. */
  #reject(
    rule: SplitRule,
    thrown: unknown,
    index: number,
    item: unknown,
  ): number | Failure | typeof WRITING | undefined {
    try {
      const value = this.#errors.instead(thrown, index, item);
      return rule.chosen?.(value) ?? -1;
    } catch (error) {
      return this.#errors.take(error, index, item);
    }
  }

  /** The last item of a burst failed, or its letter is being written: what comes behind it goes no further, or waits. */
  #endDeal(end: Failure | typeof WRITING | undefined, rest: unknown[]): void {
    if (end === WRITING) this.#rest = rest;
    else if (end !== undefined) {
      this.#lose(end);
      this.#abandon(rest.length);
    }
  }

  /** An item is dealt with, and counted, or ends the run. */
  #lose(failure: Failure | undefined): void {
    this.#context.inside(-this.#context.weight);
    if (failure === undefined) return;
    this.#context.counts.abandoned++;
    this.last ??= failure;
  }

  #written(failure: Failure | undefined): void {
    const rest = this.#rest;
    this.#rest = [];
    this.#isBusy = true;
    this.#lose(failure);
    if (this.#rule !== undefined && failure === undefined) this.#deal(rest, this.#rule);
    else this.#abandon(rest.length);
    if (failure !== undefined) for (const branch of this.#branches) branch.end(failure);
    this.#isBusy = false;
    this.ask();
  }

  /** Items that go no further than this. */
  #abandon(items: number): void {
    const { counts, weight, inside } = this.#context;
    counts.in += items;
    counts.abandoned += items;
    if (items > 0) inside(-items * weight);
  }

  #countCopies(items: number, branches: number): void {
    const { counts, weight } = this.#context;
    counts.in += items;
    if (branches === 0) counts.abandoned += items;
    else counts.made += items * (branches - 1);
    counts.out += items * branches;
    this.#context.inside(items * (branches - 1) * weight);
  }
}

/** One of the consumers of a split, and what waits before it. */
export class Branch implements Puller<unknown> {
  /** Its number among all of them, from 0. */
  readonly number: number;
  readonly #split: Split;
  readonly #highWaterMark: number;
  readonly #context: StageContext;
  /** Weighs what waits, where items don't count as one each. */
  readonly #scale: Scale | undefined;
  #items: unknown[] = [];
  /** How many of the items are weighed: those that did not go on at once. */
  #weighed = 0;
  /** An item that can't be weighed: the branch fails behind those before it. */
  #failure: Failure | undefined;
  /** A mark that waits behind the items; nothing is read past it. */
  #mark: Mark | undefined;
  isClosed: boolean = false;
  #max = 0;
  readonly #later = new Later<unknown>();

  constructor(split: Split, number: number, highWaterMark: number, context: StageContext, size?: SizeOf) {
    this.#scale = size === undefined ? undefined : new Scale(size);
    this.#split = split;
    this.number = number;
    this.#highWaterMark = highWaterMark;
    this.#context = context;
  }

  /** Whether a mark waits before it, past which nothing is read. */
  get hasMark(): boolean {
    return this.#mark !== undefined;
  }

  get isWaiting(): boolean {
    return this.#later.isOwed;
  }

  /** Whether so much weight may wait before it. */
  get isWeighed(): boolean {
    return this.#scale !== undefined;
  }

  /** How many items it can be handed: what it waits for, or what may wait before it. */
  get room(): number {
    if (this.#mark !== undefined || this.#failure !== undefined) return 0;
    if (this.isWaiting) return this.#max;
    if (this.#scale === undefined) return this.#highWaterMark - this.#items.length;
    // What the next one weighs is known when it is there.
    return this.#scale.total < this.#highWaterMark ? 1 : 0;
  }

  pull(max: number): Pulled<unknown> {
    this.#max = max;
    const waited = this.#take();
    if (waited !== undefined) {
      // There is room again, which others may be waiting for.
      this.#split.askSoon();
      return waited;
    }
    this.#later.owe();
    this.#split.ask();
    return this.#later.now();
  }

  close(reason: unknown): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const { length } = this.#items;
    this.#items = [];
    this.#mark = undefined;
    this.#abandon(length);
    this.#split.drop(this, reason);
    this.#later.give(END);
  }

  /** Takes a burst: hands on what was asked for, and lets the rest wait. */
  take(items: unknown[]): void {
    this.#context.counts.in += items.length;
    // A branch that got the burst before may have ended the run.
    if (this.isClosed || this.#failure !== undefined) return this.#abandon(items.length);
    if (this.#scale !== undefined && !this.isWaiting && !this.#weigh(items, this.#scale)) return;
    this.#items = this.#items.length === 0 ? items : this.#items.concat(items);
    this.#give();
  }

  /** Takes a mark, a failure or the end. */
  end(answer: Answer<unknown>): void {
    if (answer instanceof Mark) this.#mark = answer;
    this.#give();
  }

  /** Whether the items that begin to wait, of which there is one, can be weighed. */
  #weigh(items: readonly unknown[], scale: Scale): boolean {
    try {
      for (const item of items) scale.add(scale.weigh(item));
      this.#weighed += items.length;
      return true;
    } catch (error) {
      this.#failure = this.#context.failure(error, this.#context.counts.in - items.length, 1, items[0]);
      this.#abandon(items.length);
      return false;
    }
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
    if (this.isClosed) return END;
    if (this.#items.length === 0) {
      const mark = this.#mark;
      this.#mark = undefined;
      return mark ?? this.#failure ?? this.#split.last;
    }
    const items = this.#items.length > this.#max ? this.#items.slice(0, this.#max) : this.#items;
    this.#items = items === this.#items ? [] : this.#items.slice(items.length);
    const weighed = Math.min(this.#weighed, items.length);
    this.#weighed -= weighed;
    this.#scale?.remove(weighed);
    this.#context.counts.out += items.length;
    return items;
  }
}

function choose(rule: SplitRule, item: unknown, index: number): number {
  return item instanceof Carried ? item.origin.enter(() => rule.choose(item.item, index)) : rule.choose(item, index);
}
