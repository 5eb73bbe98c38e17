import { Failure } from './answer.js';
import { Carried } from './carried.js';
import type { StageContext } from './context.js';
import { ItemErrors, WRITING } from './item-errors.js';
import { abandon, type KeyedSpec } from './keyed-parts.js';

/** What a keyed stage has read and not yet told apart. Tells keys, and deals with the items of which it can't. */
export class Hand {
  items: readonly unknown[] = [];
  /** Where the next item is. */
  at: number = 0;
  /** Its key, once that has been told. */
  key: unknown;
  #keyed = -1;
  #isClosed = false;
  readonly #keyOf: KeyedSpec['key'];
  readonly #split: StageContext;
  readonly #errors: ItemErrors;
  readonly #fail: (failure: Failure) => void;

  /**
   * @param fail - Is told what ends the run.
   * @param goOn - Is told, behind that, that the letter about an item is no longer being written.
   */
  constructor({ key, onError }: KeyedSpec, split: StageContext, fail: (failure: Failure) => void, goOn: () => void) {
    this.#keyOf = key;
    this.#split = split;
    this.#fail = fail;
    this.#errors = new ItemErrors(onError, split, (failure) => {
      if (failure !== undefined) {
        split.counts.abandoned++;
        fail(failure);
      }
      split.inside(-split.weight);
      goOn();
    });
  }

  /** Whether the letter about an item is being written: the next ones wait. */
  get isWriting(): boolean {
    return this.#errors.isWriting;
  }

  /** Whether there is an item to tell apart. */
  get hasNext(): boolean {
    return this.at < this.items.length && !this.#errors.isWriting;
  }

  /** Whether nothing is left, not even an item whose letter is being written. */
  get isEmpty(): boolean {
    return this.at >= this.items.length && !this.#errors.isWriting;
  }

  take(items: readonly unknown[]): void {
    this.items = items;
    this.at = 0;
    this.#keyed = -1;
  }

  /** Tells the key of the next item, in the item's context; says whether it could. */
  findKey(): boolean {
    if (this.#keyed === this.at) return true;
    const item = this.items[this.at];
    // Not as a method: a function of the user must not see this object as its `this`.
    const keyOf = this.#keyOf;
    try {
      this.key = item instanceof Carried ? item.origin.enter(() => keyOf(item.item)) : keyOf(item);
    } catch (error) {
      if (!this.orElse(error)) return false;
    }
    // The function may have ended the run.
    if (this.#isClosed) return false;
    this.#keyed = this.at;
    return true;
  }

  /** The key of the next item can't be told: says whether there is another in its place. What there is not is dealt with. */
  orElse(error: unknown): boolean {
    if (this.#isClosed) return false;
    const { counts } = this.#split;
    const item = this.items[this.at];
    try {
      this.key = this.#errors.instead(error, counts.in, item);
      return !this.#isClosed;
    } catch (problem) {
      if (!this.#isClosed) this.#reject(problem, item);
      return false;
    }
  }

  #reject(error: unknown, item: unknown): void {
    const { counts, inside, weight } = this.#split;
    const taken = this.#errors.take(error, counts.in, item);
    if (taken instanceof Failure) return this.#fail(taken);
    counts.in++;
    this.at++;
    if (taken !== WRITING) inside(-weight);
  }

  close(): void {
    this.#isClosed = true;
    if (this.#errors.close()) this.#split.inside(-this.#split.weight);
    abandon(this.#split, this.items.length - this.at);
    this.take([]);
  }
}
