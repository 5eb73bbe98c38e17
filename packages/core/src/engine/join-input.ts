import type { Answer, END, Failure, Mark, Puller } from './answer.js';

/** A mark that goes on when the input's first `behind` items have been taken. */
interface WaitingMark {
  readonly behind: number;
  readonly mark: Mark;
}

/** One of the inputs of a join: what waits of it, and what comes behind that. */
export class JoinInput {
  readonly upstream: Puller<unknown>;
  /** Whether it has its items at hand: a loop with its own source. */
  readonly isLoop: boolean;
  /** What one of its items weighs. */
  readonly weight: number;
  readonly onAnswer: (answer: Answer<unknown>) => void;
  isAsking = false;
  /** Nothing is read past it. */
  barrier: Mark | undefined;
  /** What comes behind all items. */
  end: Failure | typeof END | undefined;
  watermark: number | undefined;
  #items: unknown[] = [];
  #at = 0;
  #taken = 0;
  #marks: WaitingMark[] = [];

  constructor(
    upstream: Puller<unknown>,
    isLoop: boolean,
    weight: number,
    onAnswer: (input: JoinInput, answer: Answer<unknown>) => void,
  ) {
    this.upstream = upstream;
    this.isLoop = isLoop;
    this.weight = weight;
    this.onAnswer = (answer) => onAnswer(this, answer);
  }

  /** How many of its items were taken. */
  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#items.length - this.#at;
  }

  /** How many of them may be taken: those before the first mark, which keeps its place. */
  get ready(): number {
    const first = this.#marks[0];
    return first === undefined ? this.waiting : Math.min(this.waiting, first.behind - this.#taken);
  }

  /** Whether nothing is left of it. */
  get isOver(): boolean {
    return this.end !== undefined && this.waiting === 0;
  }

  /** Whether it can be asked. */
  get isIdle(): boolean {
    return !this.isAsking && this.end === undefined && this.barrier === undefined;
  }

  /** The first item that waits, of at least one. */
  get head(): unknown {
    return this.#items[this.#at];
  }

  /** Takes the first item that waits, of at least one. */
  next(): unknown {
    const item = this.#items[this.#at++];
    this.#taken++;
    if (this.#at === this.#items.length) {
      this.#items = [];
      this.#at = 0;
    }
    return item;
  }

  /** Takes the first `max` items, or all that wait. */
  take(max: number): unknown[] {
    const isAll = this.waiting <= max;
    const items = isAll && this.#at === 0 ? this.#items : this.#items.slice(this.#at, this.#at + max);
    this.#at = isAll ? 0 : this.#at + max;
    if (isAll) this.#items = [];
    this.#taken += items.length;
    return items;
  }

  add(items: unknown[]): void {
    this.#items = this.waiting === 0 ? items : this.#items.slice(this.#at).concat(items);
    this.#at = 0;
  }

  /** Lets a mark wait behind the items; of two watermarks in one place the later is left. */
  mark(mark: Mark): void {
    if (mark.kind === 'barrier') {
      this.barrier = mark;
      return;
    }
    const behind = this.#taken + this.waiting;
    const last = this.#marks.at(-1);
    if (last?.behind === behind && last.mark.kind === mark.kind) this.#marks.pop();
    this.#marks.push({ behind, mark });
  }

  /** Takes a mark that is due: the items before it have been taken. */
  dueMark(): Mark | undefined {
    const first = this.#marks[0];
    if (first === undefined || first.behind > this.#taken) return undefined;
    this.#marks.shift();
    return first.mark;
  }
}
