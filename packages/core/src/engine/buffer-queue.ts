import { PipelineError } from '../errors.js';
import { type Answer, END, type Failure, isLater, Mark, type Pulled, type Puller } from './answer.js';
import { spend, whenMyTurn } from './budget.js';
import type { StageContext } from './context.js';
import { Later, whenAnswered } from './later.js';

/** What a full buffer does with the next item. */
export type Overflow = 'block' | 'drop-oldest' | 'drop-newest' | 'fail';

/** Items that wait between what is before and what is behind the stage. */
export class BufferQueue implements Puller<unknown> {
  readonly #upstream: Puller<unknown>;
  readonly #context: StageContext;
  readonly #capacity: number;
  readonly #overflow: Overflow;
  #items: unknown[] = [];
  #isAsking = false;
  #isClosed = false;
  #behind: Mark | Failure | typeof END | undefined;
  #max = 0;
  readonly #later = new Later<unknown>();

  constructor(upstream: Puller<unknown>, context: StageContext, capacity: number, overflow: Overflow) {
    this.#upstream = upstream;
    this.#context = context;
    this.#capacity = capacity;
    this.#overflow = overflow;
  }

  pull(max: number): Pulled<unknown> {
    this.#max = max;
    if (this.#items.length === 0) this.#read();
    const answer = this.#take();
    if (answer !== undefined) {
      this.#read();
      return answer;
    }
    return this.#later.owe();
  }

  close(reason: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#behind = END;
    this.#upstream.close(reason);
    this.#lose(this.#items.length, 'abandoned');
    this.#items = [];
  }

  readonly #read = (): void => {
    while (!this.#isAsking && !this.#isClosed && this.#behind === undefined) {
      const room = this.#capacity - this.#items.length;
      if (room <= 0 && this.#overflow === 'block') return;
      this.#isAsking = true;
      const pulled = this.#upstream.pull(Math.max(1, room));
      if (isLater(pulled)) {
        whenAnswered(pulled, this.#onAnswer);
        return;
      }
      this.#isAsking = false;
      this.#accept(pulled);
      if (this.#mustGiveWay()) return whenMyTurn(this.#read);
    }
  };

  readonly #onAnswer = (answer: Answer<unknown>): void => {
    this.#isAsking = false;
    this.#accept(answer);
    if (this.#mustGiveWay()) whenMyTurn(this.#read);
    else this.#read();
  };

  /** A buffer that drops reads without end, whether its source answers now or by a promise. */
  #mustGiveWay(): boolean {
    return this.#overflow !== 'block' && spend(1);
  }

  #accept(answer: Answer<unknown>): void {
    if (!Array.isArray(answer)) this.#behind ??= answer;
    else {
      this.#context.counts.in += answer.length;
      if (this.#isClosed) this.#lose(answer.length, 'abandoned');
      else for (const item of answer) this.#add(item);
    }
    if (!this.#later.isOwed) return;
    const taken = this.#take();
    if (taken !== undefined) this.#later.give(taken);
  }

  #add(item: unknown): void {
    if (this.#behind !== undefined) return this.#lose(1, 'abandoned');
    if (this.#items.length < this.#capacity) {
      this.#items.push(item);
      return;
    }
    if (this.#overflow === 'fail') {
      const message = `Cannot buffer the item: ${this.#capacity} wait already (must be fewer, or another overflow policy)`;
      this.#behind = this.#context.failure(
        new PipelineError('ERR_CORE_OVERFLOW', message),
        this.#context.counts.in - 1,
      );
      return this.#lose(1, 'abandoned');
    }
    if (this.#overflow === 'drop-oldest') {
      this.#items.shift();
      this.#items.push(item);
    }
    this.#lose(1, 'dropped');
  }

  #take(): Answer<unknown> | undefined {
    if (this.#items.length === 0) {
      const behind = this.#behind;
      if (behind instanceof Mark) this.#behind = undefined;
      return behind;
    }
    const items = this.#items.length > this.#max ? this.#items.splice(0, this.#max) : this.#items;
    if (items === this.#items) this.#items = [];
    this.#context.counts.out += items.length;
    return items;
  }

  #lose(items: number, fate: 'abandoned' | 'dropped'): void {
    this.#context.counts[fate] += items;
    this.#context.inside(-items * this.#context.weight);
  }
}
