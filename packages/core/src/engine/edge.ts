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
  waitingBehind: () => number = () => 0;
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
    const answer = this.#take(max);
    if (answer !== undefined) {
      if (this.#isFilling) this.fill();
      return answer;
    }
    if (!this.#isFilling && !this.#isAsking)
      return this.#upstream.pull(Math.max(1, Math.min(max, this.#highWaterMark)));
    const later = new Promise<Answer<unknown>>((resolve) => {
      this.#max = max;
      this.#settle = resolve;
    });
    this.fill();
    return later;
  }

  /** Reads ahead until as many items wait as may; goes on by itself until the consumer pulls again. */
  fill(): void {
    this.#isFilling = true;
    while (!this.#isAsking && !this.#isClosed && this.#last === undefined && this.#mark === undefined) {
      const room = this.#highWaterMark - this.#items.length - this.waitingBehind();
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
    if (!this.#isClosed) this.fill();
  };

  #accept(answer: Answer<unknown>): void {
    if (answer instanceof Mark) this.#mark = answer;
    else if (!Array.isArray(answer)) this.#last ??= answer;
    else if (this.#isClosed) this.#abandon(answer.length);
    else if (this.#items.length === 0) this.#items = answer;
    else for (const item of answer) this.#items.push(item);
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
    if (this.#items.length > max) return this.#items.splice(0, max);
    const items = this.#items;
    this.#items = [];
    return items;
  }

  #abandon(items: number): void {
    const { counts, weight } = this.#context;
    counts.in += items;
    counts.abandoned += items;
    this.#context.inside(-items * weight);
  }
}
