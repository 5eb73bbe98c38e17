import { isThenable } from '../../engine/answer.js';
import type { AsyncFunction } from '../../engine/map-async.js';
import { openPair } from '../../engine/pair.js';
import type { OperatorSpec } from '../../engine/spec.js';
import { type Stage, stageOf } from '../../engine/stage.js';
import { checkCount, checkFunction, checkMs, checkOptions } from '../../internal/arguments.js';
import type { ItemPolicyOptions } from './item-policy.js';
import { CONCURRENCY_OPTIONS, type ConcurrencyOptions, concurrentSpec, type ItemContext } from './map-async.js';

/** How results are kept. */
export interface CachedOptions<I, V, O, F = never> extends ConcurrencyOptions<I>, ItemPolicyOptions<I, F> {
  /** What a result is kept under; compared as `Map` keys are. Default: the item itself. */
  readonly key?: (item: I) => unknown;
  /** How long a result is used, in milliseconds from when it was asked for. Default: without limit. */
  readonly ttlMs?: number;
  /** How many results are kept; the one that was not used for longest goes first. Default: 1,000. */
  readonly maxEntries?: number;
  /** What goes out, of the item and the result. Default: the result. */
  readonly into?: (item: I, value: V) => O;
}

/**
 * Replaces each item by a result that is looked up once for all items with the same key.
 *
 * Contract
 * - Order: kept, or that of completion with `ordered: false`.
 * - Holds: at most `concurrency` items, and `maxEntries` results for as long as the run lasts.
 * - Backpressure: takes an item when a slot is free.
 * - Failure: what becomes of an item on which `fn`, `key` or `into` fails is as `onError` says, behind the tries of `retry`;
 *   a look-up that failed, or took longer than `timeoutMs`, is not kept.
 * - Cancel: aborts `signal`, cancels upstream with the same reason.
 *
 * Items with a key that is being looked up wait for that look-up. Each run has a cache of its own.
 *
 * @typeParam I - What comes in.
 * @typeParam V - What is looked up.
 * @typeParam O - What goes out.
 * @typeParam F - What `onError: fallback(fn)` gives.
 * @param fn - Looks up an item; is given the item and `{ index, signal }`.
 * @param options - `key`, `ttlMs`, `maxEntries` (default 1,000), `into`, and those of `mapAsync()`.
 * @returns A stage from `I` to `O`.
 * @throws TypeError or RangeError `ERR_CORE_ARGUMENT` when an argument is wrong.
 * @remarks Elsewhere: RxJS –; Rust –; Akka –; Node –.
 *
 * @example Ask for each city once
 * ```ts
 * let asked = 0;
 * const inhabitants = cached(async (city: string) => (asked++, city.length), { into: (city, n) => `${city} ${n}` });
 * assert.deepEqual(await from(['Ulm', 'Bonn', 'Ulm']).pipeThrough(inhabitants).toArray(), ['Ulm 3', 'Bonn 4', 'Ulm 3']);
 * assert.equal(asked, 2);
 * ```
 */
export function cached<I, V, O = Awaited<V>, F = never>(
  fn: (item: I, context: ItemContext) => V | PromiseLike<V>,
  options: CachedOptions<I, Awaited<V>, O, F> = {},
): Stage<I, O | Awaited<F>> {
  checkFunction('cached()', 'fn', fn);
  checkOptions('cached()', options, [...CONCURRENCY_OPTIONS, ...OPTIONS]);
  const { key, ttlMs, maxEntries = 1000, into, ...concurrency } = options;
  if (key !== undefined) checkFunction('cached()', 'key', key);
  if (into !== undefined) checkFunction('cached()', 'into', into);
  if (ttlMs !== undefined) checkMs('cached()', 'ttlMs', ttlMs, 0);
  checkCount('cached()', 'maxEntries', maxEntries, 1);
  const untyped = { fn, key, into } as unknown as LookUp;
  const spec = concurrentSpec('cached', () => undefined, concurrency);
  const isTimed = concurrency.timeoutMs !== undefined;
  const open: OperatorSpec['open'] = (upstream, context, rooms) => {
    const now = (): number => context.clock.now();
    const cache = new Cache(untyped, ttlMs ?? Number.POSITIVE_INFINITY, maxEntries, now, isTimed);
    return concurrentSpec('cached', cache.look, concurrency).open(upstream, context, rooms);
  };
  return stageOf({ ...spec, asStep: undefined, open }, openPair);
}

const OPTIONS = ['key', 'ttlMs', 'maxEntries', 'into'] as const;

interface LookUp {
  readonly fn: AsyncFunction;
  readonly key: ((item: unknown) => unknown) | undefined;
  readonly into: ((item: unknown, value: unknown) => unknown) | undefined;
}

interface Entry {
  readonly askedMs: number;
  /** The result, or the promise of it while it is looked up. */
  value: unknown;
  isPending: boolean;
}

/** Results by key, in the order of their last use. */
class Cache {
  readonly #lookUp: LookUp;
  readonly #ttlMs: number;
  readonly #maxEntries: number;
  readonly #now: () => number;
  readonly #isTimed: boolean;
  readonly #entries = new Map<unknown, Entry>();

  constructor(lookUp: LookUp, ttlMs: number, maxEntries: number, now: () => number, isTimed: boolean) {
    this.#lookUp = lookUp;
    this.#ttlMs = ttlMs;
    this.#maxEntries = maxEntries;
    this.#now = now;
    this.#isTimed = isTimed;
  }

  readonly look = (item: unknown, context: ItemContext): unknown => {
    const { key, into } = this.#lookUp;
    const entry = this.#entry(key === undefined ? item : key(item), item, context);
    if (into === undefined) return entry.value;
    return entry.isPending
      ? (entry.value as PromiseLike<unknown>).then((value) => into(item, value))
      : into(item, entry.value);
  };

  #entry(key: unknown, item: unknown, context: ItemContext): Entry {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      this.#entries.delete(key);
      if (this.#now() - known.askedMs < this.#ttlMs) {
        this.#entries.set(key, known);
        return known;
      }
    }
    const value = this.#lookUp.fn(item, context);
    const entry: Entry = { askedMs: this.#now(), value, isPending: isThenable(value) };
    this.#entries.set(key, entry);
    if (this.#entries.size > this.#maxEntries) this.#entries.delete(this.#entries.keys().next().value);
    if (isThenable(value)) {
      this.#settle(key, entry, value);
      // The look-up may never come back: the next try must not wait for it.
      if (this.#isTimed) context.signal.addEventListener('abort', () => this.#drop(key, entry), { once: true });
    }
    return entry;
  }

  #drop(key: unknown, entry: Entry): void {
    if (entry.isPending && this.#entries.get(key) === entry) this.#entries.delete(key);
  }

  #settle(key: unknown, entry: Entry, value: PromiseLike<unknown>): void {
    value.then(
      (result) => {
        entry.value = result;
        entry.isPending = false;
      },
      () => {
        // The items that wait for it fail with it; the next one with this key asks again.
        if (this.#entries.get(key) === entry) this.#entries.delete(key);
      },
    );
  }
}
