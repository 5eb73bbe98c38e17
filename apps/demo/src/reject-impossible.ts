import type { DeadLetterOffice, Stage } from '@millrace/core';
import {
  type Answer,
  END,
  type Failure,
  isLater,
  Mark,
  openRejects,
  operator,
  type Pulled,
  type Puller,
  type Rejects,
  type StageContext,
  spend,
  whenMyTurn,
} from '@millrace/core/authoring';
import { type Flight, flightFault } from './night/flight.js';

/**
 * Lets through the flights that may have happened, and sends the others away with what is wrong with them.
 *
 * Contract
 * - Order: kept.
 * - Holds: nothing of its own; of a burst that was asked for, what is not decided while a letter is being written.
 * - Backpressure: waits for each letter, so where every flight is impossible the archive sets the pace.
 * - Failure: fails at the flight whose letter cannot be written.
 * - Cancel: cancels upstream with the same reason.
 *
 * @param office - From `deadLetter()`; the `error` of its letters is a `FlightFault`.
 */
export function rejectImpossible<F extends Flight>(office: DeadLetterOffice<Flight>): Stage<F, F> {
  return operator<F, F>({
    name: 'reject impossible',
    open: (upstream, context) => new RejectImpossible(upstream, context, openRejects(office, context)),
  });
}

class RejectImpossible<F extends Flight> implements Puller<F> {
  readonly #upstream: Puller<F>;
  readonly #context: StageContext;
  readonly #rejects: Rejects<Flight>;
  #burst: F[] = [];
  #at = 0;
  /** How many flights before `#at` stay; they are moved to the front of the burst. */
  #kept = 0;
  #max = 0;
  #isClosed = false;
  /** What comes behind the flights that stay. */
  #behind: Mark | Failure | typeof END | undefined;
  #last: Failure | typeof END | undefined;
  #settle: ((answer: Answer<F>) => void) | undefined;

  constructor(upstream: Puller<F>, context: StageContext, rejects: Rejects<Flight>) {
    this.#upstream = upstream;
    this.#context = context;
    this.#rejects = rejects;
  }

  pull(max: number): Pulled<F> {
    this.#max = max;
    const answer = this.#work();
    if (answer !== undefined) return answer;
    return new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  close(reason: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#last ??= END;
    this.#upstream.close(reason);
    this.#rejects.close();
    this.#abandon(this.#kept + this.#burst.length - this.#at);
  }

  /** Works until there is something to answer; `undefined` where it waits, and goes on in `#resume`. */
  #work(): Answer<F> | undefined {
    for (;;) {
      if (this.#last !== undefined) return this.#last;
      if (this.#behind !== undefined) return this.#passOn(this.#behind);
      if (this.#at < this.#burst.length) {
        if (!this.#decide()) return undefined;
        continue;
      }
      if (this.#kept > 0) return this.#hand();
      const pulled = this.#upstream.pull(this.#max);
      if (isLater(pulled)) {
        pulled.then(this.#onAnswer);
        return undefined;
      }
      this.#accept(pulled);
    }
  }

  /** Decides on the flights of the burst up to the next impossible one, and on that; whether to go on at once. */
  #decide(): boolean {
    const burst = this.#burst;
    let at = this.#at;
    let kept = this.#kept;
    let fault: ReturnType<typeof flightFault>;
    for (; at < burst.length; at++) {
      const flight = burst[at] as F;
      fault = flightFault(flight);
      if (fault !== undefined) break;
      if (kept < at) burst[kept] = flight;
      kept++;
    }
    this.#at = at;
    this.#kept = kept;
    return fault === undefined || this.#reject(fault);
  }

  #reject(fault: string): boolean {
    const { counts } = this.#context;
    const index = counts.in - this.#burst.length + this.#at;
    const taken = this.#rejects.take(fault, index, this.#burst[this.#at] as F);
    if (taken instanceof Promise) {
      taken.then((failure) => {
        if (this.#isClosed) return;
        this.#dealtWith(failure);
        if (spend(1)) whenMyTurn(this.#resume);
        else this.#resume();
      });
      return false;
    }
    this.#dealtWith(taken);
    return true;
  }

  #dealtWith(failure: Failure | undefined): void {
    if (failure === undefined) {
      this.#at++;
      this.#context.inside(-this.#context.weight);
      return;
    }
    this.#behind = failure;
    this.#abandon(this.#burst.length - this.#at);
    this.#burst.length = this.#kept;
    this.#at = this.#kept;
  }

  #passOn(behind: Mark | Failure | typeof END): Answer<F> {
    if (this.#kept > 0) return this.#hand();
    if (behind instanceof Mark) this.#behind = undefined;
    else this.#last = behind;
    return behind;
  }

  #hand(): F[] {
    const burst = this.#burst;
    burst.length = this.#kept;
    this.#context.counts.out += burst.length;
    this.#burst = [];
    this.#at = 0;
    this.#kept = 0;
    return burst;
  }

  #accept(answer: Answer<F>): void {
    if (!Array.isArray(answer)) {
      this.#behind = answer;
      return;
    }
    this.#context.counts.in += answer.length;
    if (this.#isClosed) return this.#abandon(answer.length);
    // The burst is this stage's own; nobody else looks at it.
    this.#burst = answer;
    this.#at = 0;
    this.#kept = 0;
  }

  readonly #onAnswer = (answer: Answer<F>): void => {
    this.#accept(answer);
    this.#resume();
  };

  readonly #resume = (): void => {
    const answer = this.#work();
    if (answer === undefined) return;
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(answer);
  };

  #abandon(flights: number): void {
    this.#context.counts.abandoned += flights;
    this.#context.inside(-flights * this.#context.weight);
  }
}
