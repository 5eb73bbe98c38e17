import { type Answer, END, type Failure, isLater, Mark, type Pulled, type Puller } from './answer.js';
import { spend, whenMyTurn } from './budget.js';
import { carryOn, gather } from './carried.js';
import type { StageContext } from './context.js';
import { ItemErrors, WRITING } from './item-errors.js';
import { Later, whenAnswered } from './later.js';
import type { ErrorPolicy } from './rejects.js';

/** What becomes of the items that arrive while the consumer is busy; keeps the counts. */
export interface Gathering {
  /** How many items to ask for, where the consumer asks for `max`; for 0 it is busy. */
  credit(max: number): number;
  /**
   * Takes what arrived together, when the consumer asked for `max`; throws what the user's function throws on an item, behind
   * which nothing is taken.
   */
  add(items: readonly unknown[], max: number, errors: ItemErrors): void;
  /** What can be handed on. */
  take(): unknown[] | undefined;
  /** Gives up what it holds. */
  discard(): void;
}

/** Reads on while its consumer is busy, and gathers what arrives. */
export class WhileBusy implements Puller<unknown> {
  readonly #upstream: Puller<unknown>;
  readonly #context: StageContext;
  readonly #gathering: Gathering;
  readonly #errors: ItemErrors;
  /** What came behind an item whose letter is being written. */
  #rest: readonly unknown[] = [];
  #isAsking = false;
  #isClosed = false;
  #willRead = false;
  #behind: Mark | Failure | typeof END | undefined;
  #max = 0;
  readonly #later = new Later<unknown>();

  constructor(
    upstream: Puller<unknown>,
    context: StageContext,
    gathering: Gathering,
    onError?: ErrorPolicy<never, unknown>,
  ) {
    this.#upstream = upstream;
    this.#context = context;
    this.#gathering = gathering;
    this.#errors = new ItemErrors(onError, context, (failure) => this.#written(failure));
  }

