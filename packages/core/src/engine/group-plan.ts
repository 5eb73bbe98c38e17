import type { Layout, Shape } from './codegen.js';
import type { OpenStageContext, StageContext } from './context.js';
import type { Guard } from './guard.js';
import type { Machine, Params } from './machine.js';
import type { ErrorPolicy } from './rejects.js';
import type { StepKind } from './step.js';
import type { WaitingSlot } from './waiting-slot.js';

/** What a loop takes items from. */
export interface LoopInput {
  readonly input: unknown;
  readonly start?: number;
  readonly by?: number;
  readonly end?: number;
}

/** A fused group as the plan has it: all about it that does not change from run to run. */
export interface GroupPlan {
  readonly shape: Shape;
  readonly layout: Layout;
  readonly machine: Machine;
  readonly params: Params;
  readonly seeds: readonly unknown[];
  /** What one item weighs where it enters step `k`; the last entry is the sink's, or that of what is handed on. */
  readonly weights: readonly number[];
  /** Opens the source that the loop takes items from itself. */
  readonly open: (() => LoopInput) | undefined;
  /** Whether a step says how many more items may enter. */
  readonly hasRoom: boolean;
  /** What becomes of items on which the function of a step fails, by step; none where all fail the run. */
  readonly policies: ReadonlyArray<ErrorPolicy<never, unknown> | undefined> | undefined;
  /** The step that waits for promises, or -1, and what keeps its item. */
  readonly waitsAt: number;
  readonly slot: typeof WaitingSlot | undefined;
  /** Deals with the items on which its function fails, where it has a policy for them. */
  readonly guard: ((context: StageContext) => Guard) | undefined;
  /** How many items a group with a sink asks for: the sink's edge. */
  readonly ask: number;
}

/** The contexts of a group's stages, for one run. */
export interface GroupContexts {
  /** The source's, where the loop takes items from it itself. */
  readonly source: StageContext | undefined;
  /** The steps', and behind them the sink's where the group ends with one. */
  readonly stages: readonly OpenStageContext[];
}

/** The next step, from `at` on, that has something to hand on: before a mark, what is not part of a checkpoint; at the end, all. */
export function nextToFlush(steps: readonly StepKind[], at: number, isMark: boolean): number {
  const next = steps.findIndex((step, k) => k >= at && step.flush !== undefined && !(isMark && step.keeps === true));
  return next < 0 ? steps.length : next;
}

/** What each count adds to the number of items inside: the loop's source and makers add, losses and the sink take away. */
export function effectsOf({ shape, layout, weights, open }: GroupPlan): readonly number[] {
  const effects = new Array<number>(layout.counts).fill(0);
  const add = (at: number, weight: number): void => {
    effects[at] = (effects[at] as number) + weight;
  };
  if (open !== undefined) add(0, weights[0] as number);
  shape.steps.forEach((step, at) => {
    if (step.tally === undefined) return;
    const isMade = step.tally === 'made';
    add(layout.tally[at] as number, isMade ? (weights[at + 1] as number) : -(weights[at] as number));
    if (step.tally === 'absorbed') add(layout.region[at + 1] as number, weights[at + 1] as number);
  });
  const end = shape.steps.length;
  if (shape.sink.id !== 'emit') add(layout.region[end] as number, -(weights[end] as number));
  return effects;
}
