import { checkMs } from '@millrace/core/authoring';
import type { VirtualClock } from '../virtual-clock.js';
import type { Fault } from './fault.js';

/**
 * Makes every read, write or call take its time, the end too.
 *
 * @param clock - Whose time it takes.
 * @param ms - How much of it.
 * @returns A fault for {@link faultySource}, {@link faultySink} or {@link faultyFunction}.
 *
 * @example Three slow writes
 * ```ts
 * import { from } from '@millrace/core';
 * const clock = virtualClock();
 * const run = from([1, 2, 3]).run(faultySink(() => {}, slow(clock, 100)), { clock });
 * assert.equal((await clock.until(run.finished)).seconds, 0.4);
 * ```
 */
export function slow(clock: Pick<VirtualClock, 'sleep'>, ms: number): Fault {
  checkMs('slow()', 'ms', ms, 0);
  return () => clock.sleep(ms);
}
