/** Tells the time of items, and when nothing earlier is waited for any more. */
export interface WindowTime {
  /** Windows that end by then are over. */
  readonly watermarkMs: number;
  /** Whether time goes by without items, so that a timer is needed. */
  readonly isTimed: boolean;
  /** What comes now has come at this time of the clock. */
  now(nowMs: number): void;
  /** The time of an item. Throws what the user's function throws. */
  ask(item: unknown, index: number): number;
  /** What the watermark is, at most, behind an item of that time that is later than all before it. */
  watermarkAt(timeMs: number): number;
  /** An item of that time has come, which moves the watermark on. */
  came(timeMs: number): void;
  /** Takes a watermark of upstream. */
  marked(watermarkMs: number): void;
  /** Begins to wait: for items, or with windows open where none was. */
  waits(): void;
  /** When to look again, by the clock, where the next of the open windows ends at `nextMs`. */
  wakeAtMs(nextMs: number): number | undefined;
  /** Looks again, at a time given to `now()`; the last of the open windows ends at `lastMs`. */
  wake(lastMs: number): void;
  /** Whether more items can wait until windows have closed, which they do by themselves. */
  readonly closesByItself: boolean;
  /** What the times in a checkpoint are counted from. */
  readonly originMs: number;
  /** What a checkpoint keeps of it. */
  save(): unknown;
  restore(saved: unknown): void;
}

/** The time at which items arrive, by the clock of the run. */
export class ArrivalTime implements WindowTime {
  readonly isTimed: boolean = true;
  readonly closesByItself: boolean = true;
  watermarkMs: number = Number.NEGATIVE_INFINITY;

  /** Now: the clock of another process has another zero, so what is kept is how much is left. */
  get originMs(): number {
    return this.watermarkMs;
  }

  now(nowMs: number): void {
    this.watermarkMs = nowMs;
  }

  ask(): number {
    return this.watermarkMs;
  }

  watermarkAt(): number {
    return this.watermarkMs;
  }

  came(): void {}

  marked(): void {}

  waits(): void {}

  wakeAtMs(nextMs: number): number {
    return nextMs;
  }

  wake(): void {}

  save(): unknown {
    return undefined;
  }

  restore(): void {}
}

/** How the time of events is told. */
export interface EventTimeOptions {
  readonly timeMs: (item: unknown, index: number) => number;
  /** How far an item may be behind the latest; `Infinity` leaves the watermark to upstream. */
  readonly maxOutOfOrderMs: number;
  /** How long the watermark may stand still while windows are open. */
  readonly idleMs: number | undefined;
}

/** What a checkpoint keeps of the time of events. */
interface SavedTime {
  readonly watermarkMs: number;
  readonly latestMs: number;
}

/**
 * The time that events carry. The watermark follows the latest of them, at a distance, and what upstream says.
 *
 * Where it stands still for `idleMs` of waiting it goes on by itself: to the latest event; or, where no item has come in
 * that time, to the end of what is open. Time in which nobody asks for items does not count.
 */
export class EventTime implements WindowTime {
  readonly isTimed: boolean;
  readonly closesByItself: boolean = false;
  readonly originMs: number = 0;
  watermarkMs: number = Number.NEGATIVE_INFINITY;
  readonly #timeMs: (item: unknown, index: number) => number;
  readonly #maxOutOfOrderMs: number;
  readonly #idleMs: number | undefined;
  #latestMs = Number.NEGATIVE_INFINITY;
  #nowMs = 0;
  /** Since when the watermark stands still, by the clock. */
  #stillSinceMs = 0;
  /** Whether an item has come since then. */
  #hasItem = false;

  constructor({ timeMs, maxOutOfOrderMs, idleMs }: EventTimeOptions) {
    this.#timeMs = timeMs;
    this.#maxOutOfOrderMs = maxOutOfOrderMs;
    this.#idleMs = idleMs;
    this.isTimed = idleMs !== undefined;
  }

  now(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  ask(item: unknown, index: number): number {
    const timeMs = this.#timeMs;
    const itemMs = timeMs(item, index);
    if (!Number.isFinite(itemMs)) {
      const shown = typeof itemMs === 'number' ? String(itemMs) : `a ${typeof itemMs}`;
      throw new TypeError(`timeMs returned ${shown} (must be a finite number of milliseconds)`);
    }
    return itemMs;
  }

  watermarkAt(timeMs: number): number {
    return timeMs - this.#maxOutOfOrderMs;
  }

  came(timeMs: number): void {
    this.#hasItem = true;
    if (timeMs > this.#latestMs) {
      this.#latestMs = timeMs;
      this.#advance(this.watermarkAt(timeMs));
    }
  }

  marked(watermarkMs: number): void {
    this.#advance(watermarkMs);
  }

  waits(): void {
    this.#stillSinceMs = this.#nowMs;
  }

  wakeAtMs(): number | undefined {
    return this.#idleMs === undefined ? undefined : this.#stillSinceMs + this.#idleMs;
  }

  wake(lastMs: number): void {
    if (this.#idleMs === undefined || this.#nowMs < this.#stillSinceMs + this.#idleMs) return;
    const hasItem = this.#hasItem;
    this.waits();
    this.#hasItem = false;
    this.#advance(hasItem ? this.#latestMs : lastMs);
  }

  save(): SavedTime {
    return { watermarkMs: this.watermarkMs, latestMs: this.#latestMs };
  }

  restore(saved: unknown): void {
    const { watermarkMs, latestMs } = saved as SavedTime;
    this.watermarkMs = watermarkMs;
    this.#latestMs = latestMs;
  }

  #advance(watermarkMs: number): void {
    if (!(watermarkMs > this.watermarkMs)) return;
    this.watermarkMs = watermarkMs;
    this.#stillSinceMs = this.#nowMs;
    this.#hasItem = false;
  }
}
