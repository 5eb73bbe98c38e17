import type { Timer } from '../../clock.js';
import { type Answer, Mark, type Puller } from '../../engine/answer.js';
import type { StageContext } from '../../engine/context.js';
import { openPair } from '../../engine/pair.js';
import { ReadAhead } from '../../engine/read-ahead.js';
import { type Stage, stageOf } from '../../engine/stage.js';
import { checkCount, checkOptions, checkPeriodMs } from '../../internal/arguments.js';
import { Fifo } from '../../internal/fifo.js';

/** How long items wait, and how many of them may. */
export interface DelayOptions {
  /** How long each item waits in milliseconds, above 0. */
  readonly delayMs: number;
  /** How many items may wait, 1 or more. Default: without limit, and the stage has no bound. */
  readonly maxItems?: number;
  /** What the stage is called in errors, plans and figures. Default: `'delay'`. */
  readonly name?: string;
}

/**
 * Hands on each item `delayMs` after it came, so that the times between them stay: what RxJS calls `delay`.
 *
 * Contract
 * - Order: kept.
 * - Holds: at most `maxItems` items; without it all that come within `delayMs`, which has no bound.
 * - Backpressure: reads on while the consumer is busy, until `maxItems` wait.
 * - Failure: an upstream error, as the end, is passed on when all items before it have been; a mark when its time has come too.
 * - Cancel: cancelling downstream cancels upstream with the same reason; what waits is counted as abandoned.
 *
 * @typeParam T - What passes.
 * @param options - `delayMs`, `maxItems` (default: without limit), `name` (default `'delay'`).
 * @returns A stage from `T` to `T`.
 * @throws RangeError `ERR_CORE_ARGUMENT` when an option is out of range.
 * @remarks Elsewhere: RxJS `delay`; Rust `delay` of `futures-time`; Akka `delay`; Node –.
 * @see https://rxjs.dev/api/operators/delay
 *
 * @example Give a correction the time to come
 * ```ts
 * assert.deepEqual(await from([1, 2]).pipeThrough(delay({ delayMs: 5, maxItems: 1_000 })).toArray(), [1, 2]);
 * ```
 */
export function delay<T>(options: DelayOptions): Stage<T, T> {
  checkOptions('delay()', options, ['delayMs', 'maxItems', 'name']);
  const { delayMs, maxItems = Number.POSITIVE_INFINITY, name = 'delay' } = options;
  checkPeriodMs('delay()', 'delayMs', delayMs);
  if (options.maxItems !== undefined) checkCount('delay()', 'maxItems', maxItems, 1);
  return stageOf(
    {
      type: 'operator',
      name,
      highWaterMark: 0,
      inService: maxItems,
      detail: 'waiting',
      keepsOrder: true,
      carries: true,
      weight: 'same',
      open: (upstream, context) => new Delay(upstream, context, delayMs, maxItems),
    },
    openPair,
  );
}

/** How many items it reads at once. */
const BURST = 256;

/** What came together. */
interface Arrival {
  readonly dueMs: number;
  what: unknown[] | Mark;
}

class Delay extends ReadAhead {
  readonly #delayMs: number;
  readonly #maxItems: number;
  readonly #arrivals = new Fifo<Arrival>();
  #waiting = 0;
  #timer: Timer | undefined;

  constructor(upstream: Puller<unknown>, context: StageContext, delayMs: number, maxItems: number) {
    super(upstream, context);
    this.#delayMs = delayMs;
    this.#maxItems = maxItems;
  }

  protected room(): number {
    return Math.min(this.#maxItems - this.#waiting, BURST);
  }

  protected add(items: unknown[]): void {
    this.#waiting += items.length;
    this.#arrive(items);
  }

  /** Takes its place among the items, so that those behind it need not wait for it. */
  protected override mark(mark: Mark): void {
    this.#arrive(mark);
  }

  protected next(max: number): Answer<unknown> | undefined {
    const { first } = this.#arrivals;
    if (first === undefined) return this.passOn();
    const waitMs = first.dueMs - this.context.clock.now();
    if (waitMs > 0) {
      this.#startTimer(waitMs);
      return undefined;
    }
    const { what } = first;
    if (what instanceof Mark || what.length <= max) {
      this.#arrivals.take(1);
      if (!(what instanceof Mark)) this.#waiting -= what.length;
      return what;
    }
    first.what = what.slice(max);
    this.#waiting -= max;
    return what.slice(0, max);
  }

  protected clear(): number {
    this.#timer?.clear();
    const items = this.#waiting;
    this.#arrivals.take(this.#arrivals.length);
    this.#waiting = 0;
    return items;
  }

  #arrive(what: unknown[] | Mark): void {
    this.#arrivals.push({ dueMs: this.context.clock.now() + this.#delayMs, what });
  }

  #startTimer(waitMs: number): void {
    if (this.#timer !== undefined) return;
    this.#timer = this.context.clock.setTimer(() => {
      this.#timer = undefined;
      this.hand();
    }, waitMs);
  }
}
