import { type Answer, END, Failure, isLater, Mark, type Pulled, type Puller } from './answer.js';
import { allowance, spend, whenMyTurn } from './budget.js';
import { STATUS } from './codegen.js';
import type { RunContext, StageContext } from './context.js';
import type { StageCounts } from './counts.js';
import type { Edge } from './edge.js';
import { effectsOf, type GroupContexts, type GroupPlan, type LoopInput } from './group-plan.js';
import { countsOf, cursorOf, heldBy, leftToTake, roomOf, workOf } from './group-room.js';
import { Later, whenAnswered } from './later.js';
import { type MachineState, startState } from './machine.js';

/** Adjacent synchronous steps, with the source before and the sink behind them where those are synchronous too. */
export class Group implements Puller<unknown> {
  readonly #plan: GroupPlan;
  readonly #run: RunContext;
  readonly #contexts: GroupContexts;
  readonly #upstream: Puller<unknown> | undefined;
  readonly #edge: Edge | undefined;
  readonly #state: MachineState;
  /** What each count adds to the number of items inside. */
  readonly #effects: readonly number[];
  #insideBefore = 0;
  #isOpen = false;
  #isFlushing = false;
  #flushed = 0;
  #isClosed = false;
  /** Whether the loop is running: a function of the user may close the group from inside. */
  #isLooping = false;
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
    this.#state = startState(plan.shape, plan.layout, plan.params, plan.seeds);
    this.#effects = effectsOf(plan);
    if (edge === undefined) return;
    edge.waitingBehind = () => this.#waiting();
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
    this.#last ??= END;
    if (!this.#isLooping) return this.#letGo(reason);
    const looped = new Promise<void>((resolve) => {
      this.#closeAfterLoop = () => resolve(this.#letGo(reason));
    });
    this.#run.closing(this.#contexts.stages[0]?.name ?? this.#contexts.source?.name ?? 'loop', looped);
  }

