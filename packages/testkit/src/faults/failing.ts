import { checkCount, checkOptions } from '@millrace/core/authoring';
import type { Fault, FaultOptions } from './fault.js';

/**
 * Fails once, at one item; what comes after it works, as does the end.
 *
 * @param error - What it fails with.
 * @param options - `at`: the index of the item, default 0.
 * @returns A fault for {@link faultySource}, {@link faultySink} or {@link faultyFunction}.
 *
 * @example The third read fails
 * ```ts
 * const error = await faultySource([1, 2, 3, 4], failing(new Error('no'), { at: 2 })).toArray().catch((e) => e);
 * assert.deepEqual([error.stage, error.index, error.cause.message], ['faulty', 2, 'no']);
 * ```
 */
export function failing(error: unknown, options: FaultOptions = {}): Fault {
  checkOptions('failing()', options, ['at']);
  const { at = 0 } = options;
  checkCount('failing()', 'at', at, 0);
  return ({ what, index }) => {
    if (what !== 'close' && what !== 'abort' && index === at) throw error;
  };
}
