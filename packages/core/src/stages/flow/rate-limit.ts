import type { Timer } from '../../clock.js';
import { type Answer, END, isLater, type Pulled, type Puller } from '../../engine/answer.js';
import { plain, within } from '../../engine/carried.js';
import type { StageContext } from '../../engine/context.js';
import { Later, whenAnswered } from '../../engine/later.js';
import { type Rate, RateBudget } from '../../engine/rate-budget.js';
import type { Stage } from '../../engine/stage.js';
import { checkFunction, checkOptions } from '../../internal/arguments.js';
import { type EdgeOptions, edgeMark } from '../edge-options.js';
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
}

/**
 * Lets no more than `limit` items pass in `intervalMs`, evenly spread, and `burst` at once after a pause: a token bucket.
 * It slows down what is before it and drops nothing.
 *
 * Contract
 * - Order: kept. Stages that share a budget take turns, in the order in which their items came.
 * - Holds: the one item that waits for its time.
 * - Backpressure: reads an item when it is asked for one, and none while one waits.
 * - Failure: `cost` throwing, or giving what is no finite number of 0 or more, fails the pipeline at that item.
 * - Cancel: cancelling downstream cancels upstream with the same reason; the item that waits is counted as abandoned, and
 *   its share of the limit is spent.
 *
 * Nothing drifts: in any time *t* in which items wait, *t* / `intervalMs` × `limit` pass, and `burst` more. Where a timer is
 * late, by up to 20 ms, the items behind it make up for that. An item that costs more than `burst` passes when the bucket is full, and those
 * behind it wait the longer.
 *
 * @typeParam T - What passes.
 * @param rate - `limit`, `intervalMs` and `burst` (default 1), or what `rateBudget()` made of them, to be shared.
 * @param options - `cost` (default: 1 each), `highWaterMark` (default 0) with `size`, `name` (default `'rateLimit'`).
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
  checkOptions('rateLimit()', options, ['name', 'cost', 'highWaterMark', 'size']);
  const { name = 'rateLimit', cost } = options;
  if (cost !== undefined) checkFunction('rateLimit()', 'cost', cost);
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
      return new RateLimit(upstream, context, budget, cost);
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
  #timer: Timer | undefined;
  /** How late the last timer was: items wait as if they had been asked for in time. */
  #lateMs = 0;
  #last: Answer<T> | undefined;
  readonly #later = new Later<T>();

  constructor(upstream: Puller<T>, context: StageContext, budget: RateBudget, cost: ((item: T) => number) | undefined) {
    this.#upstream = upstream;
    this.#context = context;
    this.#budget = budget;
    this.#cost = cost;
  }

  pull(): Pulled<T> {
    if (this.#last !== undefined) return this.#last;
    const pulled = this.#upstream.pull(1);
    if (!isLater(pulled)) return this.#accept(pulled) ?? this.#later.owe();
    this.#later.owe();
    whenAnswered(pulled, this.#onAnswer);
    return this.#later.now();
  }

  close(reason: unknown): void {
    if (this.#last === END) return;
    this.#last = END;
    this.#upstream.close(reason);
    if (this.#timer === undefined) return;
    this.#timer.clear();
    this.#timer = undefined;
    this.#abandon();
  }

  readonly #onAnswer = (answer: Answer<T>): void => {
    const accepted = this.#accept(answer);
    if (accepted !== undefined) this.#later.give(accepted);
  };

  /** What to answer now; nothing where the item has to wait. */
  #accept(answer: Answer<T>): Answer<T> | undefined {
    if (!Array.isArray(answer)) return answer;
    const { counts, clock, enteredBefore } = this.#context;
    counts.in++;
    if (this.#last !== undefined) {
      this.#abandon();
      return this.#last;
    }
    const nowMs = clock.now();
    try {
      const dueMs = this.#budget.take(this.#costOf(answer[0] as T), nowMs - this.#lateMs);
      // `cost` may have ended the run.
      if (this.#last === undefined && dueMs > nowMs) return this.#wait(answer, dueMs, nowMs);
    } catch (error) {
      this.#last ??= this.#context.failure(error, enteredBefore + counts.in - 1);
    }
    if (this.#last === undefined) return this.#pass(answer);
    this.#abandon();
    return this.#last;
  }

  #wait(answer: T[], dueMs: number, nowMs: number): undefined {
    const { clock } = this.#context;
    this.#timer = clock.setTimer(() => {
      this.#timer = undefined;
      const lateMs = clock.now() - dueMs;
      this.#lateMs = lateMs > MOST_LATE_MS ? 0 : Math.max(0, lateMs);
      this.#later.give(this.#pass(answer));
    }, dueMs - nowMs);
  }

  #pass(answer: T[]): T[] {
    this.#context.counts.out++;
    return answer;
  }

  #costOf(item: T): number {
    if (this.#cost === undefined) return 1;
    const costOf = this.#cost;
    const cost: unknown = this.#context.carries ? within(item, () => costOf(plain(item) as T)) : costOf(item);
    if (typeof cost === 'number' && Number.isFinite(cost) && cost >= 0) return cost;
    throw new RangeError(`cost returned ${String(cost)} (must be a finite number of 0 or more)`);
  }

  #abandon(): void {
    this.#context.counts.abandoned++;
    this.#context.inside(-this.#context.weight);
  }
}
