import { type Rate, RateBudget } from '../../engine/rate-budget.js';
import { checkOptions, checkPeriodMs, outOfRange, wrongType } from '../../internal/arguments.js';

export type { Rate, RateBudget };

/**
 * Makes a budget that several `rateLimit()` stages share, of one pipeline or many, in all their runs: together they pass no
 * more items than one of them alone would.
 *
 * @param rate - `limit` items in `intervalMs`, and `burst` after a pause (default 1).
 * @returns The budget.
 * @throws RangeError `ERR_CORE_ARGUMENT` when a number is out of range.
 *
 * @example Two pipelines call the same service
 * ```ts
 * const calls = rateBudget({ limit: 1_000, intervalMs: 1_000, burst: 10 });
 * const users = from(['a', 'b']).pipeThrough(rateLimit(calls)).toArray();
 * const orders = from([1, 2]).pipeThrough(rateLimit(calls)).toArray();
 * assert.deepEqual(await Promise.all([users, orders]), [['a', 'b'], [1, 2]]);
 * ```
 */
export function rateBudget(rate: Rate): RateBudget {
  return budgetOf('rateBudget()', rate);
}

/** Makes a budget for `where`, whose arguments are checked. */
export function budgetOf(where: string, rate: Rate): RateBudget {
  checkOptions(where, rate, ['limit', 'intervalMs', 'burst']);
  const { limit, intervalMs, burst = 1 } = rate;
  checkNumber(where, 'limit', limit, 'a finite number above 0', (number) => number > 0);
  checkPeriodMs(where, 'intervalMs', intervalMs);
  checkNumber(where, 'burst', burst, 'a finite number of 1 or more', (number) => number >= 1);
  return new RateBudget({ limit, intervalMs, burst });
}

function checkNumber(
  where: string,
  what: string,
  value: unknown,
  mustBe: string,
  fits: (number: number) => boolean,
): void {
  if (typeof value !== 'number') throw wrongType(where, what, value, mustBe);
  if (!Number.isFinite(value) || !fits(value)) throw outOfRange(where, what, value, mustBe);
}
