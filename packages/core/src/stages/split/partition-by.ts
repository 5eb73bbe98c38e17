import { feedSource, keyedStage } from '../../engine/keyed-stage.js';
import { openPair } from '../../engine/pair.js';
import type { ErrorPolicy } from '../../engine/rejects.js';
import type { Chain, SourceSpec } from '../../engine/spec.js';
import { type Stage, stageOf } from '../../engine/stage.js';
import { checkCount, checkFunction, checkOptions, outOfRange, wrongType } from '../../internal/arguments.js';
import { Pipeline } from '../../pipeline.js';
import { type EdgeOptions, edgeMark } from '../edge-options.js';
import { checkPolicy } from '../fault/fallback.js';
import type { NotPromise } from '../not-promise.js';

/**
 * How many keys there may be, and what becomes of one more.
 *
 * @typeParam T - What comes in.
 * @typeParam K - The keys.
 */
export interface PartitionByOptions<T = never, K = unknown> extends EdgeOptions<T> {
  /** How many keys may be open at a time, 1 or more. */
  readonly maxKeys: number;
  /**
   * What becomes of one key more: `'evict'` completes the key that was used least recently, whose sub-pipeline hands on
   * what it holds; if that key comes again it begins anew. The first time, the run warns of it. `'fail'` ends the run with
   * `ERR_CORE_KEYS`. Default: `'evict'`.
   */
  readonly overflow?: 'evict' | 'fail';
  /**
   * How many items of each key may wait for their sub-pipeline, 1 or more; with a `size`, how much they may weigh. Default:
   * 1 item.
   */
  readonly highWaterMark?: number | QueuingStrategy<T>;
  /**
   * What becomes of an item on which `key` fails: `'fail'` fails the run, `'skip'` leaves it out, `deadLetter(writable)`
   * writes it to a stream, which the stage waits for, and `fallback(fn)` gives another key. Default: `'fail'`.
   */
  readonly onError?: ErrorPolicy<T, K>;
  /** What the stage is called in errors, plans and figures; behind it is `'partitionBy merge'`. Default: `'partitionBy'`. */
  readonly name?: string;
}

/**
 * Gives the items of each key a sub-pipeline of their own, made when the key first comes, and merges what they make.
 *
 * `build` is called once, with a branch that stands for any key: all sub-pipelines are instances of what it returns, each
 * with its own state, so that the plan, its bound and its names are known before a key is. Where a step needs the key,
 * it has the item.
 *
 * No sub-pipeline waits for another: each is asked for items, whatever the others do. Only reading waits, for the key of the
 * next item, when as many of its items wait as may; with a consumer that goes on, that always ends. A key is open until the
 * end, or until it is evicted; one whose sub-pipeline has ended early, by a `take()`, drops the rest of its items.
 *
 * Contract
 * - Order: that of the items of each key; among keys, of arrival.
 * - Holds: 64 items that are read and not yet told apart; for each of `maxKeys` keys at most `highWaterMark` items, what its
 *   sub-pipeline may hold, and one that it has made.
 * - Backpressure: reads on when what was read has found room, and the consumer asks.
 * - Failure: that of one sub-pipeline fails the run, with the index among the items of its key; what `key` throws is dealt
 *   with as `onError` says, and by default fails it too, with the index among all. What was made before it is handed on.
 * - Cancel: cancelling downstream cancels all sub-pipelines, and upstream with the same reason.
 *
 * Marks: a watermark or a flush goes through all sub-pipelines, then on. A run with checkpoints is refused.
 *
 * @typeParam T - What comes in.
 * @typeParam O - What goes out.
 * @typeParam K - The keys.
 * @param key - Gives the key of an item, as of a `Map`; called once for each.
 * @param options - `maxKeys`, and where wanted `overflow`, `highWaterMark` with `size`, `onError` (default `'fail'`) and `name`.
 * @param build - Puts stages behind the branch it is given; may part it and bring it together, but not add other sources, nor
 *   a pair of streams, which serves once: `foreign()` of `@millrace/core/authoring` makes one for each key.
 * @returns A stage from `T` to `O`.
 * @throws TypeError or RangeError `ERR_CORE_ARGUMENT` when an argument is wrong.
 * @remarks Elsewhere: RxJS `groupBy` and `mergeMap`; Rust –; Akka `groupBy` and `mergeSubstreams`; Node –.
 *
 * @example The mean of every two readings of each sensor
 * ```ts
 * const readings = from([{ id: 'a', celsius: 20 }, { id: 'b', celsius: 7 }, { id: 'a', celsius: 22 }, { id: 'b', celsius: 9 }]);
 * const means = partitionBy((reading: { id: string; celsius: number }) => reading.id, { maxKeys: 1_000 }, (sensor) =>
 *   sensor
 *     .pipeThrough(batch({ maxItems: 2 }))
 *     .pipeThrough(map(([first, second]) => `${first?.id} ${((first?.celsius ?? 0) + (second?.celsius ?? 0)) / 2}`)),
 * );
 * assert.deepEqual(await readings.pipeThrough(means).toArray(), ['a 21', 'b 8']);
 * ```
 */
