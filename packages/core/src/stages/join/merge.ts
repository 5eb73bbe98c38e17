import { mergeSource } from '../../engine/merge-source.js';
import { Pipeline } from '../../pipeline.js';
import { type Given, inputsOf, type JoinOptions } from './inputs.js';

/** How pipelines are merged. */
export type MergeOptions = JoinOptions;

/** The items of a pipeline. */
export type ItemOf<P> = P extends Pipeline<infer T> ? T : never;

/**
 * Joins pipelines into one, whose items come as they arrive.
 *
 * All inputs are read at once, in one run: the plan has the stages of all, and its bound is the sum. Inputs that have
 * items at hand take turns, one item each.
 *
 * Contract
 * - Order: of arrival; that of each input is kept.
 * - Holds: at most `highWaterMark` items of each input.
 * - Backpressure: an input whose items wait is not asked for more.
 * - Failure: that of one input fails the pipeline, behind what had arrived by then, and closes the others.
 * - Cancel: cancelling downstream cancels all inputs with the same reason. It ends when the last input has.
 *
 * @typeParam P - The pipelines.
 * @param pipelines - One or more, and at the end, where wanted, the options: `highWaterMark` (default 1) with `size`, `name`.
 * @returns A pipeline of the items of all.
 * @throws TypeError `ERR_CORE_ARGUMENT` when what is given is not a pipeline, or an option is wrong.
 * @remarks Elsewhere: RxJS `merge`; Rust `merge`, `select_all`; Akka `merge`; Node –.
 *
 * @example Two sources in one run
 * ```ts
 * const small = from([1, 2]);
 * const large = from([10, 20, 30]).pipeThrough(map((n) => n * 10));
 * assert.deepEqual(await merge(small, large).toArray(), [1, 100, 2, 200, 300]);
 * ```
 */
export function merge<P extends readonly Pipeline<unknown>[]>(...pipelines: P): Pipeline<ItemOf<P[number]>>;
/** Joins pipelines into one, whose items come as they arrive, with options. */
export function merge<P extends readonly Pipeline<unknown>[]>(
  ...pipelinesAndOptions: readonly [...pipelines: P, options: MergeOptions]
): Pipeline<ItemOf<P[number]>>;
export function merge(...given: Given): Pipeline<unknown> {
  const { inputs, options, mark } = inputsOf('merge()', given, ['name', 'highWaterMark', 'size']);
  const { name = 'merge' } = options;
  return new Pipeline(mergeSource({ name, inputs, ...mark }));
}
