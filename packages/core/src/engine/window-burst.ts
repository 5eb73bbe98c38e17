import { plain, within } from './carried.js';
import type { OpenWindows } from './open-windows.js';
import type { WindowsOptions } from './window-content.js';
import type { WindowTime } from './window-time.js';

/** A burst of items on their way into windows. */
export class WindowBurst {
  items: unknown[] = [];
  /** Behind the items that are in windows. */
  at = 0;
  /** What a function of the user threw on the item at `at`. */
  error: unknown;
  /** Whether the run is over, which a function of the user may have ended. */
  isClosed = false;
  readonly #open: OpenWindows;
  readonly #time: WindowTime;
  readonly #keyOf: WindowsOptions['keyOf'];
  readonly #carries: boolean;

  constructor(open: OpenWindows, time: WindowTime, keyOf: WindowsOptions['keyOf'], carries: boolean) {
    this.#open = open;
    this.#time = time;
    this.#keyOf = keyOf;
    this.#carries = carries;
  }

  /** Puts the items into windows until one is late, or a function fails on it; the index of the burst's first is given. */
  add(first: number): 'late' | 'failed' | undefined {
    try {
      if (this.#carries) return this.#addCarried(first);
      while (this.at < this.items.length && !this.isClosed) {
        const timeMs = this.#keyOf === undefined ? this.#addRun(first) : this.#ask(first);
        if (Number.isNaN(timeMs) || this.isClosed) continue;
        const isIn = this.#addOne(timeMs, first);
        if (this.isClosed) return undefined;
        if (!isIn) return 'late';
        this.at++;
      }
    } catch (error) {
      this.error = error;
      return 'failed';
    }
    return undefined;
  }

  /** Takes no item any more. */
  clear(): void {
    this.items = [];
    this.at = 0;
  }

  /**
   * Puts items into the windows of the one before, as long as they belong to the same and let none close; gives the time of
   * the next, or `NaN` where that has not been asked for.
   *
   * PERF: their times first, then all at once: nothing is looked up for an item (core/window: tumbling 1.3 times as fast).
   */
  #addRun(first: number): number {
    const { items, at } = this;
    const time = this.#time;
    const { sameFromMs, sameToMs, nextMs, room, isCareful } = this.#open;
    const limit = isCareful ? at + 1 : items.length;
    let latestMs = Number.NEGATIVE_INFINITY;
    let latestAt = at;
    let nextItemMs = Number.NaN;
    let problem: { readonly thrown: unknown } | undefined;
    let end = at;
    try {
      for (; end < limit && !this.isClosed; end++) {
        const timeMs = time.ask(items[end], first + end);
        const isSame = timeMs >= sameFromMs && timeMs < sameToMs && end - at < room;
        if (!isSame || (timeMs > latestMs && time.watermarkAt(timeMs) >= nextMs)) {
          nextItemMs = timeMs;
          break;
        }
        if (timeMs > latestMs) {
          latestMs = timeMs;
          latestAt = end;
        }
      }
    } catch (thrown) {
      problem = { thrown };
    }
    if (end > at && !this.isClosed) {
      time.came(latestMs);
      // Others came behind it.
      if (latestAt < end - 1) time.came(latestMs);
      this.#addToSame(end);
    }
    if (problem !== undefined) throw problem.thrown;
    return nextItemMs;
  }

  #addToSame(end: number): void {
    const { items } = this;
    const open = this.#open;
    if (open.addAllToSame(items, this.at, end)) {
      this.at = end;
      return;
    }
    while (this.at < end) {
      open.addToSame(items[this.at]);
      if (this.isClosed) return;
      this.at++;
    }
  }

  #ask(first: number): number {
    return this.#time.ask(this.items[this.at], first + this.at);
  }

  #addOne(timeMs: number, first: number): boolean {
    const open = this.#open;
    const time = this.#time;
    const keyOf = this.#keyOf;
    const item = this.items[this.at];
    time.came(timeMs);
    if (open.nextMs <= time.watermarkMs) open.closeUntil(time.watermarkMs);
    const key = keyOf === undefined ? undefined : keyOf(item, first + this.at);
    if (open.addToLast(key, timeMs, item)) return true;
    if (!open.add(key, timeMs, item, time.watermarkMs)) return false;
    // A late item closes its windows again.
    if (open.nextMs <= time.watermarkMs) open.closeUntil(time.watermarkMs);
    return true;
  }

  /** The same of items that carry their origins, each in its own context. */
  #addCarried(first: number): 'late' | undefined {
    const time = this.#time;
    const open = this.#open;
    while (this.at < this.items.length) {
      const item = this.items[this.at];
      const index = first + this.at;
      const isIn = within(item, () => {
        const timeMs = time.ask(plain(item), index);
        time.came(timeMs);
        open.closeUntil(time.watermarkMs);
        return open.add(this.#keyOf?.(plain(item), index), timeMs, item, time.watermarkMs);
      });
      if (this.isClosed) return undefined;
      if (!isIn) return 'late';
      open.closeUntil(time.watermarkMs);
      this.at++;
    }
    return undefined;
  }
}
