import type { Clock, Timer } from '../clock.js';

/** What has a limited time: one call of a user's function. */
export class Deadline {
  /** When it is given up; without end until that is known. */
  dueMs: number = Number.POSITIVE_INFINITY;
  isWatched: boolean = false;
  /** Its neighbours in the list of those that are under way. */
  before: Deadline | undefined;
  behind: Deadline | undefined;
}

/**
 * Gives up what takes longer than `timeoutMs`.
 *
 * PERF: the clock is not read for each call, and no timer set: a timer that is due at once tells all that began before it
 * what time it is, and another waits for the oldest. A call that is done before the event loop turns has cost neither
 * (core/retry-path, with timeoutMs). The time of a call begins a moment late for that.
 */
export class Deadlines<T extends Deadline> {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #expire: (late: T) => void;
  /** Those under way, in the order in which they began, and so in that of their ends. */
  #oldest: Deadline | undefined;
  #newest: Deadline | undefined;
  #beginning: Timer | undefined;
  #ending: Timer | undefined;

  constructor(clock: Clock, timeoutMs: number, expire: (late: T) => void) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#expire = expire;
  }

  add(each: T): void {
    const newest = this.#newest;
    each.isWatched = true;
    each.dueMs = Number.POSITIVE_INFINITY;
    each.before = newest;
    if (newest === undefined) this.#oldest = each;
    else newest.behind = each;
    this.#newest = each;
    this.#beginning ??= this.#clock.setTimer(this.#begin, 0);
  }

  /** Begins the time of one anew; the others, if there are any, began before. */
  restart(each: T): void {
    if (each !== this.#newest) {
      this.remove(each);
      return this.add(each);
    }
    each.dueMs = Number.POSITIVE_INFINITY;
    this.#beginning ??= this.#clock.setTimer(this.#begin, 0);
  }

  /** Does nothing where it is not, or no more, watched. */
  remove(each: T): void {
    if (!each.isWatched) return;
    const { before, behind } = each;
    each.isWatched = false;
    each.before = each.behind = undefined;
    if (before === undefined) this.#oldest = behind;
    else before.behind = behind;
    if (behind === undefined) this.#newest = before;
    else behind.before = before;
  }

  /** Stops watching, and gives those that are under way. */
  close(): T[] {
    this.#beginning?.clear();
    this.#ending?.clear();
    const all: T[] = [];
    for (let each = this.#oldest; each !== undefined; each = each.behind) all.push(each as T);
    for (const each of all) this.remove(each);
    return all;
  }

  readonly #begin = (): void => {
    this.#beginning = undefined;
    const dueMs = this.#clock.now() + this.#timeoutMs;
    for (let each = this.#newest; each?.dueMs === Number.POSITIVE_INFINITY; each = each.before) each.dueMs = dueMs;
    this.#wait();
  };

  readonly #end = (): void => {
    this.#ending = undefined;
    const now = this.#clock.now();
    for (let each = this.#oldest; each !== undefined && each.dueMs <= now; each = this.#oldest) {
      this.remove(each as T);
      this.#expire(each as T);
    }
    this.#wait();
  };

  /** Waits for the oldest, where its end is known. */
  #wait(): void {
    const dueMs = this.#oldest?.dueMs ?? Number.POSITIVE_INFINITY;
    if (dueMs === Number.POSITIVE_INFINITY || this.#ending !== undefined) return;
    this.#ending = this.#clock.setTimer(this.#end, Math.max(0, dueMs - this.#clock.now()));
  }
}
