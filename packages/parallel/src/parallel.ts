import type { EdgeOptions, ErrorPolicy, RetryOptions, Stage } from '@millrace/core';
import {
  checkBoolean,
  checkCount,
  checkFunction,
  checkMs,
  checkOptions,
  edgeMark,
  itemPolicy,
  operator,
  outOfRange,
  roomFor,
  wrongType,
} from '@millrace/core/authoring';
import type { Pool } from './pool/pool.js';
import { ParallelStage } from './stage/parallel-stage.js';
import type { StagePlan } from './stage/stage-plan.js';
import type { WorkerContext } from './worker/context.js';
import type { Transferred } from './worker/transferred.js';
import { POOL, type WorkerModule } from './worker-module.js';

/** The names of the functions of a module that take an item. */
export type WorkerFunctions<M extends object> = {
  [K in keyof M]: M[K] extends (item: never, context: WorkerContext) => unknown ? K : never;
}[keyof M] &
  string;

/** What a function of a worker module takes. */
export type ItemOf<F> = F extends (item: infer I, context: WorkerContext) => unknown ? I : never;

/** What a function of a worker module makes of an item: what it returns, awaited, and what `transferred()` wraps. */
export type ResultOf<F> = F extends (item: never, context: WorkerContext) => infer R ? Unwrapped<Awaited<R>> : never;

type Unwrapped<R> = R extends Transferred<infer V> ? V : R;

/**
 * How a parallel stage behaves.
 *
 * @typeParam I - What comes in.
 * @typeParam F - What `onError: fallback(fn)` gives.
 */
export interface ParallelOptions<I, F = never> extends EdgeOptions<I> {
  /** What the stage is called in errors, plans and figures. Default: `'parallel'`. */
  readonly name?: string;
  /** Whether results leave in the order of their items; if not, as bursts of them are finished. Default: `true`. */
  readonly ordered?: boolean;
  /**
   * How many items may wait before the stage. Default: 256; behind a batch, as many as have 256 members. Make it 1 where
   * each item is a large buffer, or give a `size`.
   */
  readonly highWaterMark?: number | QueuingStrategy<I>;
  /**
   * How many items may be with the workers, those included that are finished and wait to be handed on; 1 or more. As much
   * as is useful is used: 8 bursts for each worker, so items of more than half a millisecond stay at 8. Default: 512 for each
   * worker; behind a batch, as many as have 512 members, and 2 at least.
   */
  readonly maxItemsInWorkers?: number;
  /** What an item moves to the worker, and the main thread loses, in place of copying it. Default: nothing. */
  readonly transfer?: (item: I) => readonly Transferable[];
  /**
   * What becomes of an item that the function throws on, that can't be cloned, that is stuck, or whose worker dies: `'fail'`
   * fails the run, `'skip'` leaves it out, `deadLetter(writable)` writes it to a stream, without what was moved of it, and
   * `fallback(fn)` gives another result, on this thread, one item after the other. Default: `'fail'`.
   */
  readonly onError?: ErrorPolicy<I, F | PromiseLike<F>>;
  /**
   * Tries an item again, by itself and not its burst, on which the function threw or that was stuck; it stays one of
   * `maxItemsInWorkers`, and in order keeps its place, meanwhile. Not with `transfer`. Default: never.
   */
  readonly retry?: RetryOptions;
  /**
   * What becomes of an item whose worker dies: what `onError` says at once (`'fail'`), or `'retry'` first: by the rules of
   * `retry`, where that is given, or once more at once. Results that were lost with the worker are made again with
   * `'retry'`, and wherever the run goes on, so the function may see an item twice. Default: `'fail'`.
   */
  readonly onWorkerDeath?: 'fail' | 'retry';
  /** How long one try of an item may take, in milliseconds; the worker is ended within a quarter more. Default: no limit. */
  readonly timeoutMs?: number;
  /** How long functions may go on when the run ends early before their worker is ended, in milliseconds. Default: 250. */
  readonly abortGraceMs?: number;
}

const OPTIONS: readonly (keyof ParallelOptions<unknown>)[] = [
  'name',
  'ordered',
  'highWaterMark',
  'size',
  'maxItemsInWorkers',
  'transfer',
  'onError',
  'retry',
  'onWorkerDeath',
  'timeoutMs',
  'abortGraceMs',
];
const WHERE = 'parallel()';
const ITEMS_PER_WORKER = 512;

