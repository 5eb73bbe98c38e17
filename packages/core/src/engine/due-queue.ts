interface Entry<T> {
  readonly dueMs: number;
  readonly order: number;
  readonly value: T;
}

/** Gives what is due first; of what is due at one time, what is first in order. A binary heap. */
export class DueQueue<T> {
  readonly #heap: Entry<T>[] = [];

  /** The time at which the first is due; `Infinity` where there is none. PERF: a field, since it is looked at for each item. */
  nextMs: number = Number.POSITIVE_INFINITY;

  add(dueMs: number, order: number, value: T): void {
    const entry = { dueMs, order, value };
    let at = this.#heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#heap[parent] as Entry<T>;
      if (!isBefore(entry, above)) break;
      this.#heap[at] = above;
      at = parent;
    }
    this.#heap[at] = entry;
    if (dueMs < this.nextMs) this.nextMs = dueMs;
  }

  /** Takes the first. */
  take(): T | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined) return undefined;
    if (first !== last) this.#sink(last);
    this.nextMs = this.#heap[0]?.dueMs ?? Number.POSITIVE_INFINITY;
    return first.value;
  }

  clear(): void {
    this.#heap.length = 0;
    this.nextMs = Number.POSITIVE_INFINITY;
  }

  #sink(entry: Entry<T>): void {
    let at = 0;
    for (;;) {
      const left = this.#heap[2 * at + 1];
      if (left === undefined) break;
      const right = this.#heap[2 * at + 2];
      const isRight = right !== undefined && isBefore(right, left);
      const below = isRight ? right : left;
      if (isBefore(entry, below)) break;
      this.#heap[at] = below;
      at = 2 * at + (isRight ? 2 : 1);
    }
    this.#heap[at] = entry;
  }
}

function isBefore(a: Entry<unknown>, b: Entry<unknown>): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
