/** What is kept until a time. */
export interface Kept {
  readonly key: string;
  readonly expiresMs: number;
  /** Whether it was used since it was last looked at for removal. */
  wasUsed: boolean;
}

/**
 * Keeps at most `maxEntries`; a hand goes round and removes what was not used since it came by last.
 *
 * PERF: a hit is one look-up in a map and a flag, where a strict LRU moves the entry each time.
 *
 * @see F. J. Corbató, A Paging Experiment with the Multics System (1968), for the clock and its hand.
 */
export class ClockCache<T extends Kept> {
  readonly #maxEntries: number;
  readonly #entries = new Map<string, T>();
  #hand: IterableIterator<T> = this.#entries.values();

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  get(key: string, nowMs: number): T | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (nowMs < entry.expiresMs) {
      entry.wasUsed = true;
      return entry;
    }
    this.#entries.delete(key);
    return undefined;
  }

  get size(): number {
    return this.#entries.size;
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  set(entry: T): void {
    if (this.#maxEntries === 0) return;
    if (this.#entries.size >= this.#maxEntries && !this.#entries.has(entry.key)) this.#evict();
    this.#entries.set(entry.key, entry);
  }

  #evict(): void {
    for (;;) {
      // PERF: one iterator for good; a new one each time would walk over all that was removed before.
      const { value, done } = this.#hand.next();
      if (done === true) this.#hand = this.#entries.values();
      else if (value.wasUsed) value.wasUsed = false;
      else {
        this.#entries.delete(value.key);
        return;
      }
    }
  }
}
