/** What became of the items of one stage; each is counted where it happens. */
export interface StageCounts {
  /** The items that entered the stage. */
  in: number;
  /** The items the stage itself brought forth: a source's, a batch, what a flatMap unfolds. */
  made: number;
  /** The items it handed on; for a sink, those it finished. */
  out: number;
  /** The items that went into what the stage made: the members of a batch, the input of a flatMap. */
  absorbed: number;
  filtered: number;
  deduped: number;
  deadLettered: number;
  dropped: number;
  /** The items that were inside when the run ended early, the one that ended it among them. */
  abandoned: number;
  /** The items it holds now. */
  held: number;
}

/** The ways in which an item can end inside a stage. */
export type Fate = 'absorbed' | 'filtered' | 'deduped' | 'deadLettered' | 'dropped' | 'abandoned';

/** Counts of a stage, all 0. */
export function noCounts(): StageCounts {
  return {
    in: 0,
    made: 0,
    out: 0,
    absorbed: 0,
    filtered: 0,
    deduped: 0,
    deadLettered: 0,
    dropped: 0,
    abandoned: 0,
    held: 0,
  };
}

/** How many items a stage has and has not yet accounted for: held, in service, finished and waiting to be asked for. */
export function inside(c: StageCounts): number {
  const ended = c.absorbed + c.filtered + c.deduped + c.deadLettered + c.dropped + c.abandoned;
  return c.in + c.made - c.out - ended;
}

/** Law 4 for one stage: what came in or was made went out, ended in a counted way, or is held. */
export function isBalanced(c: StageCounts): boolean {
  const ended = c.absorbed + c.filtered + c.deduped + c.deadLettered + c.dropped + c.abandoned;
  return c.in + c.made === c.out + ended + c.held;
}
