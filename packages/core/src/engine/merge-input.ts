import type { Answer, Mark, Puller } from './answer.js';

/** A loop that takes items from its own source: it answers at once, but where the thread's time is up. */
export interface Loop {
  /** Lowers what the pending pull asks for. */
  shrink(max: number): void;
}

/** What is merged. */
export interface MergeInput {
  readonly upstream: Puller<unknown>;
  /** The same as a loop, where it is one. */
  readonly loop: Loop | undefined;
  /** What one of its items weighs. */
  readonly weight: number;
}

/** One of the inputs of a merge: what waits of it. */
export class MergedInput {
  readonly upstream: Puller<unknown>;
  readonly loop: Loop | undefined;
  readonly weight: number;
  /** What one of its items weighs more behind the merge, where all items weigh what the heaviest do. */
  readonly gain: number;
  /** The input whose turn it is behind it. */
  readonly next: number;
  readonly onAnswer: (answer: Answer<unknown>) => void;
  items: unknown[] = [];
  /** How many of the items were handed on. */
  at = 0;
  /** How many items have come in all. */
  came = 0;
  /** A mark that waits behind the items; nothing is read past it. */
  mark: Mark | undefined;
  watermark: number | undefined;
  isAsking = false;
  /** An answer that came while other inputs were being asked; it waits for its turn to be looked at. */
  arrived: Answer<unknown> | undefined;
  isEnded = false;

  constructor(
    { upstream, loop, weight }: MergeInput,
    gain: number,
    next: number,
    onAnswer: (input: MergedInput, answer: Answer<unknown>) => void,
  ) {
    this.upstream = upstream;
    this.loop = loop;
    this.weight = weight;
    this.gain = gain;
    this.next = next;
    this.onAnswer = (answer) => onAnswer(this, answer);
  }

  get waiting(): number {
    return this.items.length - this.at;
  }

  get isIdle(): boolean {
    return !this.isAsking && !this.isEnded && this.mark === undefined;
  }

  /** Lets items wait behind those that do already. */
  add(items: unknown[]): void {
    this.items = this.waiting === 0 ? items : this.items.slice(this.at).concat(items);
    this.at = 0;
  }

  /** Takes up to `max` of the items that wait. */
  take(max: number): unknown[] {
    const { items, at } = this;
    if (this.waiting > max) {
      this.at += max;
      return items.slice(at, at + max);
    }
    this.clear();
    return at === 0 ? items : items.slice(at);
  }

  takeMark(): Mark | undefined {
    const { mark } = this;
    this.mark = undefined;
    return mark;
  }

  /** Lets nothing wait any more. */
  clear(): void {
    this.items = [];
    this.at = 0;
  }
}
