import type { Clock } from '../clock.js';

/** The keys as a checkpoint has them, oldest first. */
export interface SavedKeys {
  readonly keys: readonly unknown[];
  /** How long ago each was noted; only where keys are forgotten in time. */
  readonly agesMs?: readonly number[];
}

/** Remembers the keys that it was shown last, up to `maxKeys`, each for `ttlMs`. */
export class SeenKeys {
  readonly #maxKeys: number;
  readonly #ttlMs: number | undefined;
  readonly #clock: Clock;
  /** When each key was noted. INVARIANT: oldest first, since a key that is here is not noted anew. */
  readonly #seen = new Map<unknown, number>();
  // PERF: one walk for all. A new iterator first steps over all that was deleted since the table was made, which takes
  // time in proportion to `maxKeys` for each key that goes.
  #walk: Iterator<[unknown, number]> | undefined;
  #oldest: [unknown, number] | undefined;

  constructor(maxKeys: number, ttlMs: number | undefined, clock: Clock) {
    this.#maxKeys = maxKeys;
    this.#ttlMs = ttlMs;
    this.#clock = clock;
  }

  /** Notes a key; says whether it was not among those that are remembered. */
  isNew(key: unknown): boolean {
    let nowMs = 0;
    if (this.#ttlMs !== undefined) {
      nowMs = this.#clock.now();
      this.#forget(nowMs - this.#ttlMs);
    }
    if (this.#seen.has(key)) return false;
    if (this.#seen.size >= this.#maxKeys) this.#drop(this.#first());
    this.#seen.set(key, nowMs);
    return true;
  }

  save(): SavedKeys {
    const keys = [...this.#seen.keys()];
    if (this.#ttlMs === undefined) return { keys };
    // Times of a clock mean nothing in another process.
    const nowMs = this.#clock.now();
    return { keys, agesMs: Array.from(this.#seen.values(), (notedMs) => nowMs - notedMs) };
  }

  /** Notes the keys of a checkpoint, as old as they were then. */
  restore({ keys, agesMs }: SavedKeys): void {
    const nowMs = this.#ttlMs === undefined ? 0 : this.#clock.now();
    keys.slice(-this.#maxKeys).forEach((key, at, kept) => {
      this.#seen.set(key, nowMs - (agesMs?.[keys.length - kept.length + at] ?? 0));
    });
  }

  /** Forgets what was noted at a time or before. */
  #forget(untilMs: number): void {
    for (let first = this.#first(); first !== undefined && first[1] <= untilMs; first = this.#first())
      this.#drop(first);
  }

  #first(): [unknown, number] | undefined {
    if (this.#oldest !== undefined || this.#seen.size === 0) return this.#oldest;
    this.#walk ??= this.#seen.entries();
    let step = this.#walk.next();
    if (step.done === true) {
      // It had come to the end, where it stays.
      this.#walk = this.#seen.entries();
      step = this.#walk.next();
    }
    this.#oldest = step.done === true ? undefined : step.value;
    return this.#oldest;
  }

  #drop(first: [unknown, number] | undefined): void {
    if (first !== undefined) this.#seen.delete(first[0]);
    this.#oldest = undefined;
  }
}
