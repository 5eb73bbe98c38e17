import { mergeSortedKind } from '../../engine/join-rules.js';
import { joinSource } from '../../engine/join-source.js';
import type { ErrorPolicy, OnError } from '../../engine/rejects.js';
import { checkFunction, wrongType } from '../../internal/arguments.js';
import { Pipeline } from '../../pipeline.js';
import { checkOnError } from '../fault/dead-letter.js';
import { checkPolicy } from '../fault/fallback.js';
import { type Given, inputsOf, type JoinOptions } from './inputs.js';
import type { ItemOf } from './merge.js';

/** What items may be sorted by. */
type SortKey = number | bigint | string | Date;

/** How sorted pipelines are merged: by a key, or as a function compares items. */
export type MergeSortedOptions<T> = JoinOptions &
  (
    | {
        /** Gives what an item is sorted by, least first; called once for each item. */
        readonly by: (item: T) => SortKey;
        readonly compare?: never;
        /**
         * What becomes of an item on which `by` fails, or that is out of order: `'fail'` fails the run, `'skip'` leaves it
         * out, and `deadLetter(writable)` writes it to a stream, which is waited for. `fallback(fn)` gives what an item is
         * sorted by in place of `by`; one that is out of order fails the run then. Default: `'fail'`.
         */
        readonly onError?: ErrorPolicy<T, SortKey>;
      }
    | {
        /** Says which of two items comes first, as for `Array.prototype.sort`; what it throws always fails the run. */
        readonly compare: (a: T, b: T) => number;
        readonly by?: never;
        /** What becomes of an item that is out of order: `'fail'`, `'skip'` or `deadLetter(writable)`. Default: `'fail'`. */
        readonly onError?: OnError<T>;
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
 * - Failure: that of one input fails the pipeline when no item of it is left to compare. What `by` throws, and an item that
 *   is out of order (`ERR_CORE_UNSORTED`), is dealt with as `onError` says, and by default fails it at the item; what
 *   `compare` throws always does, since it is about two of them.
 * - Cancel: cancelling downstream cancels all inputs with the same reason. It ends when the last input has.
 *
 * Marks: of watermarks the least of all inputs goes on. A run with checkpoints is refused: items that wait to be compared
 * with one from behind a barrier would hold it up.
 *
 * @typeParam P - The pipelines.
 * @param pipelinesAndOptions - One pipeline or more, and at the end the options: `by` or `compare`, and where wanted
 *   `onError` (default `'fail'`), `highWaterMark` (default 1; more is faster) with `size` and `name`.
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
  const known = ['name', 'highWaterMark', 'size', 'by', 'compare', 'onError'];
  const { inputs, options, mark } = inputsOf('mergeSorted()', pipelinesAndOptions as Given, known);
  const { name = 'mergeSorted' } = options;
  const { by, compare, onError } = options as Partial<Record<'by' | 'compare' | 'onError', unknown>>;
  if (by !== undefined) checkFunction('mergeSorted()', 'by', by);
  if (compare !== undefined) checkFunction('mergeSorted()', 'compare', compare);
  if ((by === undefined) === (compare === undefined))
    throw wrongType('mergeSorted()', 'by', by, 'given, or compare, and not both');
  if (onError !== undefined) (compare === undefined ? checkPolicy : checkOnError)('mergeSorted()', onError);
  const policy = onError as ErrorPolicy<never, unknown> | undefined;
  const join =
    compare === undefined
      ? mergeSortedKind(by as (item: unknown) => unknown, byKey, policy)
      : mergeSortedKind((item) => item, compare as (a: unknown, b: unknown) => number, policy);
  return new Pipeline(joinSource({ name, inputs, ...mark }, join));
}

function byKey(a: unknown, b: unknown): number {
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
}
