import { checkFunction } from '@millrace/core/authoring';
import { asked } from './asked.js';
import type { Fault } from './fault.js';

/**
 * Makes a function that goes wrong, or takes its time, before it is called: for the function of a stage.
 *
 * @typeParam F - The function.
 * @param fn - What is called when the faults let it; the index they are told is the number of calls before.
 * @param faults - {@link slow}, {@link failing}, {@link hanging}, {@link crashing}, `schedule.delays()`, or one of your own.
 * @returns The function; it answers with a promise where a fault takes time.
 *
 * @example A lookup that is slow, and fails once
 * ```ts
 * import { from, mapAsync } from '@millrace/core';
 * const clock = virtualClock();
 * const lookUp = faultyFunction(async (n: number) => n * 2, slow(clock, 50), failing(new Error('no'), { at: 1 }));
 * const run = from([1, 2]).pipeThrough(mapAsync(lookUp)).toArray({ clock });
 * await assert.rejects(clock.until(run), { stage: 'mapAsync', index: 1 });
 * assert.equal(clock.now(), 100);
 * ```
 */
export function faultyFunction<A extends readonly unknown[], R>(
  fn: (...args: A) => R,
  ...faults: readonly Fault[]
): (...args: A) => R | Promise<Awaited<R>> {
  checkFunction('faultyFunction()', 'fn', fn);
  let calls = 0;
  return (...args) => asked(faults, { what: 'call', index: calls++ }, () => fn(...args));
}
