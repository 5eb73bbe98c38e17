import type { Pace } from '../../engine/latest.js';
import type { Stage } from '../../engine/stage.js';
import { checkBoolean, checkOptions, checkPeriodMs, outOfRange } from '../../internal/arguments.js';
import { latestBy } from './latest-by.js';

/** How long other items are dropped, and which of them are not. */
export interface ThrottleOptions {
  /** How long items are held back from the one that was handed on, in milliseconds, above 0. */
  readonly intervalMs: number;
  /** Whether the item that comes when none are held back is handed on, at once. Default: `true`. */
  readonly leading?: boolean;
  /** Whether the last of those that are held back is handed on at the end of their interval. Default: `false`. */
  readonly trailing?: boolean;
  /** What the stage is called in errors, plans and figures. Default: `'throttle'`. */
  readonly name?: string;
}

/**
 * Hands on an item and drops those that come within `intervalMs` behind it, or all but the last of those: what RxJS calls
 * `throttleTime`. To slow items down and drop none there is `rateLimit()`.
 *
 * Contract
 * - Order: kept. Items that came too soon are missing, counted as dropped. Each item that is handed on, the trailing one
 *   too, begins an interval.
 * - Holds: two items, one that waits for its time and one for the consumer, and the burst of at most 64 that it looks at.
 * - Backpressure: none: it reads on while the consumer is busy. An item whose time comes while one still waits takes its
 *   place, and that is dropped.
 * - Failure: an upstream error, as the end and every mark, comes at once behind the item that waits for its time.
 * - Cancel: cancelling downstream cancels upstream with the same reason; what waits is counted as abandoned.
 *
 * @typeParam T - What passes.
 * @param options - `intervalMs`, `leading` (default `true`), `trailing` (default `false`), `name` (default `'throttle'`).
 * @returns A stage from `T` to `T`.
 * @throws RangeError `ERR_CORE_ARGUMENT` when `intervalMs` is out of range, or neither a leading nor a trailing item is asked for.
 * @remarks Elsewhere: RxJS `throttleTime`; Rust `throttle` of `futures-time`; Akka –; Node –.
 * @see https://rxjs.dev/api/operators/throttleTime
 *
 * @example The first and the last of what comes at once
 * ```ts
 * const moves = from([1, 2, 3]).pipeThrough(throttle({ intervalMs: 50, trailing: true }));
 * assert.deepEqual(await moves.toArray(), [1, 3]);
 * ```
 */
export function throttle<T>(options: ThrottleOptions): Stage<T, T> {
  checkOptions('throttle()', options, ['intervalMs', 'leading', 'trailing', 'name']);
  const { intervalMs, leading = true, trailing = false, name = 'throttle' } = options;
  checkPeriodMs('throttle()', 'intervalMs', intervalMs);
  checkBoolean('throttle()', 'leading', leading);
  checkBoolean('throttle()', 'trailing', trailing);
  if (!leading && !trailing) throw outOfRange('throttle()', 'trailing', trailing, 'true where leading is false');
  return latestBy(name, () => new Window(intervalMs, leading, trailing));
}

class Window implements Pace {
  readonly #intervalMs: number;
  readonly #isLeading: boolean;
  readonly #isTrailing: boolean;
  #endsMs = Number.NEGATIVE_INFINITY;

  constructor(intervalMs: number, isLeading: boolean, isTrailing: boolean) {
    this.#intervalMs = intervalMs;
    this.#isLeading = isLeading;
    this.#isTrailing = isTrailing;
  }

  dueMs(nowMs: number): number | undefined {
    const isInside = nowMs < this.#endsMs;
    if (!isInside && this.#isLeading) return nowMs;
    if (!isInside) this.#endsMs = nowMs + this.#intervalMs;
    return this.#isTrailing ? this.#endsMs : undefined;
  }

  handed(nowMs: number): void {
    this.#endsMs = nowMs + this.#intervalMs;
  }
}
