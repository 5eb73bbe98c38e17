import type { Timer } from '../../clock.js';
import { type Answer, END, type Failure, isLater, type Pulled, type Puller } from '../../engine/answer.js';
import { spend, whenMyTurn } from '../../engine/budget.js';
import { plain, within } from '../../engine/carried.js';
import type { StageContext } from '../../engine/context.js';
import { ItemErrors, WRITING } from '../../engine/item-errors.js';
import { Later, whenAnswered } from '../../engine/later.js';
import { type Rate, RateBudget } from '../../engine/rate-budget.js';
import type { ErrorPolicy } from '../../engine/rejects.js';
import type { Stage } from '../../engine/stage.js';
import { checkFunction, checkOptions, wrongType } from '../../internal/arguments.js';
import { type EdgeOptions, edgeMark } from '../edge-options.js';
import { checkPolicy } from '../fault/fallback.js';
import { operator } from '../operator.js';
import { budgetOf } from './rate-budget.js';

/**
 * What an item costs, and how many may wait before the stage.
 *
 * @typeParam T - What passes.
 */
export interface RateLimitOptions<T> extends EdgeOptions<NoInfer<T>> {
  /** What the stage is called in errors, plans and figures. Default: `'rateLimit'`. */
  readonly name?: string;
  /** How much of the limit an item takes: a finite number of 0 or more. Default: 1 each. */
  readonly cost?: (item: T) => number;
  /**
   * What becomes of an item on which `cost` fails: `'fail'` fails the run, `'skip'` leaves it out, `deadLetter(writable)`
   * writes it to a stream, which the stage waits for, and `fallback(fn)` gives another cost. Default: `'fail'`.
   */
  readonly onError?: ErrorPolicy<NoInfer<T>, number>;
}

/**
 * Lets no more than `limit` items pass in `intervalMs`, evenly spread, and `burst` at once after a pause: a token bucket.
 * It slows down what is before it and drops nothing.
 *
 * Contract
 * - Order: kept. Stages that share a budget take turns, in the order in which their items came.
 * - Holds: the one item that waits for its time.
 * - Backpressure: reads an item when it is asked for one, and none while one waits.
 * - Failure: `cost` throwing, or giving what is no finite number of 0 or more, is dealt with as `onError` says: by default it
 *   fails the pipeline at that item. One that is left out takes nothing of the limit.
 * - Cancel: cancelling downstream cancels upstream with the same reason; the item that waits is counted as abandoned, and
 *   its share of the limit is spent.
 *
 * Nothing drifts: in any time *t* in which items wait, *t* / `intervalMs` × `limit` pass, and `burst` more. Where a timer is
 * late, by up to 20 ms, the items behind it make up for that. An item that costs more than `burst` passes when the bucket is full, and those
 * behind it wait the longer.
 *
 * @typeParam T - What passes.
 * @param rate - `limit`, `intervalMs` and `burst` (default 1), or what `rateBudget()` made of them, to be shared.
 * @param options - `cost` (default: 1 each), `onError` for it (default `'fail'`), `highWaterMark` (default 0) with `size`, `name`
 *   (default `'rateLimit'`).
 * @returns A stage from `T` to `T`.
 * @throws RangeError `ERR_CORE_ARGUMENT` when a number is out of range.
 * @remarks Elsewhere: RxJS –; Rust `throttle`; Akka `throttle`; Node –.
 * @see https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
 *
 * @example Ten calls a second, three of them at once after a pause
 * ```ts
 * const calls = from(['a', 'b', 'c']).pipeThrough(rateLimit({ limit: 10, intervalMs: 1_000, burst: 3 }));
 * assert.deepEqual(await calls.toArray(), ['a', 'b', 'c']);
 * ```
 *
 * @example A megabyte a second
 * ```ts
 * const bytes = { limit: 1_000_000, intervalMs: 1_000, burst: 65_536 };
 * const upload = from([new Uint8Array(1_000)]).pipeThrough(rateLimit(bytes, { cost: (chunk) => chunk.byteLength }));
 * assert.equal(await upload.count(), 1);
 * ```
 */
export function rateLimit<T>(rate: Rate | RateBudget, options: RateLimitOptions<T> = {}): Stage<T, T> {
  const own = budgetOf('rateLimit()', rate);
  checkOptions('rateLimit()', options, ['name', 'cost', 'onError', 'highWaterMark', 'size']);
  const { name = 'rateLimit', cost, onError } = options;
  if (cost !== undefined) checkFunction('rateLimit()', 'cost', cost);
  if (onError !== undefined) checkPolicy('rateLimit()', onError);
  if (onError !== undefined && cost === undefined)
    throw wrongType('rateLimit()', 'onError', onError, 'left out without cost, which it is about');
  const { highWaterMark = 0, size } = edgeMark('rateLimit()', options) ?? {};
  return operator<T, T>({
    name,
    highWaterMark,
    size,
    inService: 1,
    detail: 'waiting',
    keepsOrder: true,
    carries: true,
    open(upstream, context) {
      // Each run has its own where none is shared.
      const budget = rate instanceof RateBudget ? rate : new RateBudget(own);
      return new RateLimit(upstream, context, budget, cost, onError);
    },
  });
}

