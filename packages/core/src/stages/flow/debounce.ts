import type { Pace } from '../../engine/latest.js';
import type { Stage } from '../../engine/stage.js';
import { checkMs, checkOptions, checkPeriodMs } from '../../internal/arguments.js';
import { latestBy } from './latest-by.js';

/** How long it must be quiet. */
export interface DebounceOptions {
  /** How long no other item may come before one is handed on, in milliseconds, above 0. */
  readonly waitMs: number;
  /**
   * After how long, from the first item on that was not handed on, the latest is handed on all the same: in milliseconds,
   * `waitMs` or more. Default: without limit.
   */
  readonly maxWaitMs?: number;
  /** What the stage is called in errors, plans and figures. Default: `'debounce'`. */
  readonly name?: string;
}

/**
 * Hands on an item once no other has come for `waitMs`, and drops those that another one followed sooner: what RxJS calls
 * `debounceTime`.
 *
 * Contract
 * - Order: kept. Items that another one followed too soon are missing, counted as dropped.
 * - Holds: two items, one that waits for its time and one for the consumer, and the burst of at most 64 that it looks at.
 * - Backpressure: none: it reads on while the consumer is busy. An item whose time comes while one still waits takes its
 *   place, and that is dropped.
 * - Failure: an upstream error, as the end and every mark, comes at once behind the item that waits for its time.
 * - Cancel: cancelling downstream cancels upstream with the same reason; what waits is counted as abandoned.
 *
 * @typeParam T - What passes.
 * @param options - `waitMs`, `maxWaitMs` (default: without limit), `name` (default `'debounce'`).
 * @returns A stage from `T` to `T`.
 * @throws RangeError `ERR_CORE_ARGUMENT` when a time is out of range.
 * @remarks Elsewhere: RxJS `debounceTime`; Rust `debounce` of `futures-time`; Akka –; Node –.
 * @see https://rxjs.dev/api/operators/debounceTime
 *
 * @example Ask when the typing stops
 * ```ts
 * const typed = from(['m', 'mi', 'mil']).pipeThrough(debounce({ waitMs: 200 }));
 * assert.deepEqual(await typed.toArray(), ['mil']);
 * ```
 */
export function debounce<T>(options: DebounceOptions): Stage<T, T> {
  checkOptions('debounce()', options, ['waitMs', 'maxWaitMs', 'name']);
  const { waitMs, maxWaitMs = Number.POSITIVE_INFINITY, name = 'debounce' } = options;
  checkPeriodMs('debounce()', 'waitMs', waitMs);
  if (options.maxWaitMs !== undefined) checkMs('debounce()', 'maxWaitMs', maxWaitMs, waitMs);
  return latestBy(name, () => new Quiet(waitMs, maxWaitMs));
}

class Quiet implements Pace {
  readonly #waitMs: number;
  readonly #maxWaitMs: number;
  /** When the first item came that was not handed on. */
  #firstMs: number | undefined;

  constructor(waitMs: number, maxWaitMs: number) {
    this.#waitMs = waitMs;
    this.#maxWaitMs = maxWaitMs;
  }

  dueMs(nowMs: number): number {
    this.#firstMs ??= nowMs;
    return Math.min(nowMs + this.#waitMs, this.#firstMs + this.#maxWaitMs);
  }

  handed(): void {
    this.#firstMs = undefined;
  }
}