/**
 * Replaces each item by what a function of a worker module makes of it, on several threads.
 *
 * Items cross in bursts of half a millisecond of work, two for each worker: one that it works on, one that waits beside
 * it. A worker calls the function on one item at a time; a promise it returns is awaited. Items and results are cloned,
 * as `structuredClone()` does, or moved: `transfer` for items, `transferred()` of `@millrace/parallel/worker` for results.
 *
 * Contract
 * - Order: kept, or that of finished bursts with `ordered: false`.
 * - Holds: at most `maxItemsInWorkers` items, from when they are taken until their results are handed on.
 * - Backpressure: takes items when a worker has room for a burst; workers go on while the consumer is slow, up to the limit.
 * - Failure: what the function throws arrives with its class name, message, stack, cause and own properties, as the cause
 *   of a `StageError` behind the results before it, or is dealt with alone as `onError` says, behind the tries of `retry`.
 *   A worker that dies or is stuck fails the item that it was at; what was moved to it with that item is lost too. A
 *   module that can't be used, and more deaths in a row than its `maxRestarts`, fail the run.
 * - Cancel: ends the waits between tries, aborts the function's `signal`, ends a worker that goes on for `abortGraceMs`; what is inside is abandoned.
 *
 * @typeParam M - What the module exports.
 * @typeParam K - The name of the function.
 * @typeParam F - What `onError: fallback(fn)` gives.
 * @param module - From `workerModule()`: `workerModule<typeof import('./score.js')>(new URL('./score.js', import.meta.url))`.
 * @param exportName - The name of an exported function; it is given the item and a {@link WorkerContext}.
 * @param options - `ordered` (default `true`), `maxItemsInWorkers` (default 512 for each worker), `highWaterMark` (default
 *   256), `transfer`, `onError` (default `'fail'`), `retry` (default: none), `onWorkerDeath` (default `'fail'`), `timeoutMs`
 *   for each try (default: no limit), `abortGraceMs` (default 250), `name`.
 * @returns A stage from the function's item to its result.
 * @throws RangeError `ERR_CORE_ARGUMENT` for a wrong option, or `transfer` with `retry` or `onWorkerDeath: 'retry'`: what
 *   was moved can't be sent again.
 * @remarks Elsewhere: RxJS –; Rust `par_iter` of rayon, `spawn_blocking`; Akka `mapAsyncUnordered` on another dispatcher; Node `worker_threads`.
 *
 * @example Halves, with at most 64 items in the hands of the workers
 * ```ts
 * import { from } from '@millrace/core';
 * const url = new URL('data:text/javascript,export const half = (n) => n / 2');
 * const module = workerModule<{ half(n: number): number }>(url, { workers: 2 });
 * const halves = from([2, 4]).pipeThrough(parallel(module, 'half', { maxItemsInWorkers: 64 }));
 * assert.match(halves.explain().toString(), /maxItemsInWorkers: 64/);
 * assert.deepEqual(await halves.toArray(), [1, 2]);
 * ```
 *
 * @example Three tries of each item, then a value in place of its result
 * ```ts
 * import { fallback, from } from '@millrace/core';
 * type Flaky = { price(id: number, context: { attempt: number }): number };
 * const code = 'export const price = (id, { attempt }) => { if (id === 2 || attempt < 2) throw new Error("busy"); return id * 10 }';
 * const module = workerModule<Flaky>(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { workers: 1 });
 * const stage = parallel(module, 'price', { retry: { attempts: 3, backoffMs: 1 }, onError: fallback(() => 0) });
 * assert.deepEqual(await from([1, 2, 3]).pipeThrough(stage).toArray(), [10, 0, 30]);
 * ```
 */
export function parallel<M extends object, K extends WorkerFunctions<M>, F = never>(
  module: WorkerModule<M>,
  exportName: K,
  options: ParallelOptions<ItemOf<M[K]>, F> = {},
): Stage<ItemOf<M[K]>, ResultOf<M[K]> | Awaited<F>> {
  const pool: Pool | undefined = module?.[POOL];
  if (pool === undefined) throw wrongType(WHERE, 'module', module, 'what workerModule() returns');
  const plan = checkedPlan(exportName, options);
  const { name = 'parallel' } = options;
  const { highWaterMark, size } = edgeMark(WHERE, options) ?? { highWaterMark: roomFor(256), size: undefined };
  return operator<ItemOf<M[K]>, ResultOf<M[K]> | Awaited<F>>({
    name,
    highWaterMark,
    size,
    keepsOrder: plan.ordered,
    inService:
      plan.maxItemsInWorkers ?? ((weight) => pool.options.workers * Math.max(2, roomFor(ITEMS_PER_WORKER)(weight))),
    detail: `maxItemsInWorkers${plan.ordered ? '' : ', unordered'}`,
    carries: true,
    open: (upstream, context, { inService }) =>
      new ParallelStage({ ...plan, maxItemsInWorkers: inService }, pool, upstream, context) as never,
  });
}

/** A plan whose room, where it is not given, depends on what an item stands for. */
type CheckedPlan = Omit<StagePlan, 'maxItemsInWorkers'> & { readonly maxItemsInWorkers: number | undefined };

function checkedPlan<I>(exportName: string, options: ParallelOptions<I, unknown>): CheckedPlan {
  if (typeof exportName !== 'string') throw wrongType(WHERE, 'exportName', exportName, 'the name of an export');
  checkOptions(WHERE, options, OPTIONS);
  const { ordered = true, maxItemsInWorkers, onWorkerDeath = 'fail', transfer } = options;
  const { timeoutMs, abortGraceMs = 250 } = options;
  checkBoolean(WHERE, 'ordered', ordered);
  if (maxItemsInWorkers !== undefined) checkCount(WHERE, 'maxItemsInWorkers', maxItemsInWorkers, 1);
  if (transfer !== undefined) checkFunction(WHERE, 'transfer', transfer);
  if (timeoutMs !== undefined) checkMs(WHERE, 'timeoutMs', timeoutMs, 1);
  checkMs(WHERE, 'abortGraceMs', abortGraceMs, 0);
  const { onError, retry } = itemPolicy(WHERE, options) ?? { onError: 'fail' as const, retry: undefined };
  const moved = transfer === undefined ? '' : " with transfer: what was moved can't be sent again";
  if (retry !== undefined && transfer !== undefined) throw outOfRange(WHERE, 'retry', options.retry, `absent${moved}`);
  const allowed = transfer === undefined ? ['fail', 'retry'] : ['fail'];
  if (!allowed.includes(onWorkerDeath)) {
    const list = allowed.map((each) => `"${each}"`).join(' or ');
    throw outOfRange(WHERE, 'onWorkerDeath', onWorkerDeath, `${list}${moved}`);
  }
  const isRetrying = onWorkerDeath === 'retry';
  return { exportName, ordered, maxItemsInWorkers, timeoutMs, abortGraceMs, isRetrying, transfer, onError, retry };
}
