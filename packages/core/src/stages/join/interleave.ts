import { INTERLEAVE } from '../../engine/join-rules.js';
import { joinSource } from '../../engine/join-source.js';
import { Pipeline } from '../../pipeline.js';
import { type Given, inputsOf, type JoinOptions } from './inputs.js';
import type { ItemOf } from './merge.js';

/**
 * Joins pipelines into one that has one item of each in turn.
 *
 * It waits for the input whose turn it is, however much the others have; `merge()` does not. Inputs that have ended are
 * left out, and it goes on with the others.
 *
 * Contract
 * - Order: one item of each input in turn; that of each input is kept.
 * - Holds: at most `highWaterMark` items of each input.
 * - Backpressure: an input whose items wait for its turn is not asked for more. Inputs that have their items at hand in a
 *   loop (an array, a range, a generator, with steps) are asked for what goes with the others.
 * - Failure: that of one input fails the pipeline when its turn has come.
 * - Cancel: cancelling downstream cancels all inputs with the same reason. It ends when the last input has.
 *
 * Marks: of watermarks the least of all inputs goes on. A run with checkpoints is refused: items that wait for a turn
 * behind a barrier would hold it up.
 *
 * @typeParam P - The pipelines.
 * @param pipelines - One or more, and at the end, where wanted, the options: `highWaterMark` (default 1) with `size`, `name`.
 * @returns A pipeline of the items of all.
 * @throws TypeError or RangeError `ERR_CORE_ARGUMENT` when what is given is not a pipeline, or an option is wrong.
 * @remarks Elsewhere: RxJS –; Rust `interleave` of itertools; Akka `interleave`; Node –.
 *
 * @example Two queues served in turn
 * ```ts
 * const orders = interleave(from(['a1', 'a2', 'a3']), from(['b1']));
 * assert.deepEqual(await orders.toArray(), ['a1', 'b1', 'a2', 'a3']);
 * ```
 */
export function interleave<P extends readonly Pipeline<unknown>[]>(...pipelines: P): Pipeline<ItemOf<P[number]>>;
/** Joins pipelines into one that has one item of each in turn, with options. */
export function interleave<P extends readonly Pipeline<unknown>[]>(
  ...pipelinesAndOptions: readonly [...pipelines: P, options: JoinOptions]
): Pipeline<ItemOf<P[number]>>;
export function interleave(...given: Given): Pipeline<unknown> {
  const { inputs, options, mark } = inputsOf('interleave()', given, ['name', 'highWaterMark', 'size']);
  const { name = 'interleave' } = options;
  return new Pipeline(joinSource({ name, inputs, ...mark }, INTERLEAVE));
}