  pull(max: number): Pulled<unknown> {
    this.#max = max;
    this.#later.owe();
    this.#hand();
    if (this.#later.isOwed) this.#read();
    else this.#readSoon();
    return this.#later.now();
  }

  close(reason: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#behind = END;
    this.#upstream.close(reason);
    this.#gathering.discard();
    if (this.#errors.close()) this.#context.inside(-this.#context.weight);
    this.#abandon(this.#rest);
    this.#rest = [];
  }

  readonly #read = (): void => {
    while (!this.#isAsking && !this.#isClosed && this.#behind === undefined && !this.#errors.isWriting) {
      if (this.#willRead && !this.#later.isOwed) return;
      const credit = this.#gathering.credit(this.#later.isOwed ? this.#max : 0);
      if (credit <= 0) return;
      this.#isAsking = true;
      const pulled = this.#upstream.pull(credit);
      if (isLater(pulled)) {
        whenAnswered(pulled, this.#onAnswer);
        return;
      }
      this.#isAsking = false;
      this.#accept(pulled);
      // What is folded takes no room, so that nothing else ends this.
      if (spend(Array.isArray(pulled) ? pulled.length : 1)) return whenMyTurn(this.#read);
    }
  };

  readonly #onAnswer = (answer: Answer<unknown>): void => {
    this.#isAsking = false;
    this.#accept(answer);
    if (spend(Array.isArray(answer) ? answer.length : 1)) whenMyTurn(this.#read);
    else this.#read();
  };

  /** A consumer that asks again at once is not busy: what comes then is not gathered. */
  #readSoon(): void {
    if (this.#willRead || this.#isClosed || this.#behind !== undefined) return;
    this.#willRead = true;
    queueMicrotask(() => {
      this.#willRead = false;
      this.#read();
    });
  }

  #accept(answer: Answer<unknown>): void {
    if (!Array.isArray(answer)) this.#behind ??= answer;
    else if (this.#isClosed) this.#abandon(answer);
    else this.#add(answer);
    this.#hand();
  }

  #add(items: readonly unknown[]): void {
    const { counts, enteredBefore } = this.#context;
    for (let rest = items; rest.length > 0; ) {
      const before = counts.in;
      try {
        this.#gathering.add(rest, this.#later.isOwed ? this.#max : 0, this.#errors);
        return;
      } catch (error) {
        const at = counts.in - before - 1;
        const taken = this.#errors.take(error, enteredBefore + counts.in - 1, rest[at]);
        rest = rest.slice(at + 1);
        if (taken === WRITING) {
          this.#rest = rest;
          return;
        }
        if (!this.#goesOn(taken)) return this.#abandon(rest);
      }
    }
  }

  /** Whether an item that was rejected is dealt with, and did not end the run. */
  #goesOn(failure: Failure | undefined): boolean {
    this.#context.inside(-this.#context.weight);
    if (failure !== undefined) this.#context.counts.abandoned++;
    this.#behind ??= failure;
    return !this.#isClosed && this.#behind === undefined;
  }

  #written(failure: Failure | undefined): void {
    const rest = this.#rest;
    this.#rest = [];
    if (this.#goesOn(failure)) this.#add(rest);
    else this.#abandon(rest);
    this.#hand();
    this.#read();
  }

  /** Items that go no further than this. */
  #abandon({ length }: readonly unknown[]): void {
    const { counts, inside, weight } = this.#context;
    counts.in += length;
    counts.abandoned += length;
    if (length > 0) inside(-length * weight);
  }

  #hand(): void {
    if (!this.#later.isOwed) return;
    const items = this.#gathering.take();
    if (items !== undefined) {
      this.#readSoon();
      this.#later.give(items);
      return;
    }
    const behind = this.#behind;
    if (behind === undefined) return;
    if (behind instanceof Mark) {
      this.#behind = undefined;
      // Nothing is taken from behind a mark before it has been handed on.
      this.#readSoon();
    }
    this.#later.give(behind);
  }
}

/** Makes one batch of what arrives, up to `maxItems`. */
export class Collected implements Gathering {
  readonly #maxItems: number;
  readonly #context: StageContext;
  #items: unknown[] = [];

  constructor(maxItems: number, context: StageContext) {
    this.#maxItems = maxItems;
    this.#context = context;
  }

  credit(): number {
    return this.#maxItems - this.#items.length;
  }

  add(items: readonly unknown[]): void {
    const { counts } = this.#context;
    counts.in += items.length;
    counts.held += items.length;
    for (const item of items) this.#items.push(item);
  }

  take(): unknown[] | undefined {
    const items = this.#items;
    if (items.length === 0) return undefined;
    this.#items = [];
    const { counts } = this.#context;
    counts.held -= items.length;
    counts.absorbed += items.length;
    counts.made++;
    counts.out++;
    // In the bound a batch counts as many items as it may have.
    this.#context.inside((this.#maxItems - items.length) * this.#context.weight);
    return [this.#context.carries ? gather(items) : items];
  }

  discard(): void {
    const { length } = this.#items;
    this.#items = [];
    this.#context.counts.held -= length;
    this.#context.counts.abandoned += length;
    this.#context.inside(-length * this.#context.weight);
  }
}

/** Folds what arrives while the consumer is busy into one item; what it has room for goes on one by one. */
export class Folded implements Gathering {
  readonly #fold: (folded: unknown, item: unknown) => unknown;
  readonly #seed: (item: unknown) => unknown;
  /** How many items to ask for while the consumer is busy. */
  readonly #burst: number;
  readonly #context: StageContext;
  /** INVARIANT: the last one is being folded into, where the consumer had no room for it when it came. */
  #items: unknown[] = [];
  #isOver = false;

  constructor(
    fold: (folded: unknown, item: unknown) => unknown,
    seed: (item: unknown) => unknown,
    burst: number,
    context: StageContext,
  ) {
    this.#fold = fold;
    this.#seed = seed;
    this.#burst = burst;
    this.#context = context;
  }

  credit(max: number): number {
    return max === 0 ? this.#burst : max;
  }

  add(items: readonly unknown[], max: number, errors: ItemErrors): void {
    for (const item of items) {
      this.#context.counts.in++;
      if (!this.#isOver) this.#one(item, Math.max(1, max), errors);
      else this.#end(1, 'abandoned');
    }
  }

  #one(item: unknown, most: number, errors: ItemErrors): void {
    const last = this.#items.length - 1;
    const isOwn = last + 1 < most;
    // Not as methods: a function of the user must not see this object as its `this`.
    const [seed, fold] = [this.#seed, this.#fold];
    let value: unknown;
    try {
      value = isOwn ? seed(item) : fold(this.#items[last], item);
    } catch (error) {
      const { counts, enteredBefore } = this.#context;
      value = carryOn(item, errors.instead(error, enteredBefore + counts.in - 1, item));
    }
    // The user's function may have ended the run.
    if (this.#isOver) return this.#end(1, 'abandoned');
    if (!isOwn) {
      this.#items[last] = value;
      return this.#end(1, 'absorbed');
    }
    this.#items.push(value);
    this.#context.counts.held++;
  }

  take(): unknown[] | undefined {
    const items = this.#items;
    if (items.length === 0) return undefined;
    this.#items = [];
    const { counts } = this.#context;
    counts.held -= items.length;
    counts.absorbed += items.length;
    counts.made += items.length;
    counts.out += items.length;
    return items;
  }

  discard(): void {
    this.#isOver = true;
    this.#context.counts.held -= this.#items.length;
    this.#end(this.#items.length, 'abandoned');
    this.#items = [];
  }

  #end(items: number, fate: 'absorbed' | 'abandoned'): void {
    this.#context.counts[fate] += items;
    this.#context.inside(-items * this.#context.weight);
  }
}
