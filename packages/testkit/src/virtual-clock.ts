import { type Clock, PipelineError, type Timer } from '@millrace/core';
import { quiet } from './turn.js';

/** A clock whose time moves only when it is told to. */
export interface VirtualClock extends Clock {
  /** How many timers are set and have not fired. */
  readonly pendingTimers: number;
  /**
   * Moves the time forward: timers fire in the order of their times (those of one time in the order in which they were
   * set), each at its own time, and promise chains settle before the next one.
   */
  advance(ms: number): Promise<void>;
  /** Moves the time to the next timer, if there is one, and fires what is due then; says whether there was one. */
  advanceToNext(): Promise<boolean>;
  /** Lets promise chains settle; the time stands still. */
  settle(): Promise<void>;
}

/**
 * Makes a clock for the `clock` option of a run, so that a test decides what time it is and never sleeps.
 *
 * @param startMs - What `now()` gives at first. Default: 0.
 * @returns The clock.
 *
 * @example An hour in no time
 * ```ts
 * import { interval, take } from '@millrace/core';
 * const clock = virtualClock();
 * const ticks = interval(60_000).pipeThrough(take(60)).count({ clock });
 * await clock.advance(3_600_000);
 * assert.equal(await ticks, 60);
 * assert.equal(clock.pendingTimers, 0);
 * ```
 */
export function virtualClock(startMs: number = 0): VirtualClock {
  return new Virtual(startMs);
}

interface Due {
  readonly atMs: number;
  readonly callback: () => void;
}

class Virtual implements VirtualClock {
  #nowMs: number;
  /** In the order in which they fire. */
  readonly #timers: Due[] = [];

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  get pendingTimers(): number {
    return this.#timers.length;
  }

  now(): number {
    return this.#nowMs;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const due = { atMs: this.#nowMs + Math.max(0, delayMs), callback };
    const behind = this.#timers.findIndex((timer) => timer.atMs > due.atMs);
    this.#timers.splice(behind < 0 ? this.#timers.length : behind, 0, due);
    return {
      clear: () => {
        const at = this.#timers.indexOf(due);
        if (at >= 0) this.#timers.splice(at, 1);
      },
    };
  }

  async advance(ms: number): Promise<void> {
    if (!(ms >= 0)) {
      const message = `Cannot advance the clock: ms is ${ms} (must be a number of milliseconds, 0 or more)`;
      throw new PipelineError('ERR_TESTKIT_ARGUMENT', message);
    }
    const endMs = this.#nowMs + ms;
    await quiet();
    while (this.#timers[0] !== undefined && this.#timers[0].atMs <= endMs) await this.#fire();
    this.#nowMs = endMs;
  }

  async advanceToNext(): Promise<boolean> {
    await quiet();
    const next = this.#timers[0];
    if (next === undefined) return false;
    await this.advance(next.atMs - this.#nowMs);
    return true;
  }

  settle(): Promise<void> {
    return quiet();
  }

  async #fire(): Promise<void> {
    const due = this.#timers.shift() as Due;
    this.#nowMs = Math.max(this.#nowMs, due.atMs);
    due.callback();
    await quiet();
  }
}
