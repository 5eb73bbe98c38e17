import type { PlannedStage, StageCounts } from '@millrace/core';

/** What the runs of a pipeline are at: the latest that is not over, or else how the last one ended. */
export type PipelineState = 'running' | 'draining' | 'closing' | 'done' | 'failed' | 'aborted';

/**
 * The figures of all observed pipelines at one moment, as plain data.
 *
 * Rates, shares and percentiles are those of the window from the snapshot that was given as `since` to this one; all
 * other figures are totals since `observe()`, or the state at this moment.
 */
export interface Snapshot {
  /** When it was taken, on the observer's clock. */
  readonly atMs: number;
  /** How long the window is. */
  readonly windowMs: number;
  /** One for each name, in the order of their first runs. */
  readonly pipelines: readonly PipelineSnapshot[];
}

/** The figures of the runs that have one name. */
export interface PipelineSnapshot {
  /** What `named()` was given. */
  readonly name: string;
  /** Of the latest run. */
  readonly state: PipelineState;
  /** How many runs were started, and how those that are over ended. */
  readonly runs: { readonly started: number; readonly done: number; readonly failed: number; readonly aborted: number };
  /** The items inside now. */
  readonly inFlight: number;
  /** The most items that can be inside the runs under way, or could inside the last one. */
  readonly inFlightBound: number;
  /** The latest of all runs. */
  readonly lastError: ErrorSnapshot | undefined;
  /** In the order of the plan. */
  readonly stages: readonly StageSnapshot[];
  /** The sources, fused groups, operators and sinks in which the stages run: time is taken of these. */
  readonly nodes: readonly NodeSnapshot[];
}

/** The latest error of a pipeline. */
export interface ErrorSnapshot {
  /** The name of the stage that noted it. */
  readonly stage: string;
  /** The `code` of what the user's code threw, or else its class. */
  readonly type: string;
  /** As the `StageError` has it: with the message of what the user's code threw. */
  readonly message: string;
  /** How many items had entered the stage before the one that failed. */
  readonly index: number;
  /** When, on the observer's clock. */
  readonly atMs: number;
}

/** The figures of one stage. */
export interface StageSnapshot {
  /** As in the plan. */
  readonly name: string;
  /** What kind of stage. */
  readonly kind: PlannedStage['kind'];
  /** Where its node is in {@link PipelineSnapshot.nodes}. */
  readonly node: number;
  /** What became of its items, since `observe()`. */
  readonly counts: StageCounts;
  /** The items that entered (for a source: that it read) per second. */
  readonly inPerSecond: number;
  /** The items that it handed on per second. */
  readonly outPerSecond: number;
  /** The items that wait on the edge before it. */
  readonly waiting: number;
  /** The most that may wait there. */
  readonly highWaterMark: number;
  /** The items in service or held. */
  readonly inside: number;
  /** The most that may be; 0 where the plan names no room: synchronous stages. */
  readonly capacity: number;
  /** How many errors it noted, by type; at most 32 types, all others are `_OTHER`. */
  readonly errors: Readonly<Record<string, number>>;
}

/** The times of one node. */
export interface NodeSnapshot {
  /** The names of its stages: `parse → clean`. */
  readonly name: string;
  /** The share of the thread that it used, 0 to 1. */
  readonly runningRatio: number;
  /** How long it used the thread since `observe()`. */
  readonly runningSeconds: number;
  /** How long its items were in service; `undefined` where none were, or where times are not taken. */
  readonly service: ServiceSnapshot | undefined;
}

/**
 * How long items were in service: until the promise, worker or write was done, or, in a fused group, the item's share of
 * the burst that it was in. Percentiles are within 0.8 %.
 */
export interface ServiceSnapshot {
  /** The items, since `observe()`. */
  readonly items: number;
  /** The sum of their times, since `observe()`. */
  readonly seconds: number;
  /** How many items took less than so many seconds, since `observe()`. */
  readonly buckets: ReadonlyArray<{ readonly belowSeconds: number; readonly items: number }>;
  /** The percentiles of the window; `undefined` where nothing was in service during it. */
  readonly window: Percentiles | undefined;
}

/** Times that a share of all items do not exceed. */
export interface Percentiles {
  /** Half of the items took no longer. */
  readonly p50Ms: number;
  /** 95 % took no longer. */
  readonly p95Ms: number;
  /** 99 % took no longer. */
  readonly p99Ms: number;
  /** 99.9 % took no longer. */
  readonly p999Ms: number;
}
