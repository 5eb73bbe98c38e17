import { carrying, type ItemContext } from '../../engine/call-context.js';
import { plain, within } from '../../engine/carried.js';
import { Edge } from '../../engine/edge.js';
import { Guard } from '../../engine/guard.js';
import type { ItemPolicy } from '../../engine/item-policy.js';
import { type AsyncFunction, type ByKey, MapAsync } from '../../engine/map-async.js';
import { openPair } from '../../engine/pair.js';
import type { OperatorSpec, StepSpec } from '../../engine/spec.js';
import { type Stage, stageOf } from '../../engine/stage.js';
import { WaitingSlot } from '../../engine/waiting-slot.js';
import { MAP_ASYNC, MAP_ASYNC_GUARDED, MAP_ASYNC_TIMED } from '../../engine/waiting-steps.js';
import { checkBoolean, checkCount, checkFunction, checkOptions } from '../../internal/arguments.js';
import { type EdgeOptions, edgeMark } from '../edge-options.js';
import { ITEM_POLICY_OPTIONS, type ItemPolicyOptions, itemPolicy } from './item-policy.js';

export type { ItemContext };

/**
 * How a stage runs a function on several items at once, and how much may wait before it: nothing by default.
 *
 * @typeParam I - What comes in.
 */
export interface ConcurrencyOptions<I = unknown> extends EdgeOptions<NoInfer<I>> {
  /** What the stage is called in errors, plans and figures. Default: the name of its function. */
  readonly name?: string;
  /** How many items are in service at once, results that wait to be handed on included; 1 or more. Default: 1. */
  readonly concurrency?: number;
  /** Whether results leave in the order of their items; if not, in that of their completion. Default: `true`. */
  readonly ordered?: boolean;
}

/**
 * How `mapAsync()` runs its function on several items at once, and what becomes of those on which it fails.
 *
 * @typeParam I - What comes in.
 * @typeParam F - What `onError: fallback(fn)` gives.
 */
export interface MapAsyncOptions<I, F = never> extends ConcurrencyOptions<I>, ItemPolicyOptions<I, F> {
  /**
   * What items have in common that must not be in service at once: those of the same key, compared as `Map` keys are, are
   * taken one after the other, in order, tries and waiting in between included; others run meanwhile. Those that wait for
   * their key, or a slot, may be as many as `highWaterMark` beyond `concurrency`. Default: all may be.
   */
  readonly keyBy?: (item: NoInfer<I>) => unknown;
}

/** The names of {@link MapAsyncOptions}, for the checks. */
export const CONCURRENCY_OPTIONS: readonly string[] = [
  'name',
  'concurrency',
  'ordered',
  'highWaterMark',
  'size',
  ...ITEM_POLICY_OPTIONS,
];

/**
 * Replaces each item by what an asynchronous function makes of it, several at a time.
 *
 * Contract
 * - Order: kept, or that of completion with `ordered: false`; with `keyBy` then still kept for each key.
 * - Holds: at most `concurrency` items, from when they are taken until their results are handed on, and `highWaterMark`
 *   that wait for a slot, or for their key.
 * - Backpressure: takes an item when a slot is free; tasks under way go on while the consumer is slow. Before `take(n)`
 *   up to `concurrency` items more than `n` may be read.
 * - Failure: as `onError` says, behind the tries of `retry`; what `keyBy` throws at once. With `'fail'` the first
 *   failure, in order, fails the pipeline
 *   after the results before it; later ones are its `others`. An item keeps its slot until it is dealt with.
 * - Cancel: aborts `signal`, cancels upstream with the same reason; what is in service is counted as abandoned.
 *
 * @typeParam I - What comes in.
 * @typeParam O - What goes out.
 * @typeParam F - What `onError: fallback(fn)` gives.
 * @param fn - Is given the item and `{ index, signal, attempt, origin }`; may return a promise or a plain value.
 * @param options - `concurrency` (default 1), `ordered` (default `true`), `keyBy` (default: none), `highWaterMark` (default 0) with `size`, `onError` (default
 *   `'fail'`), `retry` (default: none), `timeoutMs` for each call (default: no limit), `name`.
 * @returns A stage from `I` to `O`.
 * @throws RangeError `ERR_CORE_ARGUMENT` when `concurrency` is not a whole number of 1 or more.
 * @remarks Elsewhere: RxJS `mergeMap`, `concatMap`; Rust `buffered`, `buffer_unordered`; Akka `mapAsync`, `mapAsyncUnordered`; Node `map` with `concurrency`.
 *
 * @example Two at a time, in order
 * ```ts
 * const slowly = mapAsync(async (n: number) => n * 10, { concurrency: 2 });
 * assert.deepEqual(await from([1, 2, 3]).pipeThrough(slowly).toArray(), [10, 20, 30]);
 * ```
 *
 * @example The changes of each account one after the other, those of others meanwhile
 * ```ts
 * const balances = new Map<string, number>();
 * const book = async ({ account, amount }: { account: string; amount: number }) => {
 *   const before = balances.get(account) ?? 0;
 *   await Promise.resolve(); // another change of the account would be lost here
 *   balances.set(account, before + amount);
 * };
 * const changes = [{ account: 'a', amount: 1 }, { account: 'a', amount: 2 }, { account: 'b', amount: 4 }];
 * const booking = mapAsync(book, { concurrency: 8, keyBy: ({ account }) => account, highWaterMark: 64 });
 * await from(changes).pipeThrough(booking).count();
 * assert.deepEqual([...balances].sort(), [['a', 3], ['b', 4]]);
 * ```
 *
 * @example Three tries each, then leave it out
 * ```ts
 * const flaky = async (n: number, { attempt }: ItemContext) => {
 *   if (n === 2 || attempt < 2) throw new Error('busy');
 *   return n;
 * };
 * const tried = mapAsync(flaky, { retry: { attempts: 3, backoffMs: 1 }, timeoutMs: 1_000, onError: 'skip' });
 * assert.deepEqual(await from([1, 2, 3]).pipeThrough(tried).toArray(), [1, 3]);
 * ```
 */
