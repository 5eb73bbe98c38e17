import type { Puller } from './answer.js';
import type { GroupPlan } from './group-plan.js';
import type { OpenNodes } from './open-nodes.js';
import type { SizeOf } from './scale.js';
import type { OperatorSpec } from './spec.js';
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

/**
 * One node of a plan. Each kind says how it is opened, in the file that plans it; the rest is what others ask of any node.
 */
export interface PlanNode {
  readonly type:
    | 'source'
    | 'group'
    | 'operator'
    | 'merge'
    | 'join'
    | 'broadcast'
    | 'split'
    | 'branch'
    | 'keyed'
    | 'gather'
    | 'sink';
  /** Its stage; of a group, the last one. */
  readonly stage: number;
  /** The numbers of the nodes it pulls from. */
  readonly from: readonly number[];
  /** Opens it, behind those it pulls from, and gives what to pull from for its items; left out where another node opens it. */
  readonly open?: (nodes: OpenNodes, at: number) => Puller<unknown> | undefined;
  /** The last of the nodes that it opens itself, and stands for; left out where it is alone. */
  readonly last?: number;
  /** How many items of each input may wait before a join. */
  readonly highWaterMark?: number;
  /** What describes an operator. */
  readonly spec?: OperatorSpec;
  /** What a fused group is. */
  readonly group?: GroupPlan;
  /** Whether the loop of a group takes items from a source itself, and whether items may wait before it. */
  readonly hasSource?: boolean;
  readonly hasEdge?: boolean;
  /** The stages of a group, but for its source. */
  readonly stages?: readonly number[];
  /** Whether what its stage has taken still waits before the next. */
  readonly isQueue?: boolean;
  /** Why it can't be part of a run with checkpoints, where it can't. */
  readonly obstacle?: string | undefined;
}

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
