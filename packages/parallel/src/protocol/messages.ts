import type { PackedError } from './packed-error.js';

/** What the main thread says to a worker. */
export type ToWorker =
  /** Comes before the first burst of a stage's run: what to call, and the flag that tells it to stop. */
  | { readonly type: 'open'; readonly lease: number; readonly name: string; readonly flag: SharedArrayBuffer }
  | {
      readonly type: 'burst';
      readonly lease: number;
      readonly id: number;
      /** The index of the first item in its stage. */
      readonly first: number;
      readonly items: readonly unknown[];
      /** Which try of them this is: 1 for the first. */
      readonly attempt: number;
      /** Whether items that were not begun may be given back: the main thread still has them. */
      readonly mayReturn: boolean;
    }
  /** Aborts the signal of functions that listen; bursts of the lease are skipped from the flag on. */
  | { readonly type: 'abort'; readonly lease: number }
  | { readonly type: 'close'; readonly lease: number };

/** What a worker says to the main thread. */
export type FromWorker =
  | { readonly type: 'ready'; readonly names: readonly string[] }
  | { readonly type: 'unusable'; readonly error: PackedError }
  | DoneMessage;

/** A burst is acknowledged: the results of its first items, all of them unless it took too long or was stopped. */
export interface DoneMessage {
  readonly type: 'done';
  readonly id: number;
  /** What the items took, and sending the results before these. */
  readonly tookMs: number;
  readonly results: unknown[];
  /** What was thrown, by offset in the burst; the results there are `undefined`. */
  readonly errors: ReadonlyArray<readonly [offset: number, error: PackedError]> | undefined;
}

/** The places of the shared `Int32Array` in which a worker says what it is at; a dead or stuck one can't answer. */
export const PROGRESS = {
  /** The id of the burst that runs; 0 between bursts. */
  burst: 0,
  /** The offset of the item that runs. */
  offset: 1,
  places: 2,
} as const;