  #letGo(reason: unknown): void {
    const { shape, weights } = this.#plan;
    const state = this.#state;
    this.#closeInput(reason);
    this.#abandonWaiting();
    shape.steps.forEach((_, at) => {
      const inside = heldBy(shape, state, at);
      const counts = this.#contexts.stages[at]?.counts as StageCounts;
      counts.abandoned += inside;
      this.#run.inside(-inside * (weights[at] as number));
    });
    for (const cursor of state.cursors) {
      const problem = cursor.close();
      if (problem !== undefined) this.#run.closeFailed('flatMap', problem.thrown);
    }
    state.level = 0;
    if (state.waitsFor !== undefined) {
      this.#run.inside(-(weights[shape.steps.length] as number));
      const sink = this.#contexts.stages[shape.steps.length]?.counts as StageCounts;
      sink.out--;
      sink.abandoned++;
    }
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
      if (this.#last !== undefined) return this.#last;
      if (state.stop >= 0) this.#endBehindStop();
      if (!this.#isFlushing && !this.#hasInput()) {
        // What is worked off may be large, and must not live on while the next is read.
        state.input = undefined;
        const pulled = (this.#upstream as Puller<unknown>).pull(this.#ask());
        if (isLater(pulled)) {
          whenAnswered(pulled, this.#onAnswer);
          return undefined;
        }
        const passed = this.#accept(pulled);
        if (passed !== undefined) return passed;
        continue;
      }
      const isTimeUp = this.#slice();
      if (state.status === STATUS.waiting) {
        this.#wait();
        return undefined;
      }
      if (state.out.length > 0) {
        const { out } = state;
        state.out = [];
        this.#edge?.goOn(state.level > 0);
        return out;
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

  readonly #onAnswer = (answer: Answer<unknown>): void => {
    const passed = this.#accept(answer);
    if (this.#isClosed) return;
    if (passed === undefined) this.#resume();
    else this.#later.give(passed);
  };

  /** Takes an answer of the upstream; gives what goes on as it is. */
  #accept(answer: Answer<unknown>): Answer<unknown> | undefined {
    const state = this.#state;
    if (Array.isArray(answer)) {
      if (this.#isClosed) {
        this.#abandonInput(answer.length);
        return undefined;
      }
      state.input = answer;
      state.at = 0;
      state.end = answer.length;
      return undefined;
    }
    if (answer instanceof Mark) return this.#plan.shape.sink.id === 'emit' ? answer : undefined;
    if (answer instanceof Failure) this.#last = answer;
    else this.#endInput(0);
    return undefined;
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
    const { machine } = this.#plan;
    if (this.#last !== undefined) return false;
    if (!this.#isFlushing && state.level === 0 && this.#isAtEnd()) this.#endInput(0);
    const observed = this.#run.isTimed ? (this.#contexts.stages[0] ?? this.#contexts.source) : undefined;
    const began = observed === undefined ? 0 : observed.began();
    const taken = state.counts[0] as number;
    const before = workOf(this.#plan, state);
    const room = roomOf(this.#plan, this.#state, this.#max);
    this.#isLooping = true;
    if (!this.#isFlushing || state.level > 0) {
      const limit = state.cursors.length > 0 ? allowance() : Math.min(allowance(), room);
      machine.run(state, limit, this.#max);
    } else this.#flush();
    this.#isLooping = false;
    const worked = workOf(this.#plan, state) - before;
    this.#account();
    observed?.worked((state.counts[0] as number) - taken, began);
    this.#settleStatus();
    this.#closeAfterLoop?.();
    this.#closeAfterLoop = undefined;
    if (state.stop >= 0) this.#endBehindStop();
    return spend(Math.max(1, worked));
  }

  #settleStatus(): void {
    const { status, error, failed } = this.#state;
    if (status === STATUS.failed) this.#fail(failed, error);
    else if (status === STATUS.done) this.#endInput(0);
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
    this.#abandonWaiting();
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
    this.#flushed = Math.max(this.#flushed, state.stop + 1);
    while (this.#flushed < steps.length && steps[this.#flushed]?.flush === undefined) this.#flushed++;
    state.status = STATUS.slice;
    if (this.#flushed < steps.length) this.#plan.machine.flush(state, this.#flushed++, this.#max);
    else this.#last = END;
  }

  /** How many items to ask the upstream for: what was asked of the group, at most what fills what is open. */
  #ask(): number {
    return this.#plan.shape.sink.id === 'emit' && this.#state.cursors.length === 0
      ? roomOf(this.#plan, this.#state, this.#max)
      : Math.min(this.#plan.ask, leftToTake(this.#plan, this.#state));
  }

  #wait(): void {
    const { shape, weights } = this.#plan;
    const at = shape.steps.length;
    const weight = weights[at] as number;
    // The loop has counted the item as finished.
    this.#run.inside(weight);
    this.#edge?.fill();
    const settled = (): void => {
      this.#state.waitsFor = undefined;
      this.#run.inside(-weight);
    };
    (this.#state.waitsFor as PromiseLike<unknown>).then(
      (value) => {
        if (this.#isClosed) return;
        settled();
        if (shape.sink.resumed !== undefined)
          this.#state.states[at] = shape.sink.resumed(this.#state.states[at], value);
        this.#resume();
      },
      (error: unknown) => {
        if (this.#isClosed) return this.#run.alsoFailed(error);
        settled();
        this.#fail(at, error);
        this.#resume();
      },
    );
  }

  /** Takes the item that failed out of its region's count, which stands for all stages of the region. */
  #fail(at: number, error: unknown): void {
    const { layout, shape, weights } = this.#plan;
    const { counts } = this.#state;
    const region = layout.region[at] as number;
    counts[region] = (counts[region] as number) - 1;
    const failing = this.#contexts.stages[at] as StageContext;
    this.#last = failing.failure(error, (counts[region] as number) + failing.counts.in);
    this.#state.isDry = true;
    this.#isFlushing = true;
    if (this.#isBehindCursor(at)) {
      counts[region] = (counts[region] as number) + 1;
      return;
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
    const isAdded = effect + (isSink ? (weights[shape.steps.length] as number) : 0) > 0;
    if (!isAdded) this.#run.inside(-(weights[at] as number));
    this.#account();
  }

  #passed(at: number, isMade: boolean, isSplit = false): void {
    const { counts } = this.#contexts.stages[at] as StageContext;
    if (!isSplit) counts.in++;
    counts.out++;
    if (isMade) counts.made++;
  }

  /** Brings the number of items inside the run up to date. */
  #account(): void {
    const { counts } = this.#state;
    let inside = 0;
    for (let at = 0; at < this.#effects.length; at++) inside += (this.#effects[at] as number) * (counts[at] as number);
    const { sink, steps } = this.#plan.shape;
    if (sink.id !== 'emit' && (counts[this.#plan.layout.region[steps.length] as number] as number) > 0)
      this.#run.reached(this.#plan.weights[steps.length] as number);
    this.#run.inside(inside - this.#insideBefore);
    this.#insideBefore = inside;
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

  #waiting(): number {
    return this.#plan.open === undefined ? this.#state.end - this.#state.at : 0;
  }

  #abandonWaiting(): void {
    this.#abandonInput(this.#waiting());
    if (this.#plan.open === undefined) this.#state.at = this.#state.end;
  }

  #abandonInput(items: number): void {
    const counts = this.#contexts.stages[0]?.counts;
    if (counts === undefined) return;
    counts.in += items;
    counts.abandoned += items;
    this.#run.inside(-items * (this.#plan.weights[0] as number));
  }

  #closeInput(reason: unknown): void {
    this.#upstream?.close(reason);
    const { input, status } = this.#state;
    if (this.#plan.shape.source !== 'iterator' || !this.#isOpen || input === undefined) return;
    this.#state.input = undefined;
    if (status === STATUS.done || status === STATUS.sourceFailed) return;
    try {
      (input as Iterator<unknown>).return?.();
    } catch (error) {
      this.#contexts.source?.closeFailed(error);
    }
  }
}
