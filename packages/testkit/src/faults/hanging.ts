import { checkCount, checkOptions } from '@millrace/core/authoring';
import type { Fault, FaultOptions } from './fault.js';

/**
 * Never answers from one item on; its end works.
 *
 * @param options - `at`: the index of the first item that hangs, default 0.
 * @returns A fault for {@link faultySource}, {@link faultySink} or {@link faultyFunction}.
 *
 * @example An abort does not wait for a function that hangs
 * ```ts
 * import { from, mapAsync } from '@millrace/core';
 * const signal = AbortSignal.abort('enough');
 * const hung = mapAsync(faultyFunction((n: number) => n, hanging()));
 * await assert.rejects(from([1]).pipeThrough(hung).toArray({ signal }), (reason) => reason === 'enough');
 * ```
 */
export function hanging(options: FaultOptions = {}): Fault {
  checkOptions('hanging()', options, ['at']);
  const { at = 0 } = options;
  checkCount('hanging()', 'at', at, 0);
  return ({ what, index }) => {
    if (what === 'close' || what === 'abort' || index < at) return undefined;
    return new Promise(() => {});
  };
}
