import { mergeSortedKind } from '../../engine/join-rules.js';
import { joinSource } from '../../engine/join-source.js';
import { checkFunction, wrongType } from '../../internal/arguments.js';
import { Pipeline } from '../../pipeline.js';
import { type Given, inputsOf, type JoinOptions } from './inputs.js';
import type { ItemOf } from './merge.js';

/** How sorted pipelines are merged: by a key, or as a function compares items. */
export type MergeSortedOptions<T> = JoinOptions &
  (
    | {
        /** Gives what an item is sorted by, least first; called once for each item. */
        readonly by: (item: T) => number | bigint | string | Date;
        readonly compare?: never;
      }
    | {
        /** Says which of two items comes first, as for `Array.prototype.sort`. */
        readonly compare: (a: T, b: T) => number;
        readonly by?: never;
      }
  );

/**
 * Joins pipelines whose items are sorted into one whose items are.
 *
 * Of items that are equal those of the earlier input come first. It waits until it has seen an item of every input that has
 * not ended. An input that turns out not to be sorted fails the pipeline.
 *
 * Contract
 * - Order: sorted; that of each input is kept.
 * - Holds: at most `highWaterMark` items of each input.
 * - Backpressure: an input whose items wait is not asked for more.
 * - Failure: that of one input fails the pipeline when no item of it is left to compare; what `by` or `compare` throws, and
 *   an item that is out of order (`ERR_CORE_UNSORTED`), at the item.
 * - Cancel: cancelling downstream cancels all inputs with the same reason. It ends when the last input has.
 *
 * Marks: of watermarks the least of all inputs goes on. A run with checkpoints is refused: items that wait to be compared
 * with one from behind a barrier would hold it up.
 *
 * @typeParam P - The pipelines.
 * @param pipelinesAndOptions - One pipeline or more, and at the end the options: `by` or `compare`, and where wanted
 *   `highWaterMark` (default 1; more is faster) with `size` and `name`.
 * @returns A pipeline of the items of all.
 * @throws TypeError or RangeError `ERR_CORE_ARGUMENT` when what is given is not a pipeline, or an option is wrong or missing.
 * @remarks Elsewhere: RxJS –; Rust `merge_by`, `kmerge_by` of itertools; Akka `mergeSorted`; Node –.
 *
 * @example Logs of two machines in the order of time
 * ```ts
 * const a = from([{ atMs: 1, text: 'start' }, { atMs: 9, text: 'stop' }]);
 * const b = from([{ atMs: 4, text: 'work' }]);
 * const log = await mergeSorted(a, b, { by: ({ atMs }) => atMs }).toArray();
 * assert.deepEqual(log.map(({ text }) => text), ['start', 'work', 'stop']);
 * ```
 */
export function mergeSorted<P extends readonly Pipeline<unknown>[]>(
  ...pipelinesAndOptions: readonly [...pipelines: P, options: MergeSortedOptions<ItemOf<P[number]>>]
): Pipeline<ItemOf<P[number]>> {
  const known = ['name', 'highWaterMark', 'size', 'by', 'compare'];
  const { inputs, options, mark } = inputsOf('mergeSorted()', pipelinesAndOptions as Given, known);
  const { name = 'mergeSorted' } = options;
  const { by, compare } = options as Partial<Record<'by' | 'compare', unknown>>;
  if (by !== undefined) checkFunction('mergeSorted()', 'by', by);
  if (compare !== undefined) checkFunction('mergeSorted()', 'compare', compare);
  if ((by === undefined) === (compare === undefined))
    throw wrongType('mergeSorted()', 'by', by, 'given, or compare, and not both');
  const join =
    compare === undefined
      ? mergeSortedKind(by as (item: unknown) => unknown, byKey)
      : mergeSortedKind((item) => item, compare as (a: unknown, b: unknown) => number);
  return new Pipeline(joinSource({ name, inputs, ...mark }, join));
}

function byKey(a: unknown, b: unknown): number {
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
}
