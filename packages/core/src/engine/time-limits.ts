import type { Clock, Timer } from '../clock.js';
import { PipelineError } from '../errors.js';

/** How many times in `idleTimeoutMs` a run is looked at. */
const LOOKS = 4;

/** Ends a run that takes too long, or in which nothing moves. */
export class TimeLimits {
  readonly #clock: Clock;
  readonly #fail: (error: PipelineError) => void;
  readonly #timers = new Set<Timer>();

  constructor(clock: Clock, fail: (error: PipelineError) => void) {
    this.#clock = clock;
    this.#fail = fail;
  }

  /** Lets the run take so long in all. */
  limit(timeoutMs: number): void {
    this.#after(timeoutMs, () => this.#fail(tookTooLong(`it took longer than ${timeoutMs} ms`)));
  }

  /** Lets nothing move for so long: `progress` changes whenever something does. PERF: read a few times, and never told. */
  limitIdle(idleTimeoutMs: number, progress: () => number): void {
    let last = progress();
    let movedMs = this.#clock.now();
    const look = (): void => {
      const now = this.#clock.now();
      const moved = progress();
      if (moved !== last) {
        last = moved;
        movedMs = now;
      }
      if (now - movedMs >= idleTimeoutMs) return this.#fail(tookTooLong(`nothing moved for ${idleTimeoutMs} ms`));
      this.#after(Math.min(idleTimeoutMs / LOOKS, movedMs + idleTimeoutMs - now), look);
    };
    this.#after(idleTimeoutMs / LOOKS, look);
  }

  clear(): void {
    for (const timer of this.#timers) timer.clear();
    this.#timers.clear();
  }

  #after(delayMs: number, callback: () => void): void {
    const timer = this.#clock.setTimer(() => {
      this.#timers.delete(timer);
      callback();
    }, delayMs);
    this.#timers.add(timer);
  }
}

function tookTooLong(what: string): PipelineError {
  const error = new PipelineError('ERR_CORE_TIMEOUT', `Cannot finish the run: ${what}`);
  error.name = 'TimeoutError';
  return error;
}
