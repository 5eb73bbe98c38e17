import { carryingFold, carryingMap } from '../../engine/carried.js';
import { openPair } from '../../engine/pair.js';
import type { ErrorPolicy } from '../../engine/rejects.js';
import { roomFor } from '../../engine/spec.js';
import { type Stage, stageOf } from '../../engine/stage.js';
import { Folded, WhileBusy } from '../../engine/while-busy.js';
import { checkFunction, checkOptions } from '../../internal/arguments.js';
import { checkPolicy } from '../fault/fallback.js';

/**
 * What a folded item begins with, and what becomes of one that can't be folded.
 *
 * @typeParam I - What comes in.
 * @typeParam O - What goes out.
 */
export interface ConflateOptions<I, O> {
  /** Makes of the first item what the others are folded into; called for each item that goes on alone as well. */
  readonly seed?: (item: I) => O;
  /**
   * What becomes of an item on which the function, or `seed`, fails: `'fail'` fails the run, `'skip'` leaves it out,
   * `deadLetter(writable)` writes it to a stream, which the stage waits for, and `fallback(fn)` gives what they should have
   * given. Default: `'fail'`.
   */
  readonly onError?: ErrorPolicy<NoInfer<I>, O>;
  /** What the stage is called in errors, plans and figures. Default: `'conflate'`. */
  readonly name?: string;
}

/**
 * Folds what arrives while the consumer is busy into one item; a consumer that is not gets every item.
 *
 * So a fast source is never slowed down, and nothing piles up. Busy is a consumer that does not ask; one that lets items
 * wait on an edge of its own (a sink, unless it is told `highWaterMark: 0`) asks until that is full.
 *
 * Contract
 * - Order: kept. Which items are folded together depends on when they arrive; each is in exactly one that goes out.
 * - Holds: one folded item, and what was just read: 64 items, or 1 where an item stands for more, such as a batch.
 * - Backpressure: none: reads on while the consumer is busy. An item is counted as absorbed by the one that goes out.
 * - Failure: `fn` or `seed` throwing is dealt with as `onError` says: by default it fails the pipeline, as the cause of a
 *   `StageError`. What is folded stays as it is then, as far as `fn` does not change what it is given. A failure, also one
 *   of upstream, comes behind what was folded before it, which is handed on.
 * - Cancel: cancelling downstream cancels upstream with the same reason; what is folded is counted as abandoned.
 * - Checkpoint: what is folded is handed on before a barrier passes.
 *
 * @typeParam I - What comes in.
 * @typeParam O - What goes out.
 * @param fn - Is given what was folded and the next item; gives both as one.
 * @param options - `seed` (default: the first item itself), `onError` (default `'fail'`), `name` (default `'conflate'`).
 * @returns A stage from `I` to `O`.
 * @throws TypeError `ERR_CORE_ARGUMENT` when `fn` or `seed` is not a function or an option is unknown.
 * @remarks Elsewhere: RxJS –; Rust `watch::channel`, which keeps the latest; Akka `conflate`, `conflateWithSeed`; Node –.
 *
 * @example The latest position, however slow the map is drawn
 * ```ts
 * const latest = conflate((_earlier: number, position: number) => position);
 * const draw = mapAsync(async (position: number) => position);
 * assert.equal(await from([1, 2, 3]).pipeThrough(latest).pipeThrough(draw).last(), 3);
 * ```
 *
 * @example How many, and their sum
 * ```ts
 * const sums = conflate((sum: { n: number; of: number }, value: number) => ({ n: sum.n + 1, of: sum.of + value }), {
 *   seed: (value) => ({ n: 1, of: value }),
 * });
 * const all = await from([1, 2, 3]).pipeThrough(sums).toArray();
 * assert.equal(all.reduce((n, sum) => n + sum.n, 0), 3);
 * ```
 * @see https://doc.akka.io/docs/akka/current/stream/operators/Source-or-Flow/conflateWithSeed.html
 */
export function conflate<I, O>(
  fn: (folded: O, item: I) => O,
  options: ConflateOptions<NoInfer<I>, NoInfer<O>> & { readonly seed: (item: NoInfer<I>) => NoInfer<O> },
): Stage<I, O>;
export function conflate<T>(
  fn: (folded: T, item: T) => T,
  options?: ConflateOptions<NoInfer<T>, NoInfer<T>>,
): Stage<T, T>;
export function conflate(
  fn: (folded: unknown, item: unknown) => unknown,
  options: ConflateOptions<unknown, unknown> = {},
): Stage<unknown, unknown> {
  checkFunction('conflate()', 'fn', fn);
  checkOptions('conflate()', options, ['name', 'seed', 'onError']);
  const { name = 'conflate', seed = itself, onError } = options;
  if (onError !== undefined) checkPolicy('conflate()', onError);
  checkFunction('conflate()', 'seed', seed);
  return stageOf(
    {
      type: 'operator',
      name,
      highWaterMark: 0,
      inService: (weight) => roomFor(BURST)(weight) + 1,
      detail: 'folded',
      carries: true,
      weight: 'same',
      open(upstream, context, { inService }) {
        const [fold, begin] = context.carries ? [carryingFold(fn), carryingMap(seed)] : [fn, seed];
        return new WhileBusy(upstream, context, new Folded(fold, begin, inService - 1, context), onError);
      },
    },
    openPair,
  );
}

const itself = (item: unknown): unknown => item;

/** How many items are read at a time while the consumer is busy. */
const BURST = 64;
