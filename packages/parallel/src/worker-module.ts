import { checkCount, checkMs, checkOptions, wrongType } from '@millrace/core/authoring';
import { Pool } from './pool/pool.js';
import { threadsAtOnce } from './threads.node.js';

/** Where a stage finds the workers of a module. */
export const POOL: unique symbol = Symbol('millrace.pool');

declare const MODULE: unique symbol;

/** How many workers a module has, and what they may use. */
export interface WorkerModuleOptions {
  /**
   * How many threads run the module at most. Default: as many as the machine runs at once. The main thread mostly waits
   * while they work, and on two cores one less would be none at all; leave one out where it has much to do itself.
   */
  readonly workers?: number;
  /** The most heap a worker may use, in megabytes; beyond it dies. Default: what the platform gives a thread. */
  readonly memoryLimitMb?: number;
  /** How many workers may die in a row, with no burst finished in between, before runs fail. Default: 8. */
  readonly maxRestarts?: number;
  /** How long the module may take to load, in milliseconds. Default: 30,000. */
  readonly startTimeoutMs?: number;
}

/**
 * A module whose functions run on worker threads, and the threads. Made by {@link workerModule}.
 *
 * @typeParam M - What the module exports.
 */
export interface WorkerModule<M extends object> {
  /** Where the module is loaded from. */
  readonly href: string;
  /** How many threads run it at most. */
  readonly workers: number;
  /** Ends the threads; runs that use them fail. Not needed to let the process end: idle threads do not keep it alive. */
  close(): Promise<void>;
  /** The same as {@link WorkerModule.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
  /** @internal */
  readonly [POOL]: Pool;
  /** @internal */
  readonly [MODULE]?: M;
}

/**
 * Names a module whose functions run on worker threads, typed from the module itself.
 *
 * Nothing is loaded until a run has items for it. Threads are then started as they are needed, and used again by later
 * runs and by other stages on the same module. A bundler that builds the program must be told of the module, as it is
 * loaded by its URL.
 *
 * @typeParam M - What the module exports: `typeof import('./score.js')`.
 * @param url - Where the module is: `new URL('./score.js', import.meta.url)`. Node runs it as it is, so it must be JavaScript.
 * @param options - `workers` (default: one for each core), `memoryLimitMb`, `maxRestarts` (default 8), `startTimeoutMs` (default 30,000).
 * @returns A handle for `parallel()`, to be closed when the threads are no longer wanted.
 * @throws TypeError `ERR_CORE_ARGUMENT` when `url` is not a `URL`.
 *
 * @example Functions of a module, here one that is written in its URL
 * ```ts
 * import { from } from '@millrace/core';
 * type Functions = { square(n: number): number };
 * const url = new URL('data:text/javascript,export const square = (n) => n * n');
 * await using functions = workerModule<Functions>(url, { workers: 1 });
 * assert.deepEqual(await from([1, 2, 3]).pipeThrough(parallel(functions, 'square')).toArray(), [1, 4, 9]);
 * ```
 */
export function workerModule<M extends object>(url: URL, options: WorkerModuleOptions = {}): WorkerModule<M> {
  const where = 'workerModule()';
  if (!(url instanceof URL)) throw wrongType(where, 'url', url, 'a URL');
  checkOptions(where, options, ['workers', 'memoryLimitMb', 'maxRestarts', 'startTimeoutMs']);
  const { workers = threadsAtOnce(), memoryLimitMb, maxRestarts = 8, startTimeoutMs = 30_000 } = options;
  checkCount(where, 'workers', workers, 1);
  if (memoryLimitMb !== undefined) checkCount(where, 'memoryLimitMb', memoryLimitMb, 1);
  checkCount(where, 'maxRestarts', maxRestarts, 0);
  checkMs(where, 'startTimeoutMs', startTimeoutMs, 1);
  const pool = new Pool(url.href, { workers, memoryLimitMb, maxRestarts, startTimeoutMs });
  return {
    href: url.href,
    workers,
    close: () => pool.close(),
    [Symbol.asyncDispose]: () => pool.close(),
    [POOL]: pool,
  };
}
