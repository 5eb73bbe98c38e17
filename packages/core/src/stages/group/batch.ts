import { OpenBatch } from '../../engine/open-batch.js';
import { openPair } from '../../engine/pair.js';
import type { ErrorPolicy } from '../../engine/rejects.js';
import { type Stage, stageOf } from '../../engine/stage.js';
import { BATCH, BATCH_BY_SIZE } from '../../engine/steps.js';
import { TimedBatch } from '../../engine/timed-batch.js';
import { checkCount, checkFunction, checkMs, outOfRange } from '../../internal/arguments.js';
import { type CallOptions, checkCallOptions, checkStepOptions } from '../step-options.js';

/** What closes a batch: whichever limit is reached first. */
export interface BatchOptions<T> extends CallOptions<T, number> {
  /** The most items in a batch, 1 or more. Without it what the stage holds has no bound in items. */
  readonly maxItems?: number;
  /** The most bytes in a batch, by `sizeOf`, 1 or more; an item that is larger alone is a batch of its own. */
  readonly maxBytes?: number;
  /** How many bytes an item counts; required with `maxBytes`. */
  readonly sizeOf?: (item: T) => number;
  /** How long a batch waits to fill from its first item on, in milliseconds. Default: without limit. */
  readonly maxWaitMs?: number;
}

/**
 * Collects items into arrays, each closed by count, bytes or time, whichever comes first.
 *
 * Contract
 * - Order: kept. The last batch may be shorter; none is ever empty.
 * - Holds: the open batch, at most `maxItems`; in the bound a batch counts as its `maxItems`. Without `maxWaitMs`, an item
 *   that closes a batch which it does not fit into, and fills the next one alone, waits for the item behind it.
 * - Backpressure: does not read while a finished batch waits for the consumer.
 * - Failure: `sizeOf` throwing is dealt with as `onError` says, which only a batch by bytes takes; by default it fails the pipeline. An upstream error discards the open batch (its items are counted as abandoned) and is passed on as it is.
 * - Cancel: cancelling downstream cancels upstream with the same reason.
 * - Checkpoint: the open batch is handed on before a barrier passes.
 *
 * @typeParam T - What comes in.
 * @param options - At least one of `maxItems`, `maxBytes` (with `sizeOf`), `maxWaitMs`; `name` (default `'batch'`), `onError`,
 *   `highWaterMark` (default: none).
 * @returns A stage from `T` to `T[]`.
 * @throws RangeError `ERR_CORE_ARGUMENT` when no limit is given or one is out of range.
 * @remarks Elsewhere: RxJS `bufferCount`, `bufferTime`; Rust `chunks`, `chunks_timeout`; Akka `grouped`, `groupedWithin`, `groupedWeighted`; Node –.
 *
 * @example Insert rows two at a time
 * ```ts
 * assert.deepEqual(await from([1, 2, 3]).pipeThrough(batch({ maxItems: 2 })).toArray(), [[1, 2], [3]]);
 * ```
 */
export function batch<T>(options: BatchOptions<T>): Stage<T, T[]> {
  // Where nothing of the user is called there is nothing to have a policy for.
  (options?.maxBytes !== undefined ? checkCallOptions : checkStepOptions)('batch()', options, [
    'maxItems',
    'maxBytes',
    'sizeOf',
    'maxWaitMs',
  ]);
  const { name = 'batch', highWaterMark, onError, maxItems, maxBytes, sizeOf, maxWaitMs } = options;
  if (maxItems === undefined && maxBytes === undefined && maxWaitMs === undefined) {
    throw outOfRange('batch()', 'the limit', undefined, 'at least one of "maxItems", "maxBytes" and "maxWaitMs"');
  }
  if (maxItems !== undefined) checkCount('batch()', 'maxItems', maxItems, 1);
  if (maxBytes !== undefined) checkCount('batch()', 'maxBytes', maxBytes, 1);
  if (maxBytes !== undefined || sizeOf !== undefined) checkFunction('batch()', 'sizeOf', sizeOf);
  if (maxWaitMs !== undefined) checkMs('batch()', 'maxWaitMs', maxWaitMs, 0);
  const most = maxItems ?? Number.POSITIVE_INFINITY;
  const weight = { times: most };
  const size = sizeOf as ((item: unknown) => number) | undefined;
  if (maxWaitMs !== undefined) {
    return stageOf(
      {
        type: 'operator',
        name,
        highWaterMark: highWaterMark ?? 0,
        inService: most,
        detail: 'open batch',
        keepsOrder: true,
        gathers: true,
        carries: true,
        weight,
        open: (upstream, context) =>
          new TimedBatch(
            upstream,
            context,
            new OpenBatch(most, maxBytes),
            size,
            maxWaitMs,
            onError as ErrorPolicy<unknown, number>,
          ),
      },
      openPair,
    );
  }
  const kind = maxBytes === undefined ? BATCH : BATCH_BY_SIZE;
  const params = maxBytes === undefined ? [most] : [size, most, maxBytes];
  return stageOf({ type: 'step', name, highWaterMark, onError, kind, params, weight }, openPair);
}
