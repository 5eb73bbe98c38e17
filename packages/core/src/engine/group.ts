import { type Answer, END, Failure, isLater, Mark, type Pulled, type Puller } from './answer.js';
import { allowance, spend, whenMyTurn } from './budget.js';
import { STATUS } from './codegen.js';
import type { RunContext, StageContext } from './context.js';
import type { StageCounts } from './counts.js';
import type { Edge } from './edge.js';
import { GroupBarriers } from './group-barriers.js';
import { GroupOrigins } from './group-origins.js';
import { type GroupContexts, type GroupPlan, type LoopInput, nextToFlush } from './group-plan.js';
import { askOf, countsOf, leftToTake, NO_LIMIT, roomOf, workOf } from './group-room.js';
import { GroupTally } from './group-tally.js';
import { Later, whenAnswered } from './later.js';
import { endIterator, isQuiet, type Machine, type MachineState, startState } from './machine.js';
import { Rescue } from './rescue.js';
import { waitForSink } from './sink-wait.js';
import type { WaitingSlot } from './waiting-slot.js';

/** Adjacent synchronous steps, with the source before and the sink behind them where those are synchronous too. */
export class Group implements Puller<unknown> {
  readonly #plan: GroupPlan;
  readonly #run: RunContext;
  readonly #contexts: GroupContexts;
  readonly #upstream: Puller<unknown> | undefined;
  readonly #edge: Edge | undefined;
  readonly #state: MachineState;
  readonly #tally: GroupTally;
  /** Where an item waits for a promise, in a group with a step that does. */
  readonly #slot: WaitingSlot | undefined;
  /** Deals with items on which a function of the user fails, in a group with a step that has a policy for them. */
  readonly #rescue: Rescue | undefined;
  #isAsking = false;
  #isOpen = false;
  #isFlushing = false;
  #flushed = 0;
  /** A mark that came in: what steps hold is flushed, then it goes on. */
  #mark: Mark | undefined;
  /** The same, when nothing before it is left in the group. */
  #due: Mark | undefined;
  /** Only where items carry their origins. */
  readonly #origins: GroupOrigins | undefined;
  readonly #machine: Machine;
  /** Only under a checkpoint. */
  readonly #barriers: GroupBarriers | undefined;
  #isClosed = false;
  #closeAfterLoop: (() => void) | undefined;
  #max = 0;
  #last: Answer<unknown> | undefined;
  readonly #later = new Later<unknown>();

  constructor(plan: GroupPlan, run: RunContext, contexts: GroupContexts, upstream?: Puller<unknown>, edge?: Edge) {
    this.#plan = plan;
    this.#run = run;
    this.#contexts = contexts;
    this.#upstream = upstream;
    this.#edge = edge;
    this.#state = startState(plan.shape, plan.layout, plan.params, plan.seeds, run.clock);
    this.#tally = new GroupTally(plan, run, contexts, this.#state);
    if (run.origin !== undefined) this.#origins = new GroupOrigins(plan.machine, run.origin);
    this.#machine = this.#origins ?? plan.machine;
    if (run.checkpoints !== undefined)
      this.#barriers = new GroupBarriers(plan, this.#state, contexts, this.#tally, run.checkpoints, () =>
        this.#resume(),
      );
    if (plan.slot !== undefined) {
      const waiting = contexts.stages[plan.waitsAt] as StageContext;
      this.#slot = new plan.slot(plan, this.#state, run, waiting, this.#goOn, this.#leftLoop);
    }
    if (plan.policies !== undefined) {
      this.#rescue = new Rescue(plan.policies, this.#state, contexts.stages, this.#origins, (at, failure) => {
        if (failure !== undefined) this.#fail(at, failure);
        // Nobody may have asked since the letter was begun.
        if (!this.#later.isOwed) return;
        if (spend(1)) whenMyTurn(this.#resume);
        else this.#resume();
      });
    }
    if (edge === undefined) return;
    edge.waitingBehind = () => this.#tally.waiting();
    if (plan.shape.steps.some((step) => step.id === 'take')) edge.wanted = () => leftToTake(plan, this.#state);
  }

