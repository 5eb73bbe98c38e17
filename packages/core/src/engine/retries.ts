import type { Timer } from '../clock.js';
import { within } from './carried.js';
import type { StageContext } from './context.js';
import { delayOf, type RetryPolicy } from './item-policy.js';
import { truthy } from './step.js';

/** Tries again what failed in one stage of one run, after a wait by the clock of the run. */
export class Retries {
  readonly #policy: RetryPolicy;
  readonly #context: StageContext;
  readonly #waits = new Set<Timer>();
  #isClosed = false;

  constructor(policy: RetryPolicy, context: StageContext) {
    this.#policy = policy;
    this.#context = context;
  }

  /**
   * Decides whether an item is worth another try; then tells the observer, and calls `again` when the wait is over.
   *
   * @param attempt - Which try failed: 1 for the first.
   * @returns Whether `again` will be called; not behind `close()`.
   * @throws What the user's `when` throws.
   */
  again(error: unknown, index: number, attempt: number, item: unknown, again: () => void): boolean {
    const { attempts, when } = this.#policy;
    if (this.#isClosed || attempt >= attempts) return false;
    if (when !== undefined && !within(item, () => truthy(when(error, { index, attempt })))) return false;
    // `when` may have ended the run.
    if (this.#isClosed) return false;
    const delayMs = delayOf(this.#policy, attempt);
    this.#context.retried(error, index, attempt, delayMs, item);
    const wait = this.#context.clock.setTimer(() => {
      this.#waits.delete(wait);
      again();
    }, delayMs);
    this.#waits.add(wait);
    return true;
  }

  /** Ends the waits: nothing is tried again. */
  close(): void {
    this.#isClosed = true;
    for (const wait of this.#waits) wait.clear();
    this.#waits.clear();
  }
}
