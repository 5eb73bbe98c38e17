import { isBalanced, noCounts, type StageCounts } from './counts.js';
import type { Plan, PlannedStage } from './plan.js';

/** What a run did: what became of its items, and how long it took. */
export interface RunSummary {
  /** The items that the sources handed on. */
  readonly read: number;
  /** The items that stages brought forth: batches, what a flatMap unfolds, the copies of a broadcast. */
  readonly made: number;
  /** The items that reached an end and were finished there. */
  readonly emitted: number;
  /** The items that went into others: the members of batches, the inputs of a flatMap. */
  readonly absorbed: number;
  readonly filtered: number;
  readonly deduped: number;
  readonly deadLettered: number;
  readonly dropped: number;
  /** The items that were inside when the run ended early. */
  readonly abandoned: number;
  /** The most items that could be inside, in source items. */
  readonly inFlightBound: number;
  /** The most items that were inside at a time. */
  readonly inFlightMax: number;
  /** Whether all that came in is accounted for, at every stage and between any two. */
  readonly balanced: boolean;
  readonly seconds: number;
  /** What could not be closed within `closeGraceMs`, by the name of its stage. */
  readonly leftOpen: readonly string[];
  /** The counts of each stage, in order, by name. */
  readonly stages: ReadonlyArray<{ readonly name: string } & StageCounts>;
}

/** Sums up what the counts of the stages tell, and the rest. */
export function summaryOf(
  plan: Plan,
  counts: readonly StageCounts[],
  { inFlightMax, seconds, leftOpen }: Pick<RunSummary, 'inFlightMax' | 'seconds' | 'leftOpen'>,
): RunSummary {
  const sum = noCounts();
  let [read, emitted] = [0, 0];
  const stages = counts.map((each, at) => {
    const { name, kind } = plan.stages[at] as PlannedStage;
    for (const of of KEYS) sum[of] += each[of];
    if (kind === 'source') read += each.made;
    else if (kind === 'sink') emitted += each.out;
    return { name, ...each };
  });
  return {
    read,
    made: sum.made - read,
    emitted,
    absorbed: sum.absorbed,
    filtered: sum.filtered,
    deduped: sum.deduped,
    deadLettered: sum.deadLettered,
    dropped: sum.dropped,
    abandoned: sum.abandoned,
    inFlightBound: plan.bound,
    inFlightMax,
    balanced: counts.every(isBalanced) && areLinked(plan, counts),
    seconds,
    leftOpen,
    stages,
  };
}

const KEYS = ['made', 'absorbed', 'filtered', 'deduped', 'deadLettered', 'dropped', 'abandoned'] as const;

/** How many items wait before stage `at`: handed on by those before it, and not entered. */
export function waitingBefore({ stages }: Plan, counts: readonly StageCounts[], at: number): number {
  const { kind, inputs = [] } = stages[at] ?? {};
  // What a broadcast hands on enters its branches at once.
  if (inputs.length === 0 || kind === 'branch') return 0;
  return inputs.reduce((sum, input) => sum + (counts[input]?.out ?? 0), 0) - (counts[at]?.in ?? 0);
}

/** Whether all that stages handed on entered those behind them. */
function areLinked(plan: Plan, counts: readonly StageCounts[]): boolean {
  return plan.stages.every(({ node }, at) => {
    const type = plan.nodes[node]?.type;
    const isTaken = (type !== 'broadcast' && type !== 'split') || counts[at]?.out === takenBy(plan, counts, at);
    return isTaken && waitingBefore(plan, counts, at) === 0;
  });
}

/** How many items the branches of a broadcast or a split took. */
function takenBy({ stages }: Plan, counts: readonly StageCounts[], broadcast: number): number {
  return stages.reduce((sum, { kind, inputs }, at) => {
    return kind === 'branch' && inputs[0] === broadcast ? sum + (counts[at]?.in ?? 0) : sum;
  }, 0);
}
