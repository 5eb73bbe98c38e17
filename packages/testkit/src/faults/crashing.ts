import { checkCount, checkOptions } from '@millrace/core/authoring';
import type { Fault, FaultOptions } from './fault.js';

/**
 * Fails from one item on for good, and at its end too: a connection that is gone.
 *
 * @param error - What everything fails with.
 * @param options - `at`: the index of the first item that fails, default 0.
 * @returns A fault for {@link faultySource}, {@link faultySink} or {@link faultyFunction}.
 *
 * @example The run fails with the first error, and knows the others
 * ```ts
 * const error = await faultySource([1, 2, 3], crashing(new Error('gone'), { at: 1 })).toArray().catch((e) => e);
 * assert.equal(error.index, 1);
 * assert.equal(error.others[0].code, 'ERR_CORE_CLOSE');
 * ```
 */
export function crashing(error: unknown, options: FaultOptions = {}): Fault {
  checkOptions('crashing()', options, ['at']);
  const { at = 0 } = options;
  checkCount('crashing()', 'at', at, 0);
  return ({ index }) => {
    if (index >= at) throw error;
  };
}
