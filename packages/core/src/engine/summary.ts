import { isBalanced, type StageCounts } from './counts.js';
import type { Plan } from './plan.js';

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

/** The part of a summary that the counts of the stages tell. */
export function summaryOf(
  plan: Plan,
  counts: readonly StageCounts[],
): Omit<RunSummary, 'inFlightMax' | 'seconds' | 'leftOpen'> {
  const { stages } = plan;
  const sum = (of: keyof StageCounts, kind?: (kind: string) => boolean): number =>
    counts.reduce((total, each, at) => total + (kind === undefined || kind(stages[at]?.kind ?? '') ? each[of] : 0), 0);
  return {
    read: sum('made', (kind) => kind === 'source'),
    made: sum('made', (kind) => kind !== 'source'),
    emitted: sum('out', (kind) => kind === 'sink'),
    absorbed: sum('absorbed'),
    filtered: sum('filtered'),
    deduped: sum('deduped'),
    deadLettered: sum('deadLettered'),
    dropped: sum('dropped'),
    abandoned: sum('abandoned'),
    inFlightBound: plan.bound,
    balanced: counts.every(isBalanced) && areLinked(plan, counts),
    stages: counts.map((each, at) => ({ name: stages[at]?.name ?? '', ...each })),
  };
}

/** How many items wait before stage `at`: handed on by those before it, and not entered. */
export function waitingBefore({ stages }: Plan, counts: readonly StageCounts[], at: number): number {
  const { kind, inputs = [] } = stages[at] ?? {};
  // What a broadcast hands on enters its branches at once.
  if (inputs.length === 0 || kind === 'branch') return 0;
  return inputs.reduce((sum, input) => sum + (counts[input]?.out ?? 0), 0) - (counts[at]?.in ?? 0);
}

/** Whether all that stages handed on entered those behind them. */
function areLinked(plan: Plan, counts: readonly StageCounts[]): boolean {
  const { stages } = plan;
  const branches = new Map<number, number>();
  return (
    stages.every(({ kind, inputs }, at) => {
      if (kind !== 'branch') return waitingBefore(plan, counts, at) === 0;
      const [broadcast = -1] = inputs;
      branches.set(broadcast, (branches.get(broadcast) ?? 0) + (counts[at]?.in ?? 0));
      return true;
    }) && [...branches].every(([broadcast, taken]) => counts[broadcast]?.out === taken)
  );
}
