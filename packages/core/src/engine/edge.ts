import { type Answer, END, isLater, Mark, type Pulled, type Puller } from './answer.js';
import { spend, whenMyTurn } from './budget.js';
import type { StageContext } from './context.js';
import { Later, whenAnswered } from './later.js';
import { Scale, type SizeOf } from './scale.js';

/**
 * Where items wait before a consumer: reads ahead of it, up to `highWaterMark` items, once it is told to.
 *
 * With a `size` the mark is of weight: it reads one item at a time while what waits weighs less, so that what waits is
 * above the mark by less than the last item.
 *
 * It belongs to the consumer, which counts the items as its own when the run ends with some of them still here.
 */
export class Edge implements Puller<unknown> {
  readonly #upstream: Puller<unknown>;
  readonly #highWaterMark: number;
  readonly #context: StageContext;
  readonly #isEager: boolean;
  /** Weighs what waits, where items don't count as one each. */
  readonly #scale: Scale | undefined;
  /** How many items have been weighed. */
  #entered = 0;
  /** How many items the consumer has taken and not begun; they wait here as far as the bound is concerned. */
  waitingBehind: (() => number) | undefined;
  /** How many items more the consumer can use at all, where it knows: a take ends it. */
  wanted: (() => number) | undefined;
  /** The items of the last answer, until such a consumer has looked at them. */
  #handed = 0;
  #items: unknown[] = [];
  /** Where in `#items` those begin that still wait. */
  #head = 0;
  /** Whether `#items` is this edge's own; a burst may be an array that its source goes on using. */
  #isOwn = false;
  /** A mark that waits behind the items; nothing is read past it. */
  #mark: Mark | undefined;
  #last: Answer<unknown> | undefined;
  #isAsking = false;
  #isFilling = false;
  #isClosed = false;
  #max = 0;
  readonly #later = new Later<unknown>();

  /**
   * @param isEager - Whether to read ahead from the first pull on, not only while the consumer waits; with a `size` it does.
   * @param size - What an item weighs; without it, 1.
   */
  constructor(
    upstream: Puller<unknown>,
    highWaterMark: number,
    context: StageContext,
    isEager: boolean,
    size?: SizeOf,
  ) {
    this.#upstream = upstream;
    this.#highWaterMark = highWaterMark;
    this.#context = context;
    this.#isEager = isEager || size !== undefined;
    this.#scale = size === undefined ? undefined : new Scale(size);
  }

  pull(max: number): Pulled<unknown> {
    if (this.#isEager) this.#isFilling = true;
    this.#handed = 0;
    const answer = this.#take(max);
    if (answer !== undefined) {
      if (this.#isFilling) this.#fill();
      return answer;
    }
    if (!this.#isFilling && !this.#isAsking)
      return this.#upstream.pull(Math.max(1, Math.min(max, this.#highWaterMark)));
    this.#max = max;
    this.#later.owe();
    this.#isFilling = true;
    this.#fill();
    return this.#later.now();
  }

  /** Reads ahead until as many items wait as may; goes on by itself until the consumer pulls again. */
  fill(): void {
    this.#isFilling = true;
    this.#handed = 0;
    this.#fill();
  }

  /** The consumer has looked at what it took: reads on where it reads ahead, or where the consumer `isBusy`. */
  goOn(isBusy: boolean): void {
    if (isBusy || this.#isFilling) this.fill();
  }

  #fill(): void {
    while (!this.#isAsking && !this.#isClosed && this.#last === undefined && this.#mark === undefined) {
      const room = this.#room();
      // A consumer that waits with a free slot may be handed one item even where nothing may wait.
      const credit = this.#later.isOwed ? Math.max(room, 1) : room;
      if (credit <= 0) return;
      this.#isAsking = true;
      const pulled = this.#upstream.pull(credit);
      if (isLater(pulled)) {
        whenAnswered(pulled, this.#onAnswer);
        return;
      }
      this.#isAsking = false;
      this.#accept(pulled);
      // What is asked for one by one would be a loop that never yields, before a mark of a million bytes.
      if (this.#scale !== undefined && spend(1)) return whenMyTurn(this.#fillOn);
    }
  }

  readonly #fillOn = (): void => this.#fill();

  /** How many items may be asked for: as many as have room, or one where what it weighs is known only behind it. */
  #room(): number {
    if (this.#scale !== undefined) return this.#scale.total < this.#highWaterMark ? 1 : 0;
    const behind = this.waitingBehind === undefined ? 0 : this.waitingBehind() + this.#handed;
    const most = this.wanted === undefined ? this.#highWaterMark : Math.min(this.#highWaterMark, this.wanted());
    return most - this.#waiting() - behind;
  }

  close(reason: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#upstream.close(reason);
    this.#abandon(this.#waiting());
    this.#items = [];
    this.#head = 0;
    this.#scale?.clear();
    this.#last = END;
  }

  #waiting(): number {
    return this.#items.length - this.#head;
  }

  readonly #onAnswer = (answer: Answer<unknown>): void => {
    this.#isAsking = false;
    this.#accept(answer);
    if (!this.#isClosed) this.#fill();
  };

  #accept(answer: Answer<unknown>): void {
    if (answer instanceof Mark) this.#mark = answer;
    else if (!Array.isArray(answer)) this.#last ??= answer;
    else if (this.#isClosed) this.#abandon(answer.length);
    else if (this.#scale === undefined || this.#weigh(answer, this.#scale)) this.#add(answer);
    if (!this.#later.isOwed) return;
    const taken = this.#take(this.#max);
    if (taken !== undefined) this.#later.give(taken);
  }

  /** Whether what came, one item, is one that can be weighed; ends behind what waits where it is not. */
  #weigh(items: unknown[], scale: Scale): boolean {
    try {
      for (const item of items) {
        scale.add(scale.weigh(item));
        this.#entered++;
      }
      return true;
    } catch (error) {
      this.#last = this.#context.failure(error, this.#context.enteredBefore + this.#entered, 1, items[0]);
      this.#abandon(items.length);
      return false;
    }
  }

  #add(burst: unknown[]): void {
    if (this.#waiting() === 0) {
      this.#items = burst;
      this.#head = 0;
      this.#isOwn = false;
      return;
    }
    // PERF: added one by one; a new array for each small burst costs as much as all that waits: 860 ns an item instead of 300 at 256.
    if (!this.#isOwn || this.#head > this.#waiting()) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
      this.#isOwn = true;
    }
    for (let at = 0; at < burst.length; at++) this.#items.push(burst[at]);
  }

  #take(max: number): Answer<unknown> | undefined {
    const waiting = this.#waiting();
    if (waiting === 0) {
      const mark = this.#mark;
      this.#mark = undefined;
      return mark ?? this.#last;
    }
    const isAll = waiting <= max;
    const items = isAll && this.#head === 0 ? this.#items : this.#items.slice(this.#head, this.#head + max);
    this.#head = isAll ? 0 : this.#head + max;
    if (isAll) this.#items = [];
    this.#handed = items.length;
    this.#scale?.remove(items.length);
    return items;
  }

  #abandon(items: number): void {
    const { counts, weight } = this.#context;
    counts.in += items;
    counts.abandoned += items;
    this.#context.inside(-items * weight);
  }
}
