import { openPair } from '../../engine/pair.js';
import { type Stage, stageOf } from '../../engine/stage.js';
import { openerOf } from '../../engine/step.js';
import { FLAT_MAP } from '../../engine/steps.js';
import { checkStepOptions, type StepOptions } from '../step-options.js';

/**
 * Takes each item apart, an array or another iterable, into its items, one level deep.
 *
 * Un-does `batch()`, and meets streams whose chunks are arrays. What is asynchronous is read by `mapAsync()` first.
 *
 * Contract
 * - Order: kept. All items of one iterable come before those of the next; strings are refused, not taken apart.
 * - Holds: one input, whose iterable is open; its items are made as they are asked for.
 * - Backpressure: stops in the middle of an iterable when what was asked for is made.
 * - Failure: an item that is no iterable, and an iterable that throws, fail the pipeline as the cause of a `StageError` with
 *   the input's index.
 * - Cancel: closes the open iterator (`return()`), then cancels upstream with the same reason.
 *
 * @typeParam T - What goes out.
 * @param options - `name` (default `'flatten'`), `highWaterMark` (default: 16 where the stage reads from an asynchronous one,
 *   none otherwise); 0 asks for one input at a time, for inputs that are large.
 * @returns A stage from iterables of `T` to `T`.
 * @throws TypeError `ERR_CORE_ARGUMENT` when an option is unknown.
 * @remarks Elsewhere: RxJS `concatAll`; Rust `flatten`; Akka `mapConcat(identity)`; Node –.
 *
 * @example Of batches, items again
 * ```ts
 * const batches = from([1, 2, 3]).pipeThrough(batch({ maxItems: 2 }));
 * assert.deepEqual(await batches.pipeThrough(flatten()).toArray(), [1, 2, 3]);
 * ```
 */
export function flatten<T>(options: StepOptions = {}): Stage<Iterable<T>, T> {
  checkStepOptions('flatten()', options);
  const spec = { name: 'flatten', ...options, kind: FLAT_MAP, params: [apart] };
  return stageOf({ type: 'step', ...spec, weight: 'one' }, openPair);
}

/** The item itself, where it can be taken apart. */
function apart(item: unknown): unknown {
  if (!Array.isArray(item)) openerOf(item, 'the item is');
  return item;
}
