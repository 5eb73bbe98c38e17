/**
 * A queue whose items leave in the order in which they came, one or many at a time.
 *
 * PERF: what has left is let go of once it is half of all; `splice()` and `shift()` move all that stays.
 */
export class Fifo<T> {
  #items: T[] = [];
  /** Where in `#items` those begin that are still here. */
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** The one that leaves next. */
  get first(): T | undefined {
    return this.#items[this.#head];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Takes back what had left: it leaves first. */
  putBack(items: readonly T[]): void {
    this.#items = [...items, ...this.take(this.length)];
    this.#head = 0;
  }

  /** Removes the first `max`, or all where they are fewer. */
  take(max: number): T[] {
    const end = this.#head + max;
    if (end >= this.#items.length) {
      const all = this.#head === 0 ? this.#items : this.#items.slice(this.#head);
      this.#items = [];
      this.#head = 0;
      return all;
    }
    const taken = this.#items.slice(this.#head, end);
    this.#head = end;
    if (end * 2 > this.#items.length) {
      this.#items = this.#items.slice(end);
      this.#head = 0;
    }
    return taken;
  }
}
