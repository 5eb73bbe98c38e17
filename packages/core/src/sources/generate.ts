import { checkFunction } from '../internal/arguments.js';
import { Pipeline } from '../pipeline.js';

/**
 * Begins a pipeline with what a function makes, again and again, without end.
 *
 * @typeParam T - The items.
 * @param make - Is given the index, from 0; called when an item is asked for.
 * @returns A pipeline of the items; each run begins anew at 0.
 * @throws TypeError `ERR_CORE_ARGUMENT` when `make` is not a function.
 * @remarks Elsewhere: RxJS `generate`; Rust `from_fn`, `repeat_with`; Akka `Source.unfold`; Node –.
 *
 * @example Squares
 * ```ts
 * assert.deepEqual(await generate((n) => n * n).pipeThrough(take(4)).toArray(), [0, 1, 4, 9]);
 * ```
 */
export function generate<T>(make: (index: number) => T): Pipeline<T> {
  checkFunction('generate()', 'make', make);
  return new Pipeline({ type: 'loop', name: 'generate', kind: 'generate', open: () => ({ input: make }) });
}
