import type { Clock } from '../../clock.js';
import { openPair } from '../../engine/pair.js';
import { SeenKeys } from '../../engine/seen-keys.js';
import { type Stage, stageOf } from '../../engine/stage.js';
import { DEDUPE } from '../../engine/steps.js';
import { checkCount, checkFunction, checkMs, outOfRange } from '../../internal/arguments.js';
import type { NotPromise } from '../not-promise.js';
import { type CallOptions, checkCallOptions } from '../step-options.js';

/**
 * What makes an item a duplicate, and what is remembered.
 *
 * @typeParam T - What passes.
 * @typeParam K - The keys.
 */
export interface DedupeOptions<T, K = unknown> extends CallOptions<T, unknown> {
  /** What to compare items by, as the keys of a `Map` are. Default: the item itself. */
  readonly key?: (item: T, index: number) => NotPromise<K>;
  /** How long a key is remembered from the item on that passed with it, in milliseconds. Default: without limit. */
  readonly ttlMs?: number;
  /** How many keys are remembered, from 1 to 8,388,608 (2²³); for one more the oldest is forgotten. Default: 100,000. */
  readonly maxKeys?: number;
}

/**
 * Leaves out items whose key came before, among the last `maxKeys` keys and `ttlMs` milliseconds.
 *
 * A key is remembered from the item on that passed with it; duplicates do not make that longer. So of items with one key
 * that come all the time, one passes every `ttlMs`. When `maxKeys` are remembered, the one that passed first is forgotten,
 * and its next item passes again: choose more than can come between an item and its duplicates.
 *
 * Contract
 * - Order: kept. Of items with one key the first passes; the others are counted as deduped.
 * - Holds: at most `maxKeys` keys, no items.
 * - Backpressure: reads on until an item passes, once one is asked for.
 * - Failure: `key` throwing is dealt with as `onError` says: by default it fails the pipeline, as the cause of a
 *   `StageError`.
 * - Cancel: cancelling downstream cancels upstream with the same reason.
 * - Checkpoint: the keys are part of it, with their ages, so they must be values that the structured clone algorithm
 *   takes; what is compared by identity, as objects are, is not known again. The time between two runs does not count.
 *
 * @typeParam T - What passes.
 * @typeParam K - The keys.
 * @param options - `key` (default: the item itself), `ttlMs` (default: without limit), `maxKeys` (default 100,000), `name`
 *   (default `'dedupe'`), `onError` for `key` (default `'fail'`), `highWaterMark` (default: none, fused).
 * @returns A stage from `T` to `T`.
 * @throws TypeError or RangeError `ERR_CORE_ARGUMENT` when an option is unknown, of a wrong type or out of range.
 * @remarks Elsewhere: RxJS `distinct`; Rust `unique`, `unique_by`; Akka –; Node –.
 *
 * @example Each order once, also when it is sent again
 * ```ts
 * const orders = from([{ id: 7 }, { id: 8 }, { id: 7 }]);
 * const once = dedupe<{ id: number }>({ key: ({ id }) => id, maxKeys: 10_000 });
 * assert.deepEqual(await orders.pipeThrough(once).toArray(), [{ id: 7 }, { id: 8 }]);
 * ```
 */
export function dedupe<T, K = unknown>(options: DedupeOptions<T, K> = {}): Stage<T, T> {
  checkCallOptions('dedupe()', options, ['key', 'ttlMs', 'maxKeys']);
  const { name = 'dedupe', highWaterMark, onError, key = itself, ttlMs, maxKeys = 100_000 } = options;
  checkFunction('dedupe()', 'key', key);
  if (ttlMs !== undefined) checkMs('dedupe()', 'ttlMs', ttlMs, 0);
  checkCount('dedupe()', 'maxKeys', maxKeys, 1);
  if (maxKeys > MOST_KEYS) throw outOfRange('dedupe()', 'maxKeys', maxKeys, `${MOST_KEYS} or less`);
  const open = (clock: Clock): SeenKeys => new SeenKeys(maxKeys, ttlMs, clock);
  const spec = { name, highWaterMark, onError, kind: DEDUPE, params: [key], seed: open };
  return stageOf({ type: 'step', ...spec, weight: 'same' }, openPair);
}

const itself = (item: unknown): unknown => item;

/** A `Map` takes up to 2²⁴ entries, and until it is tidied those that were deleted count. */
const MOST_KEYS = 2 ** 23;
