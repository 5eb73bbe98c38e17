import type { Pipeline } from '@millrace/core';
import { source } from '@millrace/core/authoring';

/** A source that a test holds in its hand: it gives what it is told to give, and remembers what it was asked. */
export interface SourceProbe<T> {
  /** The pipeline that begins with the source; its runs share what is released. */
  readonly pipeline: Pipeline<T>;
  /** How many items were asked for, ask by ask. */
  readonly pulls: readonly number[];
  /** The reasons with which it was closed: one for each run. */
  readonly closes: readonly unknown[];
  /** How many items have been read. */
  readonly read: number;
  /** Whether its end, or its failure, has been read. */
  readonly isSpent: boolean;
  /** Whether somebody waits for an item. */
  readonly isAsked: boolean;
  /** Releases items: they go out as they are asked for. */
  release(...items: readonly T[]): void;
  /** Ends behind what was released. */
  end(): void;
  /** Fails behind what was released. */
  fail(error: unknown): void;
}

/**
 * Makes a source that gives its items on command and records every ask and every close.
 *
 * @typeParam T - The items.
 * @param options - `name` (default: `'probe'`).
 * @returns The probe.
 *
 * @example See that nothing is read before it is asked for
 * ```ts
 * import { map } from '@millrace/core';
 * const probe = sourceProbe<number>();
 * const doubles = probe.pipeline.pipeThrough(map((n) => n * 2)).values();
 * assert.deepEqual(probe.pulls, []);
 * const first = doubles.next();
 * probe.release(21);
 * assert.equal((await first).value, 42);
 * await doubles.return?.();
 * assert.equal(probe.closes.length, 1);
 * ```
 */
export function sourceProbe<T>(options: { readonly name?: string } = {}): SourceProbe<T> {
  const probe = new Probe<T>();
  const pipeline = source<T>({
    name: options.name ?? 'probe',
    open: () => ({
      read: (max) => probe.take(max),
      close: (reason) => probe.close(reason),
      drain: () => probe.giveUp(),
    }),
  });
  return Object.assign(probe, { pipeline });
}

interface Ask<T> {
  readonly max: number;
  resolve(items: readonly T[] | undefined): void;
  reject(error: unknown): void;
}

class Probe<T> {
  readonly pulls: number[] = [];
  readonly closes: unknown[] = [];
  read: number = 0;
  isSpent: boolean = false;
  #items: T[] = [];
  #last: { readonly error?: unknown; readonly isError: boolean } | undefined;
  #ask: Ask<T> | undefined;

  get isAsked(): boolean {
    return this.#ask !== undefined;
  }

  release(...items: readonly T[]): void {
    this.#items.push(...items);
    this.#answer();
  }

  end(): void {
    this.#last ??= { isError: false };
    this.#answer();
  }

  fail(error: unknown): void {
    this.#last ??= { isError: true, error };
    this.#answer();
  }

  take(max: number): Promise<readonly T[] | undefined> {
    this.pulls.push(max);
    return new Promise((resolve, reject) => {
      this.#ask = { max, resolve, reject };
      this.#answer();
    });
  }

  close(reason: unknown): void {
    this.closes.push(reason);
    this.giveUp();
  }

  giveUp(): void {
    this.#ask?.resolve(undefined);
    this.#ask = undefined;
  }

  #answer(): void {
    const ask = this.#ask;
    if (ask === undefined || (this.#items.length === 0 && this.#last === undefined)) return;
    this.#ask = undefined;
    if (this.#items.length > 0) {
      const items = this.#items.splice(0, ask.max);
      this.read += items.length;
      ask.resolve(items);
      return;
    }
    this.isSpent = true;
    if (this.#last?.isError === true) ask.reject(this.#last.error);
    else ask.resolve(undefined);
  }
}
