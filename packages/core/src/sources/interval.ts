import type { Clock, Timer } from '../clock.js';
import { readerSource } from '../engine/reader-source.js';
import type { SourceReader } from '../engine/spec.js';
import { checkPeriodMs } from '../internal/arguments.js';
import { Pipeline } from '../pipeline.js';

/**
 * Begins a pipeline with a count that goes up in equal times: 0 after `intervalMs`, 1 after twice that, …
 *
 * A tick that nobody asks for in time is handed on late, once; ticks that were missed besides are left out, and later ones
 * keep to the times they would have had.
 *
 * @param intervalMs - The time between ticks in milliseconds, above 0.
 * @returns A pipeline of 0, 1, 2 …; each run begins anew. Its timer is gone when the run is.
 * @throws RangeError `ERR_CORE_ARGUMENT` when `intervalMs` is not a finite number above 0.
 * @remarks Elsewhere: RxJS `interval`; Rust `IntervalStream`; Akka `Source.tick`; Node `setInterval` of `timers/promises`.
 *
 * @example Three ticks
 * ```ts
 * assert.deepEqual(await interval(1).pipeThrough(take(3)).toArray(), [0, 1, 2]);
 * ```
 */
export function interval(intervalMs: number): Pipeline<number> {
  checkPeriodMs('interval()', 'intervalMs', intervalMs);
  return new Pipeline(readerSource('interval', (context) => new IntervalReader(context.clock, intervalMs)));
}

class IntervalReader implements SourceReader<number> {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  #dueMs: number;
  #count = 0;
  #timer: Timer | undefined;
  #settle: ((items: readonly number[] | undefined) => void) | undefined;

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#dueMs = clock.now() + intervalMs;
  }

  read(): readonly number[] | Promise<readonly number[] | undefined> {
    const waitMs = this.#dueMs - this.#clock.now();
    if (waitMs <= 0) return this.#tick();
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#timer = this.#clock.setTimer(() => resolve(this.#tick()), waitMs);
    });
  }

  close(): void {
    this.#timer?.clear();
  }

  drain(): void {
    this.#timer?.clear();
    this.#settle?.(undefined);
  }

  #tick(): readonly number[] {
    this.#timer = undefined;
    const lateMs = Math.max(0, this.#clock.now() - this.#dueMs);
    this.#dueMs += this.#intervalMs * (1 + Math.floor(lateMs / this.#intervalMs));
    return [this.#count++];
  }
}