export function mapAsync<I, O, F = never>(
  fn: (item: I, context: ItemContext) => O | PromiseLike<O>,
  options: MapAsyncOptions<I, F> = {},
): Stage<I, Awaited<O> | Awaited<F>> {
  checkFunction('mapAsync()', 'fn', fn);
  checkOptions('mapAsync()', options, [...CONCURRENCY_OPTIONS, 'keyBy']);
  const { keyBy, ...others } = options;
  if (keyBy !== undefined) checkFunction('mapAsync()', 'keyBy', keyBy);
  return stageOf(
    concurrentSpec('mapAsync', fn as AsyncFunction, others, keyBy as ByKey['keyBy'] | undefined),
    openPair,
  );
}

/** The specification of a stage that runs `call` on several items at once. */
export function concurrentSpec(
  where: string,
  call: AsyncFunction,
  options: ConcurrencyOptions<never> & ItemPolicyOptions<never, unknown>,
  keyBy?: ByKey['keyBy'],
): OperatorSpec {
  checkOptions(`${where}()`, options, CONCURRENCY_OPTIONS);
  const { name = where, concurrency = 1, ordered = true } = options;
  checkCount(`${where}()`, 'concurrency', concurrency, 1);
  checkBoolean(`${where}()`, 'ordered', ordered);
  const { highWaterMark, size } = edgeMark(`${where}()`, options) ?? { highWaterMark: 0, size: undefined };
  const policy = itemPolicy(`${where}()`, options);
  return {
    type: 'operator',
    name,
    highWaterMark,
    size,
    inService: concurrency,
    detail: `concurrency${ordered ? '' : ', unordered'}${keyBy === undefined ? '' : ', by key'}`,
    weight: 'same',
    keepsOrder: ordered,
    carries: true,
    asStep:
      concurrency === 1 && highWaterMark === 0 && keyBy === undefined ? waitingStep(name, call, policy) : undefined,
    open(upstream, context) {
      // By key, others run past those that wait: these wait in the stage, where they don't weigh.
      const isAhead = keyBy !== undefined && size === undefined;
      const edge = highWaterMark > 0 && !isAhead ? new Edge(upstream, highWaterMark, context, true, size) : upstream;
      const own = context.carries ? carrying(call) : call;
      const guard = policy === undefined ? undefined : new Guard(own, policy, context);
      const keyOf = keyBy && context.carries ? (item: unknown) => within(item, () => keyBy(plain(item))) : keyBy;
      const byKey = keyOf && { keyBy: keyOf, highWaterMark: isAhead ? highWaterMark : 0 };
      return new MapAsync(own, concurrency, ordered, edge, context, guard, byKey);
    },
  };
}

/** The stage as a step that waits for one promise after the other. */
function waitingStep(name: string, call: AsyncFunction, policy: ItemPolicy | undefined): StepSpec {
  const step = { type: 'step', name, params: [call], weight: 'same', slot: WaitingSlot } as const;
  if (policy === undefined) return { ...step, kind: MAP_ASYNC };
  const kind = policy.timeoutMs === undefined ? MAP_ASYNC_GUARDED : MAP_ASYNC_TIMED;
  return { ...step, kind, guard: (context) => new Guard(call, policy, context) };
}
