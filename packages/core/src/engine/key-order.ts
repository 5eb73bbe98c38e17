import { Fifo } from '../internal/fifo.js';

/** What has a place and a key. */
interface Keyed {
  readonly index: number;
  readonly key: unknown;
}

/** Lets those of the same key begin one after the other, and of different keys whoever came first. */
export class KeyOrder<T extends Keyed> {
  /** By the key of one that may begin, or has begun and is not done: those behind it, where there are some. */
  readonly #behind = new Map<unknown, Fifo<T> | undefined>();
  /** Those that may begin, in the order in which they came. */
  readonly #ready: T[] = [];
  /** How many have not begun. */
  waiting: number = 0;

  /** Adds one that came later than all others. */
  add(item: T): void {
    this.waiting++;
    const { key } = item;
    if (!this.#behind.has(key)) {
      this.#behind.set(key, undefined);
      this.#ready.push(item);
      return;
    }
    const behind = this.#behind.get(key) ?? new Fifo<T>();
    behind.push(item);
    this.#behind.set(key, behind);
  }

  /** The first that may begin, where its place is before `index`; it has its key until that is `done`. */
  next(index: number): T | undefined {
    const first = this.#ready[0];
    if (first === undefined || first.index >= index) return undefined;
    this.#ready.shift();
    this.waiting--;
    return first;
  }

  /** Whoever had the key is done: the one behind it may begin. */
  done(key: unknown): void {
    const next = this.#behind.get(key)?.take(1)[0];
    if (next === undefined) {
      this.#behind.delete(key);
      return;
    }
    const at = this.#ready.findIndex(({ index }) => index > next.index);
    this.#ready.splice(at < 0 ? this.#ready.length : at, 0, next);
  }
}
