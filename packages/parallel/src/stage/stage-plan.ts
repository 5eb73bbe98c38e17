import type { ErrorPolicy } from '@millrace/core';
import type { RetryPolicy } from '@millrace/core/authoring';

/** What decides how a stage behaves; checked before. */
export interface StagePlan {
  readonly exportName: string;
  readonly ordered: boolean;
  readonly maxItemsInWorkers: number;
  readonly timeoutMs: number | undefined;
  readonly abortGraceMs: number;
  /** Whether an item that a worker dies of is tried again. */
  readonly isRetrying: boolean;
  readonly onError: ErrorPolicy<unknown, unknown>;
  readonly retry: RetryPolicy | undefined;
  readonly transfer: ((item: never) => readonly Transferable[]) | undefined;
}
