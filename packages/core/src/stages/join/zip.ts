import { ZIP } from '../../engine/join-rules.js';
import { joinSource } from '../../engine/join-source.js';
import { Pipeline } from '../../pipeline.js';
import { type Given, inputsOf, type JoinOptions } from './inputs.js';
import type { ItemOf } from './merge.js';

/** One item of each pipeline. */
export type Zipped<P extends readonly Pipeline<unknown>[]> = { -readonly [K in keyof P]: ItemOf<P[K]> };

/**
 * Joins pipelines into one of arrays: the first items of all, then the second …
 *
 * It ends with the shortest: when an input has ended and its items are used up, the others are closed, and what waits of
 * them counts as abandoned. Before that they are read no further than their partners go.
 *
 * Contract
 * - Order: that of the inputs. Item `n` of each is in array `n`.
 * - Holds: at most `highWaterMark` items of each input. An array weighs what its items do.
 * - Backpressure: the faster input is not asked for more while its items wait for partners. Inputs that have their items at
 *   hand in a loop (an array, a range, a generator, with steps) are asked for what goes with the others.
 * - Failure: that of one input fails the pipeline when its place has come, behind the arrays before it.
 * - Cancel: cancelling downstream cancels all inputs with the same reason.
 *
 * Marks: of watermarks the least of all inputs goes on. A run with checkpoints is refused: items that wait for partners
 * from behind a barrier would hold it up.
 *
 * @typeParam P - The pipelines.
 * @param pipelines - One or more, and at the end, where wanted, the options: `highWaterMark` (default 1) with `size`, `name`.
 * @returns A pipeline of arrays of one item of each.
 * @throws TypeError or RangeError `ERR_CORE_ARGUMENT` when what is given is not a pipeline, or an option is wrong.
 * @remarks Elsewhere: RxJS `zip`; Rust `zip`; Akka `zip`, `zipN`; Node –.
 *
 * @example Numbered lines
 * ```ts
 * const lines = zip(range(1, 1_000), from(['one', 'two', 'three']));
 * assert.deepEqual(await lines.toArray(), [[1, 'one'], [2, 'two'], [3, 'three']]);
 * ```
 */
export function zip<P extends readonly Pipeline<unknown>[]>(...pipelines: P): Pipeline<Zipped<P>>;
/** Joins pipelines into one of arrays, with options. */
export function zip<P extends readonly Pipeline<unknown>[]>(
  ...pipelinesAndOptions: readonly [...pipelines: P, options: JoinOptions]
): Pipeline<Zipped<P>>;
export function zip(...given: Given): Pipeline<unknown> {
  const { inputs, options, mark } = inputsOf('zip()', given, ['name', 'highWaterMark', 'size']);
  const { name = 'zip' } = options;
  return new Pipeline(joinSource({ name, inputs, ...mark }, ZIP));
}
