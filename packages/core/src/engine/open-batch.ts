/** A batch that is being filled, closed by count or by bytes. */
export class OpenBatch {
  readonly #maxItems: number;
  readonly #maxBytes: number;
  #items: unknown[] = [];
  #bytes = 0;

  constructor(maxItems: number, maxBytes: number | undefined) {
    this.#maxItems = maxItems;
    this.#maxBytes = maxBytes ?? Number.POSITIVE_INFINITY;
  }

  /** Takes an item of so many bytes, as `sizeOf` says; gives the batch that is full with it, or that it did not fit into. */
  add(item: unknown, bytes: number): unknown[] | undefined {
    if (!(bytes >= 0)) throw new RangeError(`sizeOf returned ${String(bytes)} (must be a number of bytes, 0 or more)`);
    const full = this.#items.length > 0 && this.#bytes + bytes > this.#maxBytes ? this.flush() : undefined;
    this.#items.push(item);
    this.#bytes += bytes;
    return full ?? this.flushFull();
  }

  /** Closes the batch where it is full: also with an item that did not fit into the one that `add` gave. */
  flushFull(): unknown[] | undefined {
    return this.#items.length >= this.#maxItems || this.#bytes >= this.#maxBytes ? this.flush() : undefined;
  }

  /** Takes as many items as there is room for by count, from one position on; gives the position behind them. */
  addFrom(items: readonly unknown[], from: number): number {
    const to = Math.min(items.length, from + this.room());
    for (let at = from; at < to; at++) this.#items.push(items[at]);
    return to;
  }

  /** Closes the batch; `undefined` where it is empty. */
  flush(): unknown[] | undefined {
    if (this.#items.length === 0) return undefined;
    const items = this.#items;
    this.#items = [];
    this.#bytes = 0;
    return items;
  }

  /** How many more items may come before it is full by count. */
  room(): number {
    return this.#maxItems - this.#items.length;
  }

  held(): number {
    return this.#items.length;
  }
}
