import type { Sink } from '@millrace/core';
import { asked } from './asked.js';
import type { Fault } from './fault.js';

/**
 * Makes a sink that goes wrong, or takes its time, before each write and at its end.
 *
 * @typeParam T - The items.
 * @param sink - Where the items go, one at a write, when the faults let them: a sink, or a function that is called with each.
 * @param faults - {@link slow}, {@link failing}, {@link hanging}, {@link crashing}, `schedule.delays()`, or one of your own.
 * @returns The sink, for `pipeline.run()`.
 *
 * @example The second write fails
 * ```ts
 * import { from } from '@millrace/core';
 * const written: number[] = [];
 * const sink = faultySink((n: number) => void written.push(n), failing(new Error('full'), { at: 1 }));
 * await assert.rejects(from([1, 2, 3]).run(sink).finished, { stage: 'faulty', index: 1 });
 * assert.deepEqual(written, [1]);
 * ```
 */
export function faultySink<T>(sink: Sink<T> | ((item: T) => unknown), ...faults: readonly Fault[]): Sink<T> {
  const target: Sink<T> = typeof sink === 'function' ? { name: 'faulty', open: () => writer(sink) } : sink;
  return {
    ...target,
    maxBurst: 1,
    open(context) {
      const opened = target.open(context);
      let index = 0;
      return {
        write(items) {
          const before = index;
          index += items.length;
          return asked(faults, { what: 'write', index: before }, () => opened.write(items));
        },
        close: () => asked(faults, { what: 'close', index }, () => opened.close?.()),
        abort: (reason) => asked(faults, { what: 'abort', index }, () => opened.abort?.(reason)),
      };
    },
  };
}

function writer<T>(fn: (item: T) => unknown): ReturnType<Sink<T>['open']> {
  return {
    async write(items) {
      for (const item of items) await fn(item);
    },
  };
}
