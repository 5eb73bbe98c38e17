import type { RunContext, StageContext } from './context.js';
import { effectsOf, type GroupContexts, type GroupPlan } from './group-plan.js';
import { cursorOf, heldBy } from './group-room.js';
import type { MachineState } from './machine.js';

/** Keeps a group's part of what is inside the run, and the counts of an item that failed. */
export class GroupTally {
  readonly #plan: GroupPlan;
  readonly #run: RunContext;
  readonly #contexts: GroupContexts;
  readonly #state: MachineState;
  /** What each count adds to the number of items inside. */
  readonly #effects: readonly number[];
  /** The count of what reached the sink, where the group ends with one, and what one weighs. */
  readonly #sink: number;
  readonly #sinkWeight: number;
  /** Whether what is inside while the loop waits is the same each time: nothing is held, or unfolded. */
  readonly #isSteady: boolean;
  #insideBefore = 0;

  constructor(plan: GroupPlan, run: RunContext, contexts: GroupContexts, state: MachineState) {
    this.#plan = plan;
    this.#run = run;
    this.#contexts = contexts;
    this.#state = state;
    this.#effects = effectsOf(plan);
    const end = plan.shape.steps.length;
    this.#sink = plan.shape.sink.id === 'emit' ? -1 : (plan.layout.region[end] as number);
    this.#sinkWeight = plan.weights[end] as number;
    this.#isSteady = plan.shape.steps.every(
      (step) =>
        step.held === undefined && step.cursor === undefined && (step.isGuarded !== true || step.waiting !== undefined),
    );
  }

  /** Whether `account()` has nothing to do where one item waits after the other. */
  get isSteady(): boolean {
    return this.#isSteady && this.#insideBefore !== 0;
  }

  /** Takes what was counted in runs before as no part of this one. */
  restored(): void {
    this.#insideBefore = this.#inside();
  }

  /** Brings the number of items inside the run up to date. */
  account(): void {
    const { counts } = this.#state;
    const inside = this.#inside();
    if (this.#sink >= 0 && (counts[this.#sink] as number) > 0) this.#run.reached(this.#sinkWeight);
    this.#run.inside(inside - this.#insideBefore);
    this.#insideBefore = inside;
  }

  #inside(): number {
    const { counts } = this.#state;
    let inside = 0;
    for (let at = 0; at < this.#effects.length; at++) inside += (this.#effects[at] as number) * (counts[at] as number);
    return inside;
  }

  /** Takes the item that failed at step `at` out of its region's count, which stands for all stages of the region; gives its index. */
  fail(at: number): number {
    const { layout, shape, weights } = this.#plan;
    const { counts } = this.#state;
    const region = layout.region[at] as number;
    counts[region] = (counts[region] as number) - 1;
    const failing = this.#contexts.stages[at] as StageContext;
    const index = (counts[region] as number) + failing.counts.in + failing.enteredBefore;
    if (this.#isBehindCursor(at)) {
      counts[region] = (counts[region] as number) + 1;
      return index;
    }
    let before = at - 1;
    for (; before >= 0 && layout.region[before] === region; before--) this.#passed(before, false);
    if (before >= 0) this.#passed(before, shape.steps[before]?.tally === 'absorbed', true);
    else if (this.#contexts.source !== undefined) {
      this.#contexts.source.counts.made++;
      this.#contexts.source.counts.out++;
    }
    failing.counts.in++;
    failing.counts.abandoned++;
    const effect = this.#effects[region] as number;
    const isSink = layout.region[shape.steps.length] === region && shape.sink.id !== 'emit';
    const isAdded = effect + (isSink ? this.#sinkWeight : 0) > 0;
    if (!isAdded) this.#run.inside(-(weights[at] as number));
    this.account();
    return index;
  }

  /** Counts as abandoned what the steps hold and what the sink works on. */
  abandonHeld(): void {
    const { shape, weights } = this.#plan;
    const end = shape.steps.length;
    for (let at = 0; at < end; at++) {
      const inside = heldBy(shape, this.#state, at);
      (this.#contexts.stages[at] as StageContext).counts.abandoned += inside;
      this.#run.inside(-inside * (weights[at] as number));
    }
    if (this.#state.waitsFor === undefined) return;
    const { counts } = this.#contexts.stages[end] as StageContext;
    counts.out--;
    counts.abandoned++;
    this.#run.inside(-(weights[end] as number));
  }

  /** How many items that came in wait for their turn in the loop. */
  waiting(): number {
    return this.#plan.open === undefined ? this.#state.end - this.#state.at : 0;
  }

  /** Counts those as items that go no further. */
  abandonWaiting(): void {
    this.abandonInput(this.waiting());
    if (this.#plan.open === undefined) this.#state.at = this.#state.end;
  }

  /** Counts items that came in and go no further. */
  abandonInput(items: number): void {
    const counts = this.#contexts.stages[0]?.counts;
    if (counts === undefined) return;
    counts.in += items;
    counts.abandoned += items;
    this.#run.inside(-items * (this.#plan.weights[0] as number));
  }

  #passed(at: number, isMade: boolean, isSplit = false): void {
    const { counts } = this.#contexts.stages[at] as StageContext;
    if (!isSplit) counts.in++;
    counts.out++;
    if (isMade) counts.made++;
  }

  /** Ends the cursor of the step that failed; `true` where its input had been counted as absorbed before. */
  #isBehindCursor(at: number): boolean {
    const state = this.#state;
    const cursor = cursorOf(this.#plan, state, at);
    if (cursor === undefined) return false;
    if (cursor.isOpen) state.level = cursor.below;
    cursor.close();
    // An iterator that is left threw in its clean-up.
    return state.stop > at;
  }
}
