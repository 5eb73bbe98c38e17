import type { Checkpoint } from '../checkpointer.js';
import type { Mark } from './answer.js';
import type { BarrierSource, Coordinator, Resumable } from './coordinator.js';
import type { GroupContexts, GroupPlan } from './group-plan.js';
import { NO_LIMIT } from './group-room.js';
import type { GroupTally } from './group-tally.js';
import type { MachineState } from './machine.js';
import type { Snapshot } from './snapshot.js';
import { NOTHING } from './step.js';

/** What a checkpoint has of one stage. */
export interface StageState {
  /** How many items had entered the stage, left it, and met a step's fate, in all runs so far. */
  readonly entered: number;
  readonly left: number;
  readonly tally?: number;
  readonly state?: unknown;
}

/** A group's part in the checkpoints of its run: what it keeps, and the barriers that begin at a loop's own source. */
export class GroupBarriers implements BarrierSource, Resumable {
  readonly #plan: GroupPlan;
  readonly #state: MachineState;
  readonly #contexts: GroupContexts;
  readonly #tally: GroupTally;
  readonly #checkpoints: Coordinator;
  readonly #resume: () => void;
  /** A barrier that is to begin here. */
  injected: Mark | undefined;
  /** Whether the loop waits until it may take items again. */
  #isWaiting = false;

  constructor(
    plan: GroupPlan,
    state: MachineState,
    contexts: GroupContexts,
    tally: GroupTally,
    checkpoints: Coordinator,
    resume: () => void,
  ) {
    this.#plan = plan;
    this.#resume = resume;
    this.#state = state;
    this.#contexts = contexts;
    this.#tally = tally;
    this.#checkpoints = checkpoints;
    checkpoints.node(this);
    if (plan.open !== undefined) checkpoints.source(this);
  }

  get name(): string {
    return this.#contexts.source?.name ?? '';
  }

  get names(): readonly string[] {
    const { source, stages } = this.#contexts;
    return [...(source === undefined ? [] : [source]), ...stages].map(({ name }) => name);
  }

  get obstacle(): string | undefined {
    return this.#plan.shape.source === 'iterator' ? 'has no position' : undefined;
  }

  /** How many items the loop may take from its own source before the next barrier. */
  get left(): number {
    return this.#plan.open === undefined ? NO_LIMIT : this.#checkpoints.left;
  }

  /** Whether the loop may take no item from its own source now: a barrier is to begin, or too much is not saved. */
  get isHeld(): boolean {
    return this.injected !== undefined || (this.#plan.open !== undefined && this.#checkpoints.isHeld);
  }

  /** Lets the loop take no item while it may not; says whether it has nothing else to do, and is resumed when it may. */
  holds(): boolean {
    const state = this.#state;
    state.isDry = this.isHeld;
    this.#isWaiting = state.isDry && !state.isReady && state.level === 0;
    return this.#isWaiting;
  }

  counted(items: number): void {
    if (this.#plan.open !== undefined) this.#checkpoints.counted(items);
  }

  inject(mark: Mark): void {
    this.injected = mark;
  }

  take(): Mark | undefined {
    const mark = this.injected;
    this.injected = undefined;
    return mark;
  }

  /** A loop has its items at hand: no read is pending. */
  poke(): void {}

  release(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    this.#resume();
  }

  acknowledge(): void {}

  /** A mark goes on, or has come to the sink that the group ends with. */
  passed(mark: Mark, group: unknown): void {
    this.#checkpoints.passes(mark, this);
    if (this.#plan.shape.sink.id !== 'emit') this.#checkpoints.answered(mark, group);
  }

  save(snapshot: Snapshot): void {
    saveGroup(this.#plan, this.#state, this.#contexts, snapshot);
  }

  restore(checkpoint: Checkpoint): void {
    restoreGroup(this.#plan, this.#state, this.#contexts, checkpoint);
    this.#tally.restored();
  }
}

/** Adds where the loop's source is and what the steps keep; nothing is held then. */
function saveGroup(
  { shape, layout }: GroupPlan,
  { counts, states }: MachineState,
  { source, stages }: GroupContexts,
  snapshot: Snapshot,
): void {
  if (source !== undefined) snapshot.position(source.name, counts[0]);
  stages.forEach(({ name }, at) => {
    const step = shape.steps[at];
    const entered = counts[layout.region[at] as number] as number;
    const left = step === undefined ? entered : (counts[layout.region[at + 1] as number] as number);
    const tally = step?.tally === undefined ? {} : { tally: counts[layout.tally[at] as number] };
    const keeps = step?.keeps === true && states[at] !== NOTHING;
    const state = keeps && step.save !== undefined ? step.save(states[at]) : states[at];
    snapshot.state(name, { entered, left, ...tally, ...(keeps ? { state } : {}) });
  });
}

/** Lets a group that has not run yet go on from a checkpoint; its own counts are of this run only. */
function restoreGroup(
  { shape, layout, params }: GroupPlan,
  state: MachineState,
  { source, stages }: GroupContexts,
  checkpoint: Checkpoint,
): void {
  const { counts } = state;
  if (source !== undefined && source.name in checkpoint.positions) {
    const position = checkpoint.positions[source.name] as number;
    counts[0] = state.at = position;
    source.counts.made -= position;
    source.counts.out -= position;
  }
  stages.forEach((stage, at) => {
    const { name, counts: own } = stage;
    const kept = checkpoint.states[name] as StageState | undefined;
    if (kept === undefined) return;
    const step = shape.steps[at];
    const { entered, left, tally = 0 } = kept;
    counts[layout.region[at] as number] = entered;
    stage.enteredBefore = entered;
    own.in -= entered;
    own.out -= left;
    if (step === undefined) return;
    counts[layout.region[at + 1] as number] = left;
    if (step.tally !== undefined) {
      counts[layout.tally[at] as number] = tally;
      own[step.tally] -= tally;
      if (step.tally === 'absorbed') own.made -= left;
    }
    if ('state' in kept) {
      if (step.restore !== undefined) step.restore(state.states[at], kept.state);
      else state.states[at] = kept.state;
    }
    if (step.isOver?.(state.states[at], entered, params[at] ?? []) === true) state.stop = at;
  });
}