export function partitionBy<T, O, K = unknown>(
  key: (item: T) => NotPromise<K>,
  options: PartitionByOptions<NoInfer<T>, NoInfer<K>>,
  build: (branch: Pipeline<T>) => Pipeline<O>,
): Stage<T, O> {
  checkFunction('partitionBy()', 'key', key);
  checkOptions('partitionBy()', options, ['maxKeys', 'overflow', 'highWaterMark', 'size', 'onError', 'name']);
  const { maxKeys, overflow = 'evict', onError, name = 'partitionBy' } = options;
  const { highWaterMark, size } = edgeMark('partitionBy()', options) ?? { highWaterMark: 1, size: undefined };
  if (onError !== undefined) checkPolicy('partitionBy()', onError);
  checkCount('partitionBy()', 'maxKeys', maxKeys, 1);
  checkCount('partitionBy()', 'highWaterMark', highWaterMark, 1);
  if (overflow !== 'evict' && overflow !== 'fail')
    throw outOfRange('partitionBy()', 'overflow', overflow, "'evict' or 'fail'");
  checkFunction('partitionBy()', 'build', build);
  const feed = feedSource();
  const built = build(new Pipeline<T>(feed));
  if (!(built instanceof Pipeline)) throw wrongType('partitionBy()', 'what build returned', built, 'a pipeline');
  const inner = built.chain;
  const times = feedsOf(inner, feed, new Set());
  if (times !== 1)
    throw wrongType(
      'partitionBy()',
      'what build returned',
      built,
      'made of the branch, once: broadcast() gives it twice',
    );
  const spec = { key: key as (item: unknown) => unknown, maxKeys, highWaterMark, size, overflow, onError, inner };
  return stageOf(keyedStage(spec, name), openPair);
}

/** How often a sub-pipeline takes the items of the branch; refuses one with a source of its own, or what serves one key only. */
function feedsOf({ source, specs }: Chain, feed: SourceSpec, seen: Set<unknown>): number {
  const pair = specs.find((spec) => spec.type === 'operator' && spec.servesOnce === true);
  if (pair !== undefined)
    throw wrongType('partitionBy()', 'a pair of streams inside build', pair.name, 'made for each key, by foreign()');
  if (source === feed) return 1;
  const inputs = source.type === 'node' ? source.inputs : [];
  if (inputs.length === 0)
    throw wrongType('partitionBy()', 'a source inside build', source.name, 'left out: all items come from the branch');
  if (source.type === 'node' && source.isBranch) {
    if (seen.has(inputs[0])) return 0;
    seen.add(inputs[0]);
  }
  return inputs.reduce((sum, input) => sum + feedsOf(input, feed, seen), 0);
}
