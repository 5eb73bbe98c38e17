import { CONCAT } from '../../engine/join-rules.js';
import { joinSource } from '../../engine/join-source.js';
import { Pipeline } from '../../pipeline.js';
import { type Given, inputsOf } from './inputs.js';
import type { ItemOf } from './merge.js';

/** How pipelines are put one behind the other. */
export interface ConcatOptions {
  /** What the stage is called in errors, plans and figures. Default: `'concat'`. */
  readonly name?: string;
}

/**
 * Puts pipelines one behind the other: all items of the first, then all of the second …
 *
 * All are part of one run; none is read before the one ahead of it has ended.
 *
 * Contract
 * - Order: that of the inputs, in the order given.
 * - Holds: nothing.
 * - Backpressure: asks the input whose turn it is for what it was asked for.
 * - Failure: that of an input fails the pipeline when its place has come; those behind it are closed unread.
 * - Cancel: cancelling downstream cancels all inputs with the same reason, those that have not been read too.
 *
 * Marks: a barrier goes on as it comes by the input that is read; those behind it are saved as unread. A watermark goes on
 * when only the last input is left, since nothing is known of the times in one that has not been read.
 *
 * @typeParam P - The pipelines.
 * @param pipelines - One or more, and at the end, where wanted, the options: `name`.
 * @returns A pipeline of the items of all.
 * @throws TypeError `ERR_CORE_ARGUMENT` when what is given is not a pipeline, or an option is wrong.
 * @remarks Elsewhere: RxJS `concat`; Rust `chain`; Akka `concat`; Node –.
 *
 * @example A heading before the rows
 * ```ts
 * const rows = from([[1, 2], [3, 4]]).pipeThrough(map((row) => row.join(',')));
 * assert.deepEqual(await concat(from(['a,b']), rows).toArray(), ['a,b', '1,2', '3,4']);
 * ```
 */
export function concat<P extends readonly Pipeline<unknown>[]>(...pipelines: P): Pipeline<ItemOf<P[number]>>;
/** Puts pipelines one behind the other, with options. */
export function concat<P extends readonly Pipeline<unknown>[]>(
  ...pipelinesAndOptions: readonly [...pipelines: P, options: ConcatOptions]
): Pipeline<ItemOf<P[number]>>;
export function concat(...given: Given): Pipeline<unknown> {
  const { inputs, options } = inputsOf('concat()', given, ['name']);
  const { name = 'concat' } = options;
  return new Pipeline(joinSource({ name, inputs, highWaterMark: 0 }, CONCAT));
}
