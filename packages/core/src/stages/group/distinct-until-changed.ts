import { dedupeConsecutive } from './dedupe-consecutive.js';

/**
 * Leaves out items that equal the one before them: {@link dedupeConsecutive} by the name that RxJS has for it.
 * @remarks Elsewhere: RxJS `distinctUntilChanged`; Rust `dedup`, `dedup_by_key`; Akka `dropRepeated`; Node –.
 *
 * @example Only the changes
 * ```ts
 * assert.deepEqual(await from([1, 1, 2, 1]).pipeThrough(distinctUntilChanged()).toArray(), [1, 2, 1]);
 * ```
 */
export const distinctUntilChanged: typeof dedupeConsecutive = dedupeConsecutive;
