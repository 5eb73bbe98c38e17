import { type Answer, END, isLater, Mark, type Pulled, type Puller } from './answer.js';
import type { StageContext } from './context.js';

/**
 * Where items wait before a consumer: reads ahead of it, up to `highWaterMark` items, once it is told to.
 *
 * It belongs to the consumer, which counts the items as its own when the run ends with some of them still here.
 */
export class Edge implements Puller<unknown> {
  readonly #upstream: Puller<unknown>;
  readonly #highWaterMark: number;
  readonly #context: StageContext;
  readonly #isEager: boolean;
  /** How many items the consumer has taken and not begun; they wait here as far as the bound is concerned. */
  waitingBehind: (() => number) | undefined;
  /** How many items more the consumer can use at all, where it knows: a take ends it. */
  wanted: (() => number) | undefined;
  /** The items of the last answer, until such a consumer has looked at them. */
  #handed = 0;
  #items: unknown[] = [];
  /** A mark that waits behind the items; nothing is read past it. */
  #mark: Mark | undefined;
  #last: Answer<unknown> | undefined;
  #isAsking = false;
  #isFilling = false;
  #isClosed = false;
  #max = 0;
  #settle: ((answer: Answer<unknown>) => void) | undefined;

  /** @param isEager - Whether to read ahead from the first pull on, not only while the consumer waits. */
  constructor(upstream: Puller<unknown>, highWaterMark: number, context: StageContext, isEager: boolean) {
    this.#upstream = upstream;
    this.#highWaterMark = highWaterMark;
    this.#context = context;
    this.#isEager = isEager;
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
    const later = new Promise<Answer<unknown>>((resolve) => {
      this.#max = max;
      this.#settle = resolve;
    });
    this.#isFilling = true;
    this.#fill();
    return later;
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
      const behind = this.waitingBehind === undefined ? 0 : this.waitingBehind() + this.#handed;
      const most = this.wanted === undefined ? this.#highWaterMark : Math.min(this.#highWaterMark, this.wanted());
      const room = most - this.#items.length - behind;
      // A consumer that waits with a free slot may be handed one item even where nothing may wait.
      const credit = this.#settle === undefined ? room : Math.max(room, 1);
      if (credit <= 0) return;
      this.#isAsking = true;
      const pulled = this.#upstream.pull(credit);
      if (isLater(pulled)) {
        pulled.then(this.#onAnswer);
        return;
      }
      this.#isAsking = false;
      this.#accept(pulled);
    }
  }

  close(reason: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#upstream.close(reason);
    this.#abandon(this.#items.length);
    this.#items = [];
    this.#last = END;
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
    else if (this.#items.length === 0) this.#items = answer;
    // The burst may be an array that a source goes on using.
    else this.#items = this.#items.concat(answer);
    if (this.#settle === undefined) return;
    const taken = this.#take(this.#max);
    if (taken === undefined) return;
    const settle = this.#settle;
    this.#settle = undefined;
    settle(taken);
  }

  #take(max: number): Answer<unknown> | undefined {
    if (this.#items.length === 0) {
      const mark = this.#mark;
      this.#mark = undefined;
      return mark ?? this.#last;
    }
    const items = this.#items.length > max ? this.#items.slice(0, max) : this.#items;
    this.#items = items === this.#items ? [] : this.#items.slice(max);
    this.#handed = items.length;
    return items;
  }

  #abandon(items: number): void {
    const { counts, weight } = this.#context;
    counts.in += items;
    counts.abandoned += items;
    this.#context.inside(-items * weight);
  }
}
