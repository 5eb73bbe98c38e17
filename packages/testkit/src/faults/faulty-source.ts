import type { Pipeline } from '@millrace/core';
import { source } from '@millrace/core/authoring';
import { asked } from './asked.js';
import type { Fault } from './fault.js';

/**
 * Begins a pipeline with a source that goes wrong, or takes its time, before each item.
 *
 * @typeParam T - The items.
 * @param items - What it gives, one item at a read, where the faults let it; anew for each run.
 * @param faults - {@link slow}, {@link failing}, {@link hanging}, {@link crashing}, `schedule.delays()`, or one of your own.
 * @returns The pipeline.
 *
 * @example A source that hangs is left when the run is aborted
 * ```ts
 * const run = faultySource([1, 2, 3], hanging({ at: 1 })).run((n) => n === 1 && run.abort('enough'));
 * await assert.rejects(run.finished, (reason) => reason === 'enough');
 * ```
 */
export function faultySource<T>(items: Iterable<T>, ...faults: readonly Fault[]): Pipeline<T> {
  return source<T>({
    name: 'faulty',
    open() {
      const all = [...items];
      let index = 0;
      return {
        read: () =>
          asked(faults, { what: 'read', index }, () => {
            return index < all.length ? [all[index++] as T] : undefined;
          }),
        close: () => asked(faults, { what: 'close', index }, () => {}),
      };
    },
  });
}
