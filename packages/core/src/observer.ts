import type { StageCounts } from './engine/counts.js';
import type { Plan } from './engine/plan.js';
import type { RunSummary } from './engine/summary.js';
import type { StageError } from './errors.js';

/** What an {@link Observer} may look at, at any time, while a run is under way and after it. */
export interface RunView {
  /** The plan of the run: its stages in order, its edges and its bound. */
  readonly plan: Plan;
  /** Reads the counts of each stage of the plan, in its order. */
  counts(): StageCounts[];
  /** Reads how many items wait on the edge before each stage; 0 for a source, and where there is no edge next to nothing. */
  waiting(): number[];
  /** How many items are inside now. */
  inFlight(): number;
}

/**
 * Is told what a run does, per burst and never per item.
 *
 * All methods are optional, called synchronously, and must not throw. Chosen when the run starts; a run without one
 * pays nothing, and one whose observer has neither `burst` nor `served` reads no clock. Counts are not told but read,
 * from the {@link RunView}.
 *
 * @example Count the bursts of a run
 * ```ts
 * let bursts = 0;
 * const observer: Observer = { burst: () => void bursts++ };
 * await from([1, 2, 3]).pipeThrough(map((n) => n * 2)).toArray({ observer });
 * assert.ok(bursts > 0);
 * ```
 */
export interface Observer {
  /**
   * The run begins; `values()` and `toReadableStream()` begin with their first read. What it returns is told of this run
   * in its place: so that one observer can be given to many runs.
   */
  started?(run: RunView): Observer | void;
  /**
   * A node of the plan took in `items` items (0 where it only unfolded or flushed) and worked for `tookMs` milliseconds
   * without giving the thread away: its share of the thread.
   */
  burst?(node: number, items: number, tookMs: number): void;
  /**
   * A node that waits for something else than its neighbours (the user's promise, a worker, a database) is done with
   * `items` items that it had in service for `tookMs` milliseconds.
   */
  served?(node: number, items: number, tookMs: number): void;
  /**
   * The plan has something that its author may not have meant, such as branches that run out of step. Without this
   * method it is written to the console, once for each message.
   */
  warned?(message: string): void;
  /** A stage noted an error: one that ends the run, one that came beside it, or one that cost only its item. */
  failed?(error: StageError): void;
  /** A stage with `retry` noted an error, and tries the item again in `delayMs` milliseconds. */
  retried?(error: StageError, delayMs: number): void;
  /** The run was told to drain, or is over and closes what is open. */
  changed?(state: 'draining' | 'closing'): void;
  /** The run is over, well or not, and closed. */
  ended?(summary: RunSummary, error: unknown): void;
}