  /** What the sink at the end made of the items. */
  result(): unknown {
    const { shape, layout } = this.#plan;
    const at = shape.steps.length;
    return shape.sink.result?.(this.#state.states[at], this.#state.counts[layout.region[at] as number] as number);
  }

  pull(max: number): Pulled<unknown> {
    this.#max = max;
    const answer = this.#work();
    return answer ?? this.#later.owe();
  }

  /** Lowers what the pending pull asks for; of a group with its own source, that has made nothing yet. */
  shrink(max: number): void {
    this.#max = Math.min(this.#max, max);
  }

  close(reason: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#slot?.close(reason);
    this.#rescue?.close();
    this.#last ??= END;
    if (!this.#state.isLooping) return this.#letGo(reason);
    const looped = new Promise<void>((resolve) => {
      this.#closeAfterLoop = () => resolve(this.#letGo(reason));
    });
    this.#run.closing(this.#contexts.stages[0]?.name ?? this.#contexts.source?.name ?? 'loop', looped);
  }

  #letGo(reason: unknown): void {
    const state = this.#state;
    this.#closeInput(reason);
    this.#tally.abandonWaiting();
    this.#tally.abandonHeld();
    for (const cursor of state.cursors) {
      const problem = cursor.close();
      if (problem !== undefined) this.#run.closeFailed('flatMap', problem.thrown);
    }
    state.level = 0;
  }

  /** Reads the counts of step `at`; the sink's is the one behind the last step's. */
  counts(at: number): StageCounts {
    const own = this.#contexts.stages[at]?.counts as StageCounts;
    return countsOf(this.#plan, this.#state, own, at, this.#isClosed);
  }

  /** Reads the counts of the source that the loop takes items from. */
  sourceCounts(): StageCounts {
    const own = this.#contexts.source?.counts as StageCounts;
    const read = this.#state.counts[0] as number;
    return { ...own, made: own.made + read, out: own.out + read };
  }

  /** Works until there is something to answer; `undefined` where it waits, and goes on in `#resume`. */
  #work(): Answer<unknown> | undefined {
    const state = this.#state;
    for (;;) {
      // A letter that is being written: its item has left the edge.
      if (state.writes >= 0 && this.#last === undefined) return void this.#edge?.goOn(true);
      const isStalled = state.waitsFor !== undefined;
      if (isStalled ? !this.#mayPark() : this.#last === undefined && state.awaits !== undefined) {
        // The item that waits has left the edge: there is room for one more.
        this.#edge?.goOn(isStalled);
        return undefined;
      }
      if (!isStalled && this.#last !== undefined) return this.#last;
      if (!isStalled && state.hasThrown) {
        const slot = this.#slot as WaitingSlot;
        this.#fail(slot.at, slot.takeError());
        continue;
      }
      if (state.stop >= 0) this.#endBehindStop();
      // A barrier may come behind the item that was taken last; the step that waits may have that one's result.
      if (this.#barriers?.injected !== undefined && !this.#isFlushing && state.level === 0) {
        this.#mark = this.#barriers.take();
        this.#endInput(0);
      }
      if (!this.#isFlushing && this.#barriers?.holds() === true) return undefined;
      if (!this.#isFlushing && !state.isReady && !this.#hasInput()) {
        if (this.#isAsking) return undefined;
        // What is worked off may be large, and must not live on while the next is read.
        state.input = undefined;
        const pulled = (this.#upstream as Puller<unknown>).pull(askOf(this.#plan, state, this.#max));
        if (isLater(pulled)) {
          this.#isAsking = true;
          whenAnswered(pulled, this.#onAnswer);
          return undefined;
        }
        this.#accept(pulled);
        continue;
      }
      state.parks = isStalled;
      const isTimeUp = this.#slice();
      if (state.status === STATUS.awaiting) {
        this.#slot?.wait(isTimeUp);
        continue;
      }
      if (state.status === STATUS.waiting) {
        this.#wait();
        continue;
      }
      // The letter wakes the group, and nothing else may: one who wakes it when nobody asks loses what it made.
      if (state.writes >= 0 && state.out.length === 0) continue;
      if (state.out.length > 0) {
        const { out } = state;
        state.out = [];
        this.#edge?.goOn(state.level > 0);
        return out;
      }
      const due = this.#due;
      this.#due = undefined;
      if (due !== undefined) {
        this.#barriers?.passed(due, this);
        if (this.#plan.shape.sink.id === 'emit') return due;
      }
      if (isTimeUp && this.#last === undefined) {
        whenMyTurn(this.#resume);
        return undefined;
      }
    }
  }

  readonly #resume = (): void => {
    const answer = this.#work();
    if (answer !== undefined) this.#later.give(answer);
  };

  /**
   * Goes on behind the step that waited. As a rule the next item waits right after, and nothing else is under way: then
   * the loop need not come back here until that changes.
   */
  readonly #goOn = (): void => {
    const state = this.#state;
    const isBusy = this.#barriers !== undefined || !isQuiet(state);
    if (isBusy || this.#isFlushing || this.#last !== undefined || this.#run.isDraining) return this.#resume();
    state.parks = false;
    state.isLooping = true;
    this.#machine.run(state, allowance(), this.#max);
    this.#leftLoop(spend(1));
  };

  readonly #leftLoop = (isTimeUp: boolean): void => {
    const state = this.#state;
    this.#settle();
    if (state.status === STATUS.awaiting) {
      const isAlone = !this.#isClosed && state.stop < 0;
      this.#slot?.wait(isTimeUp, isAlone && this.#tally.isSteady);
      if (isAlone) return;
    } else if (state.status === STATUS.waiting) this.#wait();
    if (isTimeUp) whenMyTurn(this.#resume);
    else this.#resume();
  };

  readonly #onAnswer = (answer: Answer<unknown>): void => {
    this.#isAsking = false;
    this.#accept(answer);
    if (!this.#isClosed) this.#resume();
  };

  /** Whether the next item may come as far as the step that waits, while the sink is busy; none overtakes a barrier. */
  #mayPark(): boolean {
    const { stop } = this.#state;
    if (this.#barriers?.isHeld === true) return false;
    return this.#slot?.isTaken === false && this.#last === undefined && !this.#isFlushing && stop < 0;
  }

  /** Takes an answer of the upstream. */
  #accept(answer: Answer<unknown>): void {
    const state = this.#state;
    if (Array.isArray(answer)) {
      if (this.#isClosed) return this.#tally.abandonInput(answer.length);
      state.input = this.#origins === undefined ? answer : this.#origins.accept(answer);
      state.at = 0;
      state.end = answer.length;
    } else if (answer instanceof Failure) this.#last = answer;
    else {
      if (answer instanceof Mark) this.#mark = answer;
      this.#endInput(0);
    }
  }

  #hasInput(): boolean {
    const state = this.#state;
    const { open, shape } = this.#plan;
    if (open === undefined) return state.level > 0 || state.at < state.end;
    if (!this.#isOpen && !this.#openInput(open)) return true;
    if (shape.source === 'array') state.end = (state.input as ArrayLike<unknown>).length;
    return true;
  }

  #openInput(open: () => LoopInput): boolean {
    const state = this.#state;
    this.#isOpen = true;
    try {
      const { input, start = 0, by = 1, end = 0 } = open();
      Object.assign(state, { input, start, by, end });
      return true;
    } catch (error) {
      this.#last = this.#contexts.source?.failure(error, 0);
      state.isDry = true;
      return false;
    }
  }

  /** Runs the loop once; `true` where the thread's time is up. */
  #slice(): boolean {
    const state = this.#state;
    if (this.#last !== undefined) return false;
    if (!this.#isFlushing && state.level === 0 && this.#isAtEnd()) this.#endInput(0);
    const observed = this.#run.isTimed ? (this.#contexts.stages[0] ?? this.#contexts.source) : undefined;
    const began = observed === undefined ? 0 : observed.began();
    const taken = state.counts[0] as number;
    const before = workOf(this.#plan, state);
    state.isLooping = true;
    if (!this.#isFlushing || state.level > 0 || state.isReady) {
      const room = state.cursors.length > 0 ? allowance() : roomOf(this.#plan, this.#state, this.#max);
      this.#machine.run(state, Math.min(allowance(), room, this.#barriers?.left ?? NO_LIMIT), this.#max);
    } else this.#flush();
    this.#settle();
    this.#barriers?.counted((state.counts[0] as number) - taken);
    observed?.worked((state.counts[0] as number) - taken, began);
    return spend(Math.max(1, workOf(this.#plan, state) - before));
  }

  /** Brings all up to date after the loop. */
  #settle(): void {
    this.#state.isLooping = false;
    this.#slot?.settle();
    this.#tally.account();
    this.#settleStatus();
    this.#closeAfterLoop?.();
    this.#closeAfterLoop = undefined;
    if (this.#state.stop >= 0) this.#endBehindStop();
  }

  #settleStatus(): void {
    const { status, error, failed } = this.#state;
    // An iterator that has ended or thrown is not told to return.
    if (status === STATUS.done || status === STATUS.sourceFailed) this.#state.input = undefined;
    if (status === STATUS.failed) {
      if (this.#state.parks && failed === this.#slot?.at) this.#slot.park(error);
      else this.#fail(failed, error);
    } else if (status === STATUS.done) this.#endInput(0);
    else if (status === STATUS.sourceFailed) {
      this.#last = this.#contexts.source?.failure(error, this.#state.counts[0] as number);
      this.#state.isDry = true;
      this.#isFlushing = true;
    }
  }

  /** Whether the loop's own source has no more, or was told to end. */
  #isAtEnd(): boolean {
    const { source } = this.#plan.shape;
    if (this.#plan.open === undefined) return false;
    if (this.#run.isDraining) return true;
    return (source === 'array' || source === 'range') && this.#state.at >= this.#state.end;
  }

  /** Nothing more passes the step that stopped: what is before it ends, what is behind it is flushed. */
  #endBehindStop(): void {
    if (this.#isFlushing || this.#last !== undefined) return;
    this.#endInput(this.#state.stop + 1);
    this.#closeInput(undefined);
    this.#tally.abandonWaiting();
  }

  #endInput(flushFrom: number): void {
    this.#state.isDry = true;
    this.#isFlushing = true;
    this.#flushed = flushFrom;
  }

  /** Hands on what the next holding step holds; the end when none is left. */
  #flush(): void {
    const state = this.#state;
    const { steps } = this.#plan.shape;
    this.#flushed = nextToFlush(steps, Math.max(this.#flushed, state.stop + 1), this.#mark !== undefined);
    state.status = STATUS.slice;
    if (this.#flushed < steps.length) this.#machine.flush(state, this.#flushed++, this.#max);
    else if (this.#mark === undefined) this.#last = END;
    else {
      this.#due = this.#mark;
      this.#mark = undefined;
      this.#isFlushing = state.isDry = false;
    }
  }

  #wait(): void {
    waitForSink(this.#plan, this.#state, this.#run, this.#isOver, this.#onSink);
    this.#edge?.fill();
  }

  readonly #isOver = (): boolean => this.#isClosed;

  readonly #onSink = (problem?: { readonly thrown: unknown }): void => {
    if (problem !== undefined) this.#fail(this.#plan.shape.steps.length, problem.thrown);
    this.#resume();
  };

  #fail(at: number, error: unknown): void {
    const failing = this.#contexts.stages[at] as StageContext;
    const isInFlush = this.#isFlushing && at === this.#flushed - 1;
    const index = this.#tally.fail(at) + (isInFlush ? 1 : 0);
    this.#last = error instanceof Failure ? error : failing.failure(error, index, 1, this.#origins?.carry(undefined));
    this.#state.isDry = true;
    this.#isFlushing = true;
  }

  #closeInput(reason: unknown): void {
    this.#upstream?.close(reason);
    if (this.#plan.shape.source !== 'iterator' || !this.#isOpen) return;
    const problem = endIterator(this.#state);
    if (problem !== undefined) this.#contexts.source?.closeFailed(problem.thrown);
  }
}
