import type { StageCounts } from './counts.js';
import type { RunSummary } from './summary.js';

/**
 * What became of the items of a run that was drained: `read + made = completed + flushed + abandoned`.
 *
 * Each is counted as what it was when it ended: an item that goes into a batch ends there, and the batch is made. Where
 * nothing is made (no batch, no flatMap, no broadcast) the three sum to what was read.
 */
export interface DrainReceipt extends RunSummary {
  /** The items that had ended when the drain began: emitted, absorbed, filtered, deduped, dead-lettered or dropped. */
  readonly completed: number;
  /** The items that ended so while the run drained: those that were inside, what was read last, and what was made of them. */
  readonly flushed: number;
  /**
   * Whether the deadline came before the run was over: then pending reads were given up, and what was not finished
   * `closeGraceMs` later is in `abandoned`, by stage in `stages`.
   */
  readonly overdue: boolean;
}

/** How many items have ended, and were not abandoned. */
export function endedWell(plan: ReadonlyArray<{ readonly kind: string }>, counts: readonly StageCounts[]): number {
  return counts.reduce((sum, each, at) => {
    const emitted = plan[at]?.kind === 'sink' ? each.out : 0;
    return sum + emitted + each.absorbed + each.filtered + each.deduped + each.deadLettered + each.dropped;
  }, 0);
}

/** Says what became of the items since `before` of them had ended. */
export function receiptOf(summary: RunSummary, before: number, overdue: boolean): DrainReceipt {
  const { emitted, absorbed, filtered, deduped, deadLettered, dropped } = summary;
  const ended = emitted + absorbed + filtered + deduped + deadLettered + dropped;
  // A function that drains its own run is in the middle of an item, which its loop may have counted as ended.
  const completed = Math.min(before, ended);
  return { ...summary, completed, flushed: ended - completed, overdue };
}
