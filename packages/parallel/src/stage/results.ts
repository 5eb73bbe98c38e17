import { type Failure, Given, type Rejects, type StageContext } from '@millrace/core/authoring';
import type { Burst, Rejected } from '../pool/client.js';

/**
 * The bursts inside a stage, in the order in which they are handed on: as they were taken, or (unordered) as they are done.
 *
 * Behind the results of a burst may come a failure, or an item that is rejected in its place: what is behind it waits
 * until its letter is written, or something is given in place of its result.
 */
export class Results {
  /** The items inside: from when they are taken until their results are handed on, or they have been dealt with. */
  inside: number = 0;
  readonly #ordered: boolean;
  readonly #rejects: Rejects<unknown, Given>;
  readonly #context: StageContext;
  readonly #goOn: () => void;
  #queue: Burst[] = [];
  #isWriting = false;
  #isClosed = false;
  #failure: Failure | undefined;

  /** @param goOn - Called when a letter has been written, or can't be, or a promised fallback is there. */
  constructor(ordered: boolean, rejects: Rejects<unknown, Given>, context: StageContext, goOn: () => void) {
    this.#ordered = ordered;
    this.#rejects = rejects;
    this.#context = context;
    this.#goOn = goOn;
  }

  /** Notes a burst that was taken. */
  begin(burst: Burst): void {
    this.inside += burst.items.length;
    if (this.#ordered) this.#queue.push(burst);
  }

  /** Puts the parts of a burst in its place. */
  replace(burst: Burst, parts: readonly Burst[]): void {
    if (this.#ordered) this.#queue.splice(this.#queue.indexOf(burst), 1, ...parts);
  }

  /** Notes that a burst is done: its results, and what comes behind them, are in it. */
  end(burst: Burst): void {
    burst.state = 'done';
    burst.items = [];
    if (!this.#ordered) this.#queue.push(burst);
  }

  /** The first burst that is not done; in order, all before it are. */
  open(): Burst | undefined {
    return this.#queue.find(({ state }) => state !== 'done');
  }

  /** Up to `max` results, or the failure that comes next. Rejects what comes before them. */
  next(max: number): unknown[] | Failure | undefined {
    while (this.#failure === undefined && !this.#isWriting) {
      const head = this.#queue[0];
      if (head?.state !== 'done') return undefined;
      if (head.results.length > 0) return this.#out(head, max);
      if (head.rejected !== undefined) this.#reject(head, head.rejected);
      else {
        this.#queue.shift();
        if (head.failure !== undefined) this.#fail(head.failure);
      }
    }
    return this.#failure;
  }

  /** Counts all that is inside as abandoned. */
  close(): void {
    this.#isClosed = true;
    this.#rejects.close();
    this.#queue = [];
    this.#context.counts.abandoned += this.inside;
    this.#leave(this.inside);
  }

  #out(burst: Burst, max: number): unknown[] {
    const isAll = burst.results.length <= max;
    const items = isAll ? burst.results : burst.results.splice(0, max);
    if (isAll) burst.results = [];
    this.inside -= items.length;
    this.#context.counts.out += items.length;
    return items;
  }

  #reject(burst: Burst, { error, index, item, attempts }: Rejected): void {
    burst.rejected = undefined;
    const taken = this.#rejects.take(error, index, item, attempts);
    if (!(taken instanceof Promise)) return this.#dealtWith(burst, taken);
    this.#isWriting = true;
    taken.then((outcome) => {
      this.#isWriting = false;
      if (this.#isClosed) return;
      this.#dealtWith(burst, outcome);
      this.#goOn();
    });
  }

  #dealtWith(burst: Burst, outcome: Failure | Given | undefined): void {
    if (outcome === undefined) this.#leave(1);
    else if (outcome instanceof Given) burst.results = [outcome.value];
    else this.#fail(outcome);
  }

  #fail(failure: Failure): void {
    this.#failure = failure;
    for (const { failure: other } of this.#queue) if (other !== undefined) this.#context.alsoFailed(other.error);
  }

  #leave(items: number): void {
    this.inside -= items;
    this.#context.inside(-items * this.#context.weight);
  }
}