/** A timer that is later than this has lost the time: the thread was busy, or the machine asleep. */
const MOST_LATE_MS = 20;

class RateLimit<T> implements Puller<T> {
  readonly #upstream: Puller<T>;
  readonly #context: StageContext;
  readonly #budget: RateBudget;
  readonly #cost: ((item: T) => number) | undefined;
  readonly #errors: ItemErrors;
  #timer: Timer | undefined;
  /** How late the last timer was: items wait as if they had been asked for in time. */
  #lateMs = 0;
  #last: Failure | typeof END | undefined;
  readonly #later = new Later<T>();

  constructor(
    upstream: Puller<T>,
    context: StageContext,
    budget: RateBudget,
    cost: ((item: T) => number) | undefined,
    onError: ErrorPolicy<T, number> | undefined,
  ) {
    this.#upstream = upstream;
    this.#context = context;
    this.#budget = budget;
    this.#cost = cost;
    this.#errors = new ItemErrors(onError, context, (failure) => {
      if (this.#isLost(failure)) this.#read();
    });
  }

  pull(): Pulled<T> {
    this.#later.owe();
    this.#read();
    return this.#later.now();
  }

  close(reason: unknown): void {
    if (this.#last === END) return;
    this.#last = END;
    this.#upstream.close(reason);
    if (this.#errors.close()) this.#context.inside(-this.#context.weight);
    if (this.#timer === undefined) return;
    this.#timer.clear();
    this.#timer = undefined;
    this.#context.counts.abandoned++;
    this.#context.inside(-this.#context.weight);
  }

  /** Reads an item, and others in place of those that are left out. */
  readonly #read = (): void => {
    for (let isNext = true; isNext; ) {
      if (this.#last !== undefined) return this.#later.give(this.#last);
      const pulled = this.#upstream.pull(1);
      if (isLater(pulled)) return whenAnswered(pulled, this.#onAnswer);
      isNext = this.#accept(pulled);
      if (isNext && spend(1)) return whenMyTurn(this.#read);
    }
  };

  readonly #onAnswer = (answer: Answer<T>): void => {
    if (this.#accept(answer)) this.#read();
  };

  /** Answers, or lets the item wait; says whether it is left out instead. */
  #accept(answer: Answer<T>): boolean {
    if (Array.isArray(answer)) return this.#isLeftOut(answer);
    this.#later.give(answer);
    return false;
  }

  #isLeftOut(answer: T[]): boolean {
    const { counts, clock, enteredBefore } = this.#context;
    const index = enteredBefore + counts.in++;
    if (this.#last !== undefined) return this.#end(this.#last);
    const nowMs = clock.now();
    try {
      const dueMs = this.#budget.take(this.#costOf(answer[0] as T, index), nowMs - this.#lateMs);
      // `cost` may have ended the run.
      if (this.#last !== undefined) return this.#end(this.#last);
      if (dueMs > nowMs) this.#wait(answer, dueMs, nowMs);
      else this.#pass(answer);
      return false;
    } catch (error) {
      const taken = this.#errors.take(error, index, answer[0]);
      return taken !== WRITING && this.#isLost(taken);
    }
  }

  /** Whether an item that was rejected is dealt with, and did not end the run. */
  #isLost(failure: Failure | undefined): boolean {
    this.#last ??= failure;
    if (this.#last !== undefined && failure !== undefined) return this.#end(this.#last);
    this.#context.inside(-this.#context.weight);
    return true;
  }

  #wait(answer: T[], dueMs: number, nowMs: number): void {
    const { clock } = this.#context;
    this.#timer = clock.setTimer(() => {
      this.#timer = undefined;
      const lateMs = clock.now() - dueMs;
      this.#lateMs = lateMs > MOST_LATE_MS ? 0 : Math.max(0, lateMs);
      this.#pass(answer);
    }, dueMs - nowMs);
  }

  #pass(answer: T[]): void {
    this.#context.counts.out++;
    this.#later.give(answer);
  }

  #costOf(item: T, index: number): number {
    const costOf = this.#cost;
    if (costOf === undefined) return 1;
    try {
      return checked(this.#context.carries ? within(item, () => costOf(plain(item) as T)) : costOf(item));
    } catch (error) {
      return checked(this.#errors.instead(error, index, item));
    }
  }

  /** Answers with what the run ends with; the item goes no further. */
  #end(last: Failure | typeof END): false {
    this.#context.counts.abandoned++;
    this.#context.inside(-this.#context.weight);
    this.#later.give(last);
    return false;
  }
}

function checked(cost: unknown): number {
  if (typeof cost === 'number' && Number.isFinite(cost) && cost >= 0) return cost;
  throw new RangeError(`cost returned ${String(cost)} (must be a finite number of 0 or more)`);
}
