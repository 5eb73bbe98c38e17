import { PipelineError } from '../errors.js';
import { type Answer, END, type Failure, isLater, Mark, type Pulled, type Puller } from './answer.js';
import { spend, whenMyTurn } from './budget.js';
import type { StageContext } from './context.js';
import { Later, whenAnswered } from './later.js';
import { Scale, type SizeOf } from './scale.js';

/** What a full buffer does with the next item. */
export type Overflow = 'block' | 'drop-oldest' | 'drop-newest' | 'fail';

/** Items that wait between what is before and what is behind the stage. */
export class BufferQueue implements Puller<unknown> {
  readonly #upstream: Puller<unknown>;
  readonly #context: StageContext;
  readonly #capacity: number;
  readonly #overflow: Overflow;
  /** Weighs what waits, where items don't count as one each. */
  readonly #scale: Scale | undefined;
  #items: unknown[] = [];
  #isAsking = false;
  #isClosed = false;
  #behind: Mark | Failure | typeof END | undefined;
  #max = 0;
  readonly #later = new Later<unknown>();

  constructor(upstream: Puller<unknown>, context: StageContext, capacity: number, overflow: Overflow, size?: SizeOf) {
    this.#upstream = upstream;
    this.#context = context;
    this.#capacity = capacity;
    this.#overflow = overflow;
    this.#scale = size === undefined ? undefined : new Scale(size);
  }

  pull(max: number): Pulled<unknown> {
    this.#max = max;
    if (this.#items.length === 0) this.#read();
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
    this.#upstream.close(reason);
    this.#lose(this.#items.length, 'abandoned');
    this.#items = [];
    this.#scale?.clear();
  }

  readonly #read = (): void => {
    while (!this.#isAsking && !this.#isClosed && this.#behind === undefined) {
      const room = this.#room();
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

  /** How many items may be asked for: as many as have room, or one where what it weighs is known only behind it. */
  #room(): number {
    if (this.#scale === undefined) return this.#capacity - this.#items.length;
    return this.#scale.total < this.#capacity ? 1 : 0;
  }

  /** A buffer that drops reads without end, whether its source answers now or by a promise; one that weighs, one by one. */
  #mustGiveWay(): boolean {
    return (this.#overflow !== 'block' || this.#scale !== undefined) && spend(1);
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
    let size: number;
    try {
      size = this.#scale === undefined ? 1 : this.#scale.weigh(item);
    } catch (error) {
      return this.#fail(error, item);
    }
    if (this.#fits(size)) return this.#keep(item, size);
    if (this.#overflow === 'fail') {
      const full = this.#scale === undefined ? this.#capacity : `${this.#scale.total} of ${this.#capacity} by size`;
      const message = `Cannot buffer the item: ${full} wait already (must be fewer, or another overflow policy)`;
      return this.#fail(new PipelineError('ERR_CORE_OVERFLOW', message), item);
    }
    if (this.#overflow === 'drop-newest') return this.#lose(1, 'dropped');
    while (!this.#fits(size)) {
      this.#items.shift();
      this.#scale?.remove(1);
      this.#lose(1, 'dropped');
    }
    this.#keep(item, size);
  }

  /**
   * Whether an item that weighs `size` may wait beside the others, or alone. Where overflow blocks, it was asked for when
   * there was room for something.
   */
  #fits(size: number): boolean {
    if (this.#scale === undefined) return this.#items.length < this.#capacity;
    const isAsked = this.#overflow === 'block' || this.#items.length === 0;
    return isAsked || this.#scale.total + size <= this.#capacity;
  }

  #keep(item: unknown, size: number): void {
    this.#items.push(item);
    this.#scale?.add(size);
  }

  #fail(error: unknown, item: unknown): void {
    const { counts, enteredBefore } = this.#context;
    this.#behind = this.#context.failure(error, enteredBefore + counts.in - 1, 1, item);
    this.#lose(1, 'abandoned');
  }

  #take(): Answer<unknown> | undefined {
    if (this.#items.length === 0) {
      const behind = this.#behind;
      if (behind instanceof Mark) this.#behind = undefined;
      return behind;
    }
    const items = this.#items.length > this.#max ? this.#items.splice(0, this.#max) : this.#items;
    if (items === this.#items) this.#items = [];
    this.#scale?.remove(items.length);
    this.#context.counts.out += items.length;
    return items;
  }

  #lose(items: number, fate: 'abandoned' | 'dropped'): void {
    this.#context.counts[fate] += items;
    this.#context.inside(-items * this.#context.weight);
  }
}
