import type { Pace } from '../../engine/latest.js';
import type { Stage } from '../../engine/stage.js';
import { checkOptions, checkPeriodMs } from '../../internal/arguments.js';
import { latestBy } from './latest-by.js';

/** How often an item is taken. */
export interface SampleOptions {
  /** The time from one sample to the next in milliseconds, above 0; counted from the beginning of the run, without drift. */
  readonly intervalMs: number;
  /** What the stage is called in errors, plans and figures. Default: `'sample'`. */
  readonly name?: string;
}

/**
 * Hands on the latest item every `intervalMs`, where a new one has come since the last time: what RxJS calls `sampleTime`.
 * Unlike there, the last item is not lost at the end.
 *
 * Contract
 * - Order: kept. Items that another one followed before the next sample are missing, counted as dropped.
 * - Holds: two items, one that waits for its time and one for the consumer, and the burst of at most 64 that it looks at.
 * - Backpressure: none: it reads on while the consumer is busy. A sample that is due while one still waits takes its
 *   place, and that is dropped.
 * - Failure: an upstream error, as the end and every mark, comes at once behind the item that waits for its time.
 * - Cancel: cancelling downstream cancels upstream with the same reason; what waits is counted as abandoned.
 *
 * @typeParam T - What passes.
 * @param options - `intervalMs`, `name` (default `'sample'`).
 * @returns A stage from `T` to `T`.
 * @throws RangeError `ERR_CORE_ARGUMENT` when `intervalMs` is out of range.
 * @remarks Elsewhere: RxJS `sampleTime`; Rust `sample` of `futures-time`; Akka –; Node –.
 * @see https://rxjs.dev/api/operators/sampleTime
 *
 * @example The position once a second
 * ```ts
 * const positions = from([[0, 0], [1, 2], [3, 4]]).pipeThrough(sample({ intervalMs: 1_000 }));
 * assert.deepEqual(await positions.toArray(), [[3, 4]]);
 * ```
 */
export function sample<T>(options: SampleOptions): Stage<T, T> {
  checkOptions('sample()', options, ['intervalMs', 'name']);
  const { intervalMs, name = 'sample' } = options;
  checkPeriodMs('sample()', 'intervalMs', intervalMs);
  return latestBy(name, (startMs) => new Ticks(startMs, intervalMs));
}

class Ticks implements Pace {
  readonly #startMs: number;
  readonly #intervalMs: number;

  constructor(startMs: number, intervalMs: number) {
    this.#startMs = startMs;
    this.#intervalMs = intervalMs;
  }

  /** The next of the times that are multiples of the interval from the start. */
  dueMs(nowMs: number): number {
    const passed = Math.floor((nowMs - this.#startMs) / this.#intervalMs);
    return this.#startMs + (passed + 1) * this.#intervalMs;
  }
}
