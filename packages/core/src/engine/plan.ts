import type { GroupPlan } from './group-plan.js';
import type { JoinKind } from './join.js';
import type { SizeOf } from './scale.js';
import type { KeyedSpec, OperatorRooms, OperatorSpec, SourceSpec } from './spec.js';
import type { SplitKind } from './split.js';
import type { SinkKind } from './step.js';

/** A sink that ends a fused group. */
export interface FusedSink {
  readonly type: 'fused';
  readonly name: string;
  readonly kind: SinkKind;
  readonly params: readonly unknown[];
  readonly seed?: unknown;
}

/** What takes bursts outside of the loop: a writable, a reader's demand, a sink of another package. */
export interface BurstSink {
  readonly type: 'burst';
  readonly name: string;
  /** The items that may wait before it; `undefined` for what suits the items: 64, or 1 where they are batches. */
  readonly highWaterMark: number | undefined;
  /** What one of them weighs, where `highWaterMark` is of weight. */
  readonly size?: SizeOf | undefined;
  /** The most items it may be handed at once. */
  readonly inService: number;
  /** Whether what it is given goes into a foreign stream, where it can't be counted. */
  readonly isForeign?: boolean;
}

export type SinkSpec = FusedSink | BurstSink;

/** One stage of a plan, as {@link Plan} shows it. */
export interface PlannedStage {
  readonly name: string;
  readonly kind: 'source' | 'step' | 'operator' | 'merge' | 'join' | 'broadcast' | 'split' | 'branch' | 'sink';
  /** The number of the node it runs in; the stages of one fused group share it. */
  readonly node: number;
  /** How many source items one of its input items stands for. */
  readonly weight: number;
  /** The numbers of the stages whose items it takes: none for a source, several for a merge. */
  readonly inputs: readonly number[];
}

/** One thing that can hold items: a line of the bound. */
export interface PlannedRoom {
  readonly stage: string;
  /** What holds them: `edge`, `in service`, `cursor`, `sink`. */
  readonly where: string;
  readonly items: number;
  /** What the items of an edge with a `size` may weigh, all but the last of them; an item weighs 1 at least. */
  readonly weight?: number;
}

/** One node of a plan; `from` are the numbers of the nodes it pulls from. */
export type PlanNode =
  | { readonly type: 'source'; readonly spec: SourceSpec & { type: 'reader' }; readonly stage: number }
  | {
      readonly type: 'group';
      readonly group: GroupPlan;
      /** The stage number of the loop's source, if it has one. */
      readonly source: number | undefined;
      readonly stages: readonly number[];
      readonly edge: { readonly highWaterMark: number; readonly isEager: boolean } | undefined;
      readonly from: readonly number[];
    }
  | {
      readonly type: 'operator';
      readonly spec: OperatorSpec;
      readonly stage: number;
      readonly rooms: OperatorRooms;
      readonly from: readonly number[];
    }
  | {
      readonly type: 'merge';
      readonly stage: number;
      /** How many items of each input may wait. */
      readonly highWaterMark: number;
      /** What one of them weighs, where `highWaterMark` is of weight. */
      readonly size: SizeOf | undefined;
      /** What one item of each input weighs. */
      readonly weights: readonly number[];
      readonly from: readonly number[];
    }
  | {
      /** A join by a rule. */
      readonly type: 'join';
      readonly stage: number;
      readonly join: JoinKind;
      readonly highWaterMark: number;
      readonly size: SizeOf | undefined;
      readonly weights: readonly number[];
      /** What one item weighs behind it. */
      readonly weight: number;
      readonly from: readonly number[];
    }
  | { readonly type: 'broadcast'; readonly stage: number; readonly from: readonly number[] }
  | { readonly type: 'split'; readonly split: SplitKind; readonly stage: number; readonly from: readonly number[] }
  | {
      /** Tells items apart by key; the nodes between it and the one that gathers are opened for each key. */
      readonly type: 'keyed';
      readonly spec: KeyedSpec;
      readonly stage: number;
      /** The last node of a sub-pipeline; this one itself where that is empty. */
      readonly end: number;
      /** The node that gathers what the sub-pipelines make. */
      readonly gather: number;
      readonly from: readonly number[];
    }
  | {
      readonly type: 'gather';
      readonly stage: number;
      readonly from: readonly number[];
    }
  | {
      readonly type: 'branch';
      readonly stage: number;
      /** How many items may wait. */
      readonly highWaterMark: number;
      readonly size: SizeOf | undefined;
      readonly from: readonly number[];
    }
  | {
      /** A sink that is not fused. */
      readonly type: 'sink';
      readonly stage: number;
      /** How many items may wait before it. */
      readonly highWaterMark: number;
      readonly size: SizeOf | undefined;
      readonly from: readonly number[];
    };

/** What pipelines compile to: their stages, the nodes they run in, and the most items that can be inside. */
export interface Plan {
  readonly stages: readonly PlannedStage[];
  /** Each behind those it pulls from. */
  readonly nodes: readonly PlanNode[];
  /** The nodes that end with a sink, in the order of the sinks. */
  readonly ends: readonly number[];
  /** Where items can be, and how many. */
  readonly rooms: readonly PlannedRoom[];
  /** The most items that can be inside at any moment: the sum of `rooms`. */
  readonly bound: number;
  /** The stages inside which items can't be counted: foreign streams. */
  readonly notCounted: readonly string[];
  /** What may be inside by weight, but for one item of each source; undefined where it is not weighed. */
  readonly maxBytes: number | undefined;
  /** What can go wrong with it that its author may not have meant. */
  readonly warnings: readonly string[];
}

/** What decides how a plan is made. */
export interface PlanOptions {
  readonly fuse: boolean;
  /** Whether somebody asks how long the items of each stage take. */
  readonly isTimed: boolean;
  /** Whether items carry their origins. */
  readonly carries?: boolean;
  readonly maxInFlight: number | undefined;
  /** What may be inside by weight: sources are asked for their items one by one, and none is part of a loop. */
  readonly maxBytes: number | undefined;
  readonly generate: boolean;
}
