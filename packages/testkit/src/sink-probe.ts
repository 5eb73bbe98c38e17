import type { Sink } from '@millrace/core';

/** A sink that a test holds in its hand: it takes when it is told to, and remembers what it was given. */
export interface SinkProbe<T> {
  /** The sink, for `pipeline.run()`. */
  readonly sink: Sink<T>;
  /** What it has taken. */
  readonly items: readonly T[];
  /** Whether an item is at the door. */
  readonly isOffered: boolean;
  /** How often it was closed: 1 after a run that ended well. */
  readonly closes: number;
  /** The reasons with which it was aborted. */
  readonly aborts: readonly unknown[];
  /** Takes `count` items more, by and by; resolves with them, or with fewer where the run ends before. */
  take(count?: number): Promise<readonly T[]>;
}

/**
 * Makes a sink that takes items on command only: what is before it must wait.
 *
 * @typeParam T - The items.
 * @param options - `name` (default: `'probe'`), and `highWaterMark` of the sink (default: that of any sink).
 * @returns The probe.
 *
 * @example A consumer that stalls
 * ```ts
 * import { generate } from '@millrace/core';
 * const probe = sinkProbe<number>({ highWaterMark: 4 });
 * const run = generate((n) => n).run(probe.sink);
 * assert.deepEqual(await probe.take(2), [0, 1]);
 * assert.equal(run.explain().bound, 5);
 * assert.ok(run.inFlight <= 5);
 * const rest = probe.take(Number.POSITIVE_INFINITY);
 * await run.drain();
 * assert.equal((await rest).at(-1), probe.items.at(-1));
 * ```
 */
export function sinkProbe<T>(options: { readonly name?: string; readonly highWaterMark?: number } = {}): SinkProbe<T> {
  const probe = new Probe<T>();
  const sink: Sink<T> = {
    ...{ name: 'probe', ...options },
    open: () => ({
      write: (items) => probe.offer(items),
      close: () => probe.close(),
      abort: (reason) => probe.abort(reason),
    }),
  };
  return Object.assign(probe, { sink });
}

interface Demand<T> {
  readonly count: number;
  readonly items: T[];
  resolve(items: readonly T[]): void;
}

class Probe<T> {
  readonly items: T[] = [];
  readonly aborts: unknown[] = [];
  closes: number = 0;
  readonly #demands: Demand<T>[] = [];
  #offered: readonly T[] | undefined;
  #accept: (() => void) | undefined;
  #isOver = false;

  get isOffered(): boolean {
    return this.#offered !== undefined;
  }

  take(count: number = 1): Promise<readonly T[]> {
    return new Promise((resolve) => {
      if (count === 0 || this.#isOver) return resolve([]);
      this.#demands.push({ count, items: [], resolve });
      this.#serve();
    });
  }

  offer(items: readonly T[]): Promise<void> {
    return new Promise((resolve) => {
      this.#offered = items;
      this.#accept = resolve;
      this.#serve();
    });
  }

  close(): void {
    this.closes++;
    this.#end();
  }

  abort(reason: unknown): void {
    this.aborts.push(reason);
    this.#end();
  }

  #serve(): void {
    while (this.#offered !== undefined && this.#demands[0] !== undefined) {
      const demand = this.#demands[0];
      const taken = this.#offered.slice(0, demand.count - demand.items.length);
      const left = this.#offered.slice(taken.length);
      this.items.push(...taken);
      demand.items.push(...taken);
      if (demand.items.length === demand.count) this.#demands.shift()?.resolve(demand.items);
      this.#offered = left.length > 0 ? left : undefined;
      if (left.length === 0) this.#accept?.();
    }
  }

  #end(): void {
    this.#isOver = true;
    for (const demand of this.#demands.splice(0)) demand.resolve(demand.items);
  }
}
