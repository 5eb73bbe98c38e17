import { openPair } from '../../engine/pair.js';
import { type Stage, stageOf } from '../../engine/stage.js';
import { Collected, WhileBusy } from '../../engine/while-busy.js';
import { checkCount, checkOptions } from '../../internal/arguments.js';

/** How large a batch may grow while the consumer is busy. */
export interface BatchWhileBusyOptions {
  /** The most items in a batch, 1 or more. */
  readonly maxItems: number;
  /** What the stage is called in errors, plans and figures. Default: `'batchWhileBusy'`. */
  readonly name?: string;
}

/**
 * Collects what arrives while the consumer is busy into one array; a consumer that is not gets an item at once.
 *
 * So batches are as large as the consumer is slow: no time to choose, and nothing waits without need. Busy is a consumer
 * that does not ask; one that lets batches wait on an edge of its own (a sink, unless it is told `highWaterMark: 0`)
 * asks until that is full.
 *
 * Contract
 * - Order: kept. No batch is empty, or longer than `maxItems`.
 * - Holds: the batch that is being collected, at most `maxItems`; in the bound a batch counts as its `maxItems`.
 * - Backpressure: reads on while the consumer is busy, until `maxItems` are collected.
 * - Failure: an upstream error comes behind what was collected before it, which is handed on.
 * - Cancel: cancelling downstream cancels upstream with the same reason; what is collected is counted as abandoned.
 * - Checkpoint: what is collected is handed on before a barrier passes.
 *
 * @typeParam T - What comes in.
 * @param options - `maxItems`; `name` (default `'batchWhileBusy'`).
 * @returns A stage from `T` to `T[]`.
 * @throws TypeError or RangeError `ERR_CORE_ARGUMENT` when `maxItems` is not a whole number of 1 or more.
 * @remarks Elsewhere: RxJS –; Rust `ready_chunks`; Akka `batch`; Node –.
 *
 * @example Write what has gathered while the last write was under way
 * ```ts
 * const written: number[] = [];
 * const write = mapAsync(async (rows: number[]) => void written.push(...rows));
 * await from([1, 2, 3]).pipeThrough(batchWhileBusy({ maxItems: 500 })).pipeThrough(write).count();
 * assert.deepEqual(written, [1, 2, 3]);
 * ```
 * @see https://doc.akka.io/docs/akka/current/stream/operators/Source-or-Flow/batch.html
 */
export function batchWhileBusy<T>(options: BatchWhileBusyOptions): Stage<T, T[]> {
  checkOptions('batchWhileBusy()', options, ['name', 'maxItems']);
  const { name = 'batchWhileBusy', maxItems } = options;
  checkCount('batchWhileBusy()', 'maxItems', maxItems, 1);
  return stageOf(
    {
      type: 'operator',
      name,
      highWaterMark: 0,
      inService: maxItems,
      detail: 'open batch',
      carries: true,
      weight: { times: maxItems },
      open: (upstream, context) => new WhileBusy(upstream, context, new Collected(maxItems, context)),
    },
    openPair,
  );
}
