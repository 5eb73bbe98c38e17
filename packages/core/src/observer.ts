import type { StageCounts } from './engine/counts.js';
import type { RunSummary } from './engine/execution.js';
import type { Plan } from './engine/plan.js';

/** What an {@link Observer} may look at while a run is under way. */
export interface RunView {
  /** The plan of the run: its stages in order, its edges and its bound. */
  readonly plan: Plan;
  /** Reads the counts of each stage of the plan, in its order. */
  counts(): StageCounts[];
  /** How many items are inside now. */
  inFlight(): number;
}

/**
 * Is told what a run does, per burst and never per item.
 *
 * All methods are optional, called synchronously, and must not throw. Chosen when the run starts; a run without one
 * pays nothing.
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
  /** The run begins. */
  started?(run: RunView): void;
  /** A node of the plan worked on `items` items for `tookMs` milliseconds without giving the thread away. */
  burst?(node: number, items: number, tookMs: number): void;
  /** The run is over, well or not. */
  ended?(summary: RunSummary, error: unknown): void;
}
