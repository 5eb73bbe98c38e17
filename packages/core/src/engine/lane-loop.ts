import type { Failure } from './answer.js';
import { STATUS } from './codegen.js';
import type { OpenStageContext, RunContext } from './context.js';
import { noCounts, type StageCounts } from './counts.js';
import { effectsOf, type GroupPlan } from './group-plan.js';
import { countsOf, NO_LIMIT } from './group-room.js';
import { GroupTally } from './group-tally.js';
import { type MachineState, startState } from './machine.js';

/** What the loop of one key keeps: its counts, and the state of its steps. */
export interface LaneState {
  readonly counts: number[];
  readonly states: unknown[];
  isClosed: boolean;
}

/**
 * The loops of all keys, where a sub-pipeline is one loop and nothing else: what comes of an item is at hand at once.
 *
 * PERF: a `Group` for each key answers for each item, and is asked again, which costs more than the steps (500 ns an item
 * instead of 145 in core/partitionBy); a machine state for each key, rather than this one for all, takes 190.
 */
export class LaneLoops {
  readonly #plan: GroupPlan;
  readonly #run: RunContext;
  readonly #contexts: readonly OpenStageContext[];
  readonly #state: MachineState;
  readonly #tally: GroupTally;
  readonly #effects: readonly number[];
  /** Whether what is inside changes in the loop. */
  readonly #hasEffects: boolean;
  #running: LaneState | undefined;

  constructor(plan: GroupPlan, run: RunContext, contexts: readonly OpenStageContext[]) {
    this.#plan = plan;
    this.#run = run;
    this.#contexts = contexts;
    this.#state = this.#start();
    this.#tally = new GroupTally(plan, run, { source: undefined, stages: contexts }, this.#state);
    this.#effects = effectsOf(plan);
    this.#hasEffects = this.#effects.some((effect) => effect !== 0);
  }

  /** Makes the loop of another key. */
  open(): LaneState {
    const { counts, states } = this.#start();
    return { counts, states, isClosed: false };
  }

  /** Takes item `at` of a burst, and adds what comes of it to `made`. */
  take(lane: LaneState, burst: readonly unknown[], at: number, made: unknown[]): Failure | undefined {
    const state = this.#begin(lane, made);
    if (state.input !== burst) state.input = burst;
    state.at = at;
    state.end = at + 1;
    const before = this.#hasEffects ? this.#inside(lane) : 0;
    this.#plan.machine.run(state, 1, NO_LIMIT);
    return this.#end(lane, before);
  }

  /** Adds what the steps hold to `made`. */
  flush(lane: LaneState, made: unknown[]): Failure | undefined {
    const { steps } = this.#plan.shape;
    let failure: Failure | undefined;
    for (let at = 0; at < steps.length && !lane.isClosed && failure === undefined; at++) {
      if (steps[at]?.flush === undefined) continue;
      const state = this.#begin(lane, made);
      state.status = STATUS.slice;
      const before = this.#inside(lane);
      this.#plan.machine.flush(state, at, NO_LIMIT);
      failure = this.#end(lane, before);
    }
    return failure;
  }

  /** The counts of step `at` for one key; those of items that failed are kept for all. */
  counts({ counts, states, isClosed }: LaneState, at: number): StageCounts {
    return countsOf(this.#plan, { ...this.#state, counts, states }, noCounts(), at, isClosed);
  }

  /** What step `at` counted outside of its loop. */
  own(at: number): StageCounts {
    return (this.#contexts[at] as OpenStageContext).counts;
  }

  /** Lets go of what the steps hold; a function of the user may call this from inside the loop. */
  close(lane: LaneState): void {
    if (lane.isClosed) return;
    lane.isClosed = true;
    if (this.#running !== lane) this.#abandon(lane);
  }

  #start(): MachineState {
    const { shape, layout, params, seeds } = this.#plan;
    return startState(shape, layout, params, seeds, this.#run.clock);
  }

  #begin(lane: LaneState, made: unknown[]): MachineState {
    const state = this.#state;
    this.#running = lane;
    state.counts = lane.counts;
    state.states = lane.states;
    // PERF: what is new each time must be noted for the garbage collector (core/partitionBy, 5 ns an item).
    if (state.out !== made) state.out = made;
    return state;
  }

  #end(lane: LaneState, before: number): Failure | undefined {
    const state = this.#state;
    this.#running = undefined;
    if (this.#hasEffects) this.#run.inside(this.#inside(lane) - before);
    const failure = state.status === STATUS.failed ? this.#fail(state.failed, state.error) : undefined;
    if (lane.isClosed) this.#abandon(lane);
    return failure;
  }

  #fail(at: number, error: unknown): Failure {
    this.#state.error = undefined;
    this.#tally.restored();
    const index = this.#tally.fail(at);
    return (this.#contexts[at] as OpenStageContext).failure(error, index);
  }

  #inside({ counts }: LaneState): number {
    let inside = 0;
    for (let at = 0; at < this.#effects.length; at++) inside += (this.#effects[at] as number) * (counts[at] as number);
    return inside;
  }

  #abandon({ states }: LaneState): void {
    this.#state.states = states;
    this.#tally.abandonHeld();
  }
}

/** Whether the steps of a group are such that each item is through when the loop comes back. */
export function isLaneLoop({ shape, waitsAt, policies, open }: GroupPlan): boolean {
  const isPlain = shape.steps.every((step) => step.stops !== true && step.cursor === undefined);
  return isPlain && waitsAt < 0 && policies === undefined && open === undefined;
}
