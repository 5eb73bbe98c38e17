import type { ItemPolicy, RetryPolicy } from '../../engine/item-policy.js';
import type { ErrorPolicy } from '../../engine/rejects.js';
import { checkCount, checkFunction, checkMs, checkOptions, outOfRange, wrongType } from '../../internal/arguments.js';
import { checkPolicy } from '../fault/fallback.js';

/** When, and how often, an item on which a function fails is tried again. */
export interface RetryOptions {
  /** How often the function is called on an item, the first time included; 2 or more. */
  readonly attempts: number;
  /** How long to wait behind the first try, in milliseconds; twice as long behind each further one. Default: 100. */
  readonly backoffMs?: number;
  /** The longest wait, in milliseconds. Default: 30,000. */
  readonly maxBackoffMs?: number;
  /** Which part of each wait is left to chance, 0 to 1, so that many do not come back at once. Default: 0.5. */
  readonly jitter?: number;
  /** Whether an error is worth another try; what it throws fails the run. Default: all are. */
  readonly when?: (error: unknown, context: { readonly index: number; readonly attempt: number }) => boolean;
  /** Gives numbers from 0 to 1, for `jitter`. Default: `Math.random`. */
  readonly random?: () => number;
}

/** What becomes of an item on which a function fails, or takes too long. */
export interface ItemPolicyOptions<I, O> {
  /**
   * What becomes of an item on which the function fails for good: `'fail'` fails the run, `'skip'` leaves it out,
   * `deadLetter(writable)` writes it to a stream, `fallback(fn)` gives another result. Default: `'fail'`.
   */
  readonly onError?: ErrorPolicy<NoInfer<I>, O | PromiseLike<O>>;
  /** Tries an item again on which the function failed; it keeps its slot, and its place, meanwhile. Default: never. */
  readonly retry?: RetryOptions;
  /**
   * How long each call may take, in milliseconds. Then it has failed, with a `TimeoutError` by which its `signal` is
   * aborted too; what comes of it later is ignored. Default: without limit.
   */
  readonly timeoutMs?: number;
}

/** The names of {@link ItemPolicyOptions}, for the checks. */
export const ITEM_POLICY_OPTIONS: readonly string[] = ['onError', 'retry', 'timeoutMs'];

/** Checks the options; `undefined` where nothing but the default is asked for, which costs nothing. */
export function itemPolicy(where: string, options: ItemPolicyOptions<never, unknown>): ItemPolicy | undefined {
  const { onError = 'fail', retry, timeoutMs } = options;
  checkPolicy(where, onError);
  if (timeoutMs !== undefined) {
    checkMs(where, 'timeoutMs', timeoutMs, 0);
    if (timeoutMs === 0) throw outOfRange(where, 'timeoutMs', timeoutMs, 'more than 0');
  }
  const tries = retry === undefined ? undefined : retryPolicy(where, retry);
  if (onError === 'fail' && tries === undefined && timeoutMs === undefined) return undefined;
  return { onError, retry: tries, timeoutMs } as ItemPolicy;
}

function retryPolicy(where: string, options: RetryOptions): RetryPolicy {
  checkOptions(where, options, ['attempts', 'backoffMs', 'maxBackoffMs', 'jitter', 'when', 'random'], 'retry');
  const { attempts, backoffMs = 100, maxBackoffMs = 30_000, jitter = 0.5, when, random = Math.random } = options;
  checkCount(where, 'attempts', attempts, 2);
  checkMs(where, 'backoffMs', backoffMs, 0);
  checkMs(where, 'maxBackoffMs', maxBackoffMs, 0);
  if (typeof jitter !== 'number') throw wrongType(where, 'jitter', jitter, 'a number from 0 to 1');
  if (!(jitter >= 0 && jitter <= 1)) throw outOfRange(where, 'jitter', jitter, 'a number from 0 to 1');
  if (when !== undefined) checkFunction(where, 'when', when);
  checkFunction(where, 'random', random);
  return { attempts, backoffMs, maxBackoffMs, jitter, when, random };
}
