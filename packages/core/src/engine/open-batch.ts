import { MANY } from './hand-on.js';

/** A batch that is being filled, closed by count or by bytes. */
export class OpenBatch {
  readonly #maxItems: number;
  readonly #maxBytes: number;
  /** PERF: many items at once stay together until the batch is closed (core/batch, by time: 1.2 times as fast). */
  #parts: unknown[][] = [];
  /** The last part, which single items go into. */
  #items: unknown[] = [];
  #held = 0;
  #bytes = 0;

  constructor(maxItems: number, maxBytes: number | undefined) {
    this.#maxItems = maxItems;
    this.#maxBytes = maxBytes ?? Number.POSITIVE_INFINITY;
  }

  /** Takes an item of so many bytes; gives the batch that is full with it, or that it did not fit into. */
  add(item: unknown, bytes: number): unknown[] | undefined {
    const full = this.#held > 0 && this.#bytes + bytes > this.#maxBytes ? this.flush() : undefined;
    this.#items.push(item);
    this.#held++;
    this.#bytes += bytes;
    return full ?? this.flushFull();
  }

  /** Closes the batch where it is full: also with an item that did not fit into the one that `add` gave. */
  flushFull(): unknown[] | undefined {
    return this.#held >= this.#maxItems || this.#bytes >= this.#maxBytes ? this.flush() : undefined;
  }

  /** Takes as many items of a burst as there is room for by count, from one position on; gives the position behind them. */
  addFrom(burst: unknown[], from: number): number {
    const to = Math.min(burst.length, from + this.room());
    this.#held += to - from;
    if (to - from < MANY) for (let at = from; at < to; at++) this.#items.push(burst[at]);
    else {
      if (this.#items.length > 0) this.#parts.push(this.#items);
      this.#items = to - from === burst.length ? burst : burst.slice(from, to);
    }
    return to;
  }

  /** Closes the batch; `undefined` where it is empty. */
  flush(): unknown[] | undefined {
    if (this.#held === 0) return undefined;
    this.#parts.push(this.#items);
    const items = joined(this.#parts);
    this.#parts = [];
    this.#items = [];
    this.#held = 0;
    this.#bytes = 0;
    return items;
  }

  /** How many more items may come before it is full by count. */
  room(): number {
    return this.#maxItems - this.#held;
  }

  held(): number {
    return this.#held;
  }
}

/** A batch that is being filled, of a limited number of bytes. */
export interface OpenBytes {
  items: unknown[];
  bytes: number;
}

/** What `sizeOf` says, if it is a number of bytes. */
export function bytesOf(bytes: number): number {
  if (bytes >= 0) return bytes;
  throw new RangeError(`sizeOf returned ${String(bytes)} (must be a number of bytes, 0 or more)`);
}

/** More arguments than that may be too many for a call. */
const MOST = 1000;

function joined(parts: readonly unknown[][]): unknown[] {
  let rest = parts;
  while (rest.length > 1) {
    const fewer: unknown[][] = [];
    for (let at = 0; at < rest.length; at += MOST) fewer.push(([] as unknown[]).concat(...rest.slice(at, at + MOST)));
    rest = fewer;
  }
  return rest[0] as unknown[];
}
