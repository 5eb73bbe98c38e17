import { type Clock, PipelineError, type Timer } from '@millrace/core';
import { checkMs, checkOptions } from '@millrace/core/authoring';
import { Patience, quiet } from './turn.js';

/** A timer that is set and has not fired. */
export interface PendingTimer {
  /** The time at which it fires. */
  readonly atMs: number;
  /** The time at which it was set. */
  readonly setAtMs: number;
}

/** A clock whose time moves only when it is told to. */
export interface VirtualClock extends Clock {
  /** How many timers are set and have not fired. */
  readonly pendingTimers: number;
  /** The timers that are set and have not fired, in the order in which they fire. */
  readonly timers: readonly PendingTimer[];
  /**
   * Moves the time forward: timers fire in the order of their times (those of one time in the order in which they were
   * set), each at its own time, and promise chains settle before the next one.
   */
  advance(ms: number): Promise<void>;
  /** Moves the time to the next timer, if there is one, and fires what is due then; says whether there was one. */
  advanceToNext(): Promise<boolean>;
  /** Lets promise chains settle; the time stands still. */
  settle(): Promise<void>;
  /** Resolves after `ms`: what a function under test waits with, instead of `setTimeout`. */
  sleep(ms: number): Promise<void>;
  /**
   * Moves the time from timer to timer until a promise has settled, and gives what it settled with.
   *
   * @param promise - What a run, or anything else under this clock, promised.
   * @param options - `withinMs`: how much virtual time may go by, default a day; `timeoutMs`: how long, in real
   *   milliseconds, something that is not under the clock may take while no timer is due, default 2,000.
   * @throws PipelineError `ERR_TESTKIT_HANGS` when it did not settle; the message lists the timers that are set.
   */
  until<T>(promise: PromiseLike<T>, options?: UntilOptions): Promise<T>;
}

/** How long {@link VirtualClock.until} waits. */
export interface UntilOptions {
  readonly withinMs?: number;
  readonly timeoutMs?: number;
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
 *
 * @example As much time as it takes
 * ```ts
 * import { from, mapAsync } from '@millrace/core';
 * const clock = virtualClock();
 * const slow = mapAsync((n: number) => clock.sleep(n * 1_000).then(() => n));
 * assert.deepEqual(await clock.until(from([3, 1]).pipeThrough(slow).toArray({ clock })), [3, 1]);
 * assert.equal(clock.now(), 4_000);
 * ```
 */
export function virtualClock(startMs: number = 0): VirtualClock {
  return new Virtual(startMs);
}

interface Due extends PendingTimer {
  readonly callback: () => void;
}

const DAY_MS = 86_400_000;

class Virtual implements VirtualClock {
  #nowMs: number;
  /** In the order in which they fire. */
  readonly #timers: Due[] = [];
  #isMoving = false;

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  get pendingTimers(): number {
    return this.#timers.length;
  }

  get timers(): readonly PendingTimer[] {
    return this.#timers.map(({ atMs, setAtMs }) => ({ atMs, setAtMs }));
  }

  now(): number {
    return this.#nowMs;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const setAtMs = this.#nowMs;
    const due = { atMs: setAtMs + Math.max(0, delayMs), setAtMs, callback };
    const behind = this.#timers.findIndex((timer) => timer.atMs > due.atMs);
    this.#timers.splice(behind < 0 ? this.#timers.length : behind, 0, due);
    return {
      clear: () => {
        const at = this.#timers.indexOf(due);
        if (at >= 0) this.#timers.splice(at, 1);
      },
    };
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.setTimer(resolve, ms);
    });
  }

  advance(ms: number): Promise<void> {
    return this.#move(ms, async () => {
      const endMs = this.#nowMs + ms;
      while (this.#timers[0] !== undefined && this.#timers[0].atMs <= endMs) await this.#fire();
      this.#nowMs = endMs;
    });
  }

  advanceToNext(): Promise<boolean> {
    return this.#move(0, async () => {
      const next = this.#timers[0];
      while (next !== undefined && this.#timers[0] !== undefined && this.#timers[0].atMs <= next.atMs) {
        await this.#fire();
      }
      return next !== undefined;
    });
  }

  settle(): Promise<void> {
    return quiet();
  }

  async until<T>(promise: PromiseLike<T>, options: UntilOptions = {}): Promise<T> {
    checkOptions('until()', options, ['withinMs', 'timeoutMs']);
    const { withinMs = DAY_MS, timeoutMs = 2000 } = options;
    checkMs('until()', 'withinMs', withinMs, 0);
    checkMs('until()', 'timeoutMs', timeoutMs, 0);
    const endMs = this.#nowMs + withinMs;
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    promise.then(settled, settled);
    const patience = new Patience(timeoutMs);
    for (await quiet(); !isSettled; await quiet()) {
      // Somebody else moves the time: another promise that is waited for.
      if (this.#isMoving) continue;
      const next = this.#timers[0];
      if (next === undefined || next.atMs > endMs) {
        if (patience.isOver()) throw this.#hangs(next === undefined ? 'no timer is set' : `${withinMs} ms went by`);
        continue;
      }
      await this.advanceToNext();
      patience.renew();
    }
    return promise;
  }

  async #move<T>(ms: number, fire: () => Promise<T>): Promise<T> {
    if (!(ms >= 0)) {
      const message = `Cannot advance the clock: ms is ${ms} (must be a number of milliseconds, 0 or more)`;
      throw new PipelineError('ERR_TESTKIT_ARGUMENT', message);
    }
    if (this.#isMoving) {
      const message = 'Cannot advance the clock: it is being advanced (must be awaited first, outside of its timers)';
      throw new PipelineError('ERR_TESTKIT_ARGUMENT', message);
    }
    this.#isMoving = true;
    try {
      await quiet();
      return await fire();
    } finally {
      this.#isMoving = false;
    }
  }

  async #fire(): Promise<void> {
    const due = this.#timers.shift() as Due;
    this.#nowMs = Math.max(this.#nowMs, due.atMs);
    due.callback();
    await quiet();
  }

  #hangs(why: string): PipelineError {
    const set = this.#timers.map(({ atMs, setAtMs }) => `one for ${atMs} ms, set at ${setAtMs} ms`);
    const timers = set.length === 0 ? '' : `; timers: ${set.join(', ')}`;
    const what = `at ${this.#nowMs} ms it is still pending, and ${why}${timers}`;
    return new PipelineError('ERR_TESTKIT_HANGS', `Cannot wait for the promise: ${what} (must settle)`);
  }
}
