/**
 * Tells the time and sets timers for every stage of a run, so that tests can put virtual time in its place.
 *
 * `now()` is in milliseconds from an arbitrary origin and never goes back.
 *
 * @example A clock that stands still
 * ```ts
 * const clock: Clock = { now: () => 0, setTimer: () => ({ clear() {} }) };
 * assert.equal(clock.now(), 0);
 * ```
 */
export interface Clock {
  /** Milliseconds since an arbitrary origin. */
  now(): number;
  /** Calls `callback` once after `delayMs`; `clear()` on the result calls that off. */
  setTimer(callback: () => void, delayMs: number): Timer;
}

/** A timer that has been set. */
export interface Timer {
  /** Calls the timer off; does nothing when it has fired. */
  clear(): void;
}

/** The time of the platform: `performance.now()` and `setTimeout`. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer(callback, delayMs) {
    const id = setTimeout(callback, delayMs);
    return { clear: () => clearTimeout(id) };
  },
};
