import { outOfRange, wrongType } from '../internal/arguments.js';
import { Pipeline } from '../pipeline.js';

/**
 * Begins a pipeline with numbers in equal steps: `start`, `start + step`, … up to, not including, `end`.
 *
 * @param start - The first number.
 * @param end - The numbers stay below it (above it where `step` is negative); may be `Infinity`.
 * @param step - What each number is more than the one before it, not 0. Default: 1.
 * @returns A pipeline of the numbers; each run begins anew.
 * @throws RangeError `ERR_CORE_ARGUMENT` when `start` or `step` is not finite, or `step` is 0.
 * @remarks Elsewhere: RxJS `range`; Rust `start..end`, `step_by`; Akka `Source.range`; Node –.
 *
 * @example Even numbers
 * ```ts
 * assert.deepEqual(await range(0, 7, 2).toArray(), [0, 2, 4, 6]);
 * ```
 */
export function range(start: number, end: number, step: number = 1): Pipeline<number> {
  for (const [what, value] of Object.entries({ start, end, step })) {
    if (typeof value !== 'number') throw wrongType('range()', what, value, 'a number');
    if (Number.isNaN(value)) throw outOfRange('range()', what, value, 'a number');
  }
  if (!Number.isFinite(start)) throw outOfRange('range()', 'start', start, 'a finite number');
  if (!Number.isFinite(step) || step === 0) throw outOfRange('range()', 'step', step, 'a finite number other than 0');
  const length = Math.max(0, Math.ceil((end - start) / step));
  const open = (): { input: undefined; start: number; by: number; end: number } => ({
    input: undefined,
    start,
    by: step,
    end: length,
  });
  return new Pipeline({ type: 'loop', name: 'range', kind: 'range', open });
}
