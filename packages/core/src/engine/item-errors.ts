import type { Failure } from './answer.js';
import { plain, within } from './carried.js';
import type { StageContext } from './context.js';
import { type ErrorPolicy, type Fallback, openRejects, type Rejects } from './rejects.js';

/** Says that the letter about an item is being written. */
export const WRITING: unique symbol = Symbol('writing');

/**
 * Deals, for one operator in one run, with the items on which a function of the user fails.
 *
 * A dead letter may take time to write: the operator then takes no other item until it is told that the letter is written.
 * What an item weighs in the bound is the operator's to say, as is that one which ends the run is abandoned.
 */
export class ItemErrors {
  readonly #context: StageContext;
  readonly #fallback: Fallback<unknown, unknown>['fallback'] | undefined;
  readonly #rejects: Rejects<unknown>;
  readonly #onWritten: (failure: Failure | undefined) => void;
  #isWriting = false;
  /** How many letters had been written before the one that is. */
  #letters = 0;
  #isClosed = false;

  /** @param onWritten - Is told that a letter is written, or of the failure that this came to; not once it is closed. */
  constructor(
    onError: ErrorPolicy<never, unknown> | undefined,
    context: StageContext,
    onWritten: (failure: Failure | undefined) => void,
  ) {
    const policy = (onError ?? 'fail') as ErrorPolicy<unknown, unknown>;
    const falls = typeof policy === 'object' && 'fallback' in policy;
    this.#context = context;
    this.#onWritten = onWritten;
    this.#fallback = falls ? policy.fallback : undefined;
    this.#rejects = openRejects(falls ? 'fail' : policy, context);
  }

  /** Whether the letter about an item, which is in no other place, is being written. */
  get isWriting(): boolean {
    return this.#isWriting;
  }

  /** Whether another value can stand in for what the function gives. */
  get fallsBack(): boolean {
    return this.#fallback !== undefined;
  }

  /** Gives what stands in for what a function should have given; where nothing does, throws the error again. */
  instead(error: unknown, index: number, item: unknown): unknown {
    const fallback = this.#fallback;
    if (fallback === undefined) throw error;
    this.#context.rejected(error, index, 1, item);
    try {
      return within(item, () => fallback(error, plain(item), { stage: this.#context.name, index, attempts: 1 }));
    } catch (problem) {
      this.#context.alsoFailed(error);
      throw problem;
    }
  }

  /** Takes an item: gives the failure that it ends the run with, or nothing when it is dealt with and counted. */
  take(error: unknown, index: number, item: unknown): Failure | undefined | typeof WRITING {
    const taken = this.#rejects.take(error, index, item);
    if (!(taken instanceof Promise)) return taken;
    this.#isWriting = true;
    this.#letters = this.#context.counts.deadLettered;
    taken.then((failure) => {
      if (this.#isClosed) return;
      this.#isWriting = false;
      this.#onWritten(failure);
    });
    return WRITING;
  }

  /**
   * Lets go of the stream. Says whether an item was with it: that ends here, as abandoned if its letter has not been
   * counted as written.
   */
  close(): boolean {
    if (this.#isClosed) return false;
    this.#isClosed = true;
    this.#rejects.close();
    const { counts } = this.#context;
    if (this.#isWriting && counts.deadLettered === this.#letters) counts.abandoned++;
    return this.#isWriting;
  }
}
