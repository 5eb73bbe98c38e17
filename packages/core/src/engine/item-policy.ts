import type { ErrorPolicy } from './rejects.js';

/** When, and how often, an item is tried again. */
export interface RetryPolicy {
  readonly attempts: number;
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  readonly jitter: number;
  readonly when:
    | ((error: unknown, context: { readonly index: number; readonly attempt: number }) => unknown)
    | undefined;
  readonly random: () => number;
}

/** What a stage does with an item on which the user's function fails, or takes too long. */
export interface ItemPolicy {
  readonly onError: ErrorPolicy<unknown, unknown>;
  readonly retry: RetryPolicy | undefined;
  /** How long one try may take. */
  readonly timeoutMs: number | undefined;
}

/** How long to wait behind try number `attempt`: twice as long each time, less a random part of up to `jitter`. */
export function delayOf({ backoffMs, maxBackoffMs, jitter, random }: RetryPolicy, attempt: number): number {
  const longest = Math.min(maxBackoffMs, backoffMs * 2 ** (attempt - 1));
  return longest * (1 - jitter * random());
}
