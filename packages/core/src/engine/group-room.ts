import type { Shape } from './codegen.js';
import type { StageCounts } from './counts.js';
import type { Cursor } from './cursor.js';
import type { GroupPlan } from './group-plan.js';
import type { MachineState } from './machine.js';
import type { StepKind } from './step.js';

/**
 * More than a slice ever has. PERF: a small integer, since an infinite limit makes the loop count in floating point
 * (core/map-reduce, 3 times slower).
 */
export const NO_LIMIT = 0x3fffffff;

/**
 * How many items a group may take in now: what was asked of it, at most what ends a take; or, where batches are asked for,
 * what fills the first one.
 */
export function roomOf(plan: GroupPlan, state: MachineState, max: number): number {
  const isAsked = plan.shape.sink.id === 'emit' || plan.waitsAt >= 0;
  if (!plan.hasRoom) return isAsked ? Math.max(1, Math.min(max, NO_LIMIT)) : NO_LIMIT;
  return isAsked ? roomOfSteps(plan, state, max, (step) => step.room !== undefined) : leftToTake(plan, state);
}

/** How many items the takes before the first step that gathers or unfolds have left to take; 1 where that is none. */
export function leftToTake(plan: GroupPlan, state: MachineState): number {
  if (!plan.hasRoom) return NO_LIMIT;
  return roomOfSteps(plan, state, NO_LIMIT, (step) => step.id === 'take');
}

/** How many items to ask the upstream for: what was asked of the group, at most what fills what is open. */
export function askOf(plan: GroupPlan, state: MachineState, max: number): number {
  const isOne = plan.waitsAt >= 0;
  if (state.cursors.length === 0 && (isOne || plan.shape.sink.id === 'emit'))
    return roomOf(plan, state, isOne ? 1 : max);
  return Math.min(plan.ask, leftToTake(plan, state));
}

function roomOfSteps(plan: GroupPlan, state: MachineState, max: number, counts: (step: StepKind) => boolean): number {
  const { shape, layout, params } = plan;
  let room = NO_LIMIT;
  for (let at = 0; at < shape.steps.length; at++) {
    const step = shape.steps[at] as StepKind;
    const entered = state.counts[layout.region[at] as number] as number;
    if (counts(step)) {
      room = Math.min(room, step.room?.(state.states[at], entered, params[at] as readonly unknown[]) ?? room);
    }
    // PERF: what was asked for are batches, and one takes as many items as it has room for: asking for as many items as
    // for batches, which is one as a rule, made each item a burst of its own.
    if (step.id === 'batch' && counts(step)) return Math.max(1, room);
    if (step.tally === 'absorbed' || step.waiting !== undefined) break;
  }
  return Math.max(1, Math.min(max, room));
}

/** Grows by one for each item taken in and each that reached the end: a measure of work. */
export function workOf({ layout }: GroupPlan, { counts }: MachineState): number {
  return (counts[0] as number) + (counts[layout.region[layout.region.length - 1] as number] as number);
}

/** How many inputs step `at` is unfolding: 1 or 0. */
function openCursors({ shape }: Pick<GroupPlan, 'shape'>, state: MachineState, at: number): number {
  return cursorOf({ shape }, state, at)?.isOpen === true ? 1 : 0;
}

/** The cursor of step `at`, where it is one that unfolds. */
export function cursorOf({ shape }: Pick<GroupPlan, 'shape'>, state: MachineState, at: number): Cursor | undefined {
  if (shape.steps[at]?.cursor === undefined) return undefined;
  return state.cursors[shape.steps.slice(0, at).filter((step) => step.cursor !== undefined).length];
}

/** What became of the items of step `at`, of its `own` counts and those of the loop. */
export function countsOf(
  { shape, layout }: GroupPlan,
  state: MachineState,
  own: StageCounts,
  at: number,
  isClosed: boolean,
): StageCounts {
  const { counts } = state;
  const entered = counts[layout.region[at] as number] as number;
  const step = shape.steps[at];
  const left = step === undefined ? entered : (counts[layout.region[at + 1] as number] as number);
  const sum = { ...own, in: own.in + entered, out: own.out + left };
  if (step?.tally !== undefined) {
    sum[step.tally] += counts[layout.tally[at] as number] as number;
    if (step.tally === 'absorbed') sum.made += left;
  }
  if (isClosed) return sum;
  if (step !== undefined) sum.held += heldBy(shape, state, at);
  else if (state.waitsFor !== undefined) {
    // The loop has counted the item as finished that the sink still waits for.
    sum.out--;
    sum.held++;
  }
  return sum;
}

/** How many items are inside step `at`. */
export function heldBy(shape: Shape, state: MachineState, at: number): number {
  const waiting = shape.steps[at]?.waiting !== undefined && (state.awaits !== undefined || state.isReady) ? 1 : 0;
  const isWritten = state.writes === at ? 1 : 0;
  return (shape.steps[at]?.held?.(state.states[at]) ?? 0) + openCursors({ shape }, state, at) + waiting + isWritten;
}
