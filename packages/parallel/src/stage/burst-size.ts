/** What a burst should cost, in its worker or on its way there. */
const TARGET_MS = 0.5;
/** How much the latest burst counts. */
const WEIGHT = 0.3;
/**
 * Items of so much work gain nothing from a second burst that waits in the worker: the main thread answers within its
 * slice of 10 ms, and a burst that waits there is lost to workers that are free.
 */
const SLOW_MS = 100;

/** How many items cross to a worker at once: as many as cost half a millisecond, at most twice as many as before. */
export class BurstSize {
  /** The size of the next burst. */
  now: number = 1;
  readonly #most: number;
  #itemMs: number | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  /** Whether a burst may wait in a worker behind another: not where items are slow, or where nothing is known yet. */
  get maySecond(): boolean {
    return this.#itemMs !== undefined && this.#itemMs < SLOW_MS;
  }

  /** Learns what a burst took. */
  learn(items: number, tookMs: number): void {
    const itemMs = tookMs / items;
    this.#itemMs = this.#itemMs === undefined ? itemMs : this.#itemMs + (itemMs - this.#itemMs) * WEIGHT;
    const fitting = this.#itemMs > 0 ? Math.floor(TARGET_MS / this.#itemMs) : this.#most;
    this.now = Math.max(1, Math.min(fitting, this.now * 2, this.#most));
  }
}
