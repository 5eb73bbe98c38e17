import { PipelineError } from '../errors.js';
import { Carried } from './carried.js';

/** What one item weighs, in the unit of its edge's `highWaterMark`: a `size` of the user. */
export type SizeOf = (item: unknown) => number;

/** What an item weighs; throws what the user's function throws, and where it gives what can't be counted. */
export function weightOf(sizeOf: SizeOf, item: unknown): number {
  const size = item instanceof Carried ? item.origin.enter(() => sizeOf(item.item)) : sizeOf(item);
  if (typeof size !== 'number' || !(size >= 0) || size === Number.POSITIVE_INFINITY) {
    const shown = typeof size === 'number' ? String(size) : `a ${typeof size}`;
    throw new PipelineError(
      'ERR_CORE_SIZE',
      `Cannot weigh the item: its size is ${shown} (must be a finite number of 0 or more)`,
    );
  }
  return Math.max(1, size);
}

/**
 * Weighs items as they begin to wait, and remembers what those that still wait weigh.
 *
 * INVARIANT: an item weighs 1 at least. So a mark bounds the items as well as their weight, and what weighs nothing does
 * not wait without limit.
 */
export class Scale {
  readonly #size: SizeOf;
  /** What the waiting items weigh, oldest first, from `#head` on. */
  #sizes: number[] = [];
  #head = 0;
  #total = 0;

  constructor(size: SizeOf) {
    this.#size = size;
  }

  /** What all that waits weighs. */
  get total(): number {
    return this.#total;
  }

  /** What an item weighs, as `weightOf()` says. */
  weigh(item: unknown): number {
    return weightOf(this.#size, item);
  }

  /** An item that weighs `size` waits behind the others. */
  add(size: number): void {
    this.#sizes.push(size);
    this.#total += size;
  }

  /** The oldest items wait no more. */
  remove(items: number): void {
    for (let n = 0; n < items; n++) this.#total -= this.#sizes[this.#head++] as number;
    // What is left of adding and taking away fractions ends here as well.
    if (this.#head === this.#sizes.length) this.clear();
    else if (this.#head > 64 && this.#head * 2 > this.#sizes.length) {
      this.#sizes = this.#sizes.slice(this.#head);
      this.#head = 0;
    }
  }

  clear(): void {
    this.#sizes = [];
    this.#head = 0;
    this.#total = 0;
  }
}
