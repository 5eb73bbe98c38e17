/** How many items may pass in which time. */
export interface Rate {
  /** How many items may pass in `intervalMs`, or what they may cost: a finite number above 0. */
  readonly limit: number;
  /** The time of `limit` items in milliseconds, above 0. */
  readonly intervalMs: number;
  /** How many items may pass at once after a pause, 1 or more. Default: 1, so that items are spread evenly. */
  readonly burst?: number;
}

/**
 * A token bucket: it is full with `burst` tokens at first, `limit` more come in `intervalMs`, spread evenly, and no more
 * than `burst` are kept.
 *
 * Whoever asks for tokens is told when it has them, and they are its own from then on: so those that share a budget take
 * turns, in the order in which they ask. INVARIANT: times are worked out from one origin, and never added up, so that
 * nothing drifts.
 */
export class RateBudget implements Required<Rate> {
  readonly limit: number;
  readonly intervalMs: number;
  readonly burst: number;
  /** When the bucket was full for the last time, and how many tokens were taken since. */
  #fullMs: number | undefined;
  #taken = 0;

  /** @internal */
  constructor({ limit, intervalMs, burst = 1 }: Rate) {
    this.limit = limit;
    this.intervalMs = intervalMs;
    this.burst = burst;
  }

  /**
   * Takes tokens; one that costs more than the bucket holds waits until it is full, and those behind it for the rest.
   *
   * @internal
   * @param tokens - How many, 0 or more.
   * @param nowMs - Since when they are wanted.
   * @returns When they are there; `nowMs` or before for at once.
   */
  take(tokens: number, nowMs: number): number {
    if (this.#fullMs === undefined || (nowMs - this.#fullMs) * this.limit >= this.#taken * this.intervalMs) {
      this.#fullMs = nowMs;
      this.#taken = 0;
    }
    const missing = this.#taken + Math.min(tokens, this.burst) - this.burst;
    this.#taken += tokens;
    return missing <= 0 ? nowMs : this.#fullMs + (missing * this.intervalMs) / this.limit;
  }
}
