import type { Failure } from './answer.js';
import { whenMyTurn } from './budget.js';
import { CallLimits } from './call-limits.js';
import type { RunContext, StageContext } from './context.js';
import type { GroupPlan } from './group-plan.js';
import type { Guard, Settle } from './guard.js';
import type { Hears, MachineState } from './machine.js';

/** What hears of the promises of the step that waits. */
interface Ear {
  readonly onValue: Hears;
  readonly onError: Hears;
  /** The loop itself, for while nothing else is under way. */
  readonly loop: Hears | undefined;
}

/**
 * The one place where an item of a group waits for a promise, of a step that waits.
 *
 * An item is in the slot from when the step's function is called until what is behind the step can take the result, or
 * its policy has dealt with it. While the sink is busy the next item may be in it already: what is before the step, and
 * its function, go on.
 */
export class WaitingSlot {
  /** The step that waits. */
  readonly at: number;
  readonly #plan: GroupPlan;
  readonly #state: MachineState;
  readonly #run: RunContext;
  readonly #context: StageContext;
  readonly #guard: Guard | undefined;
  readonly #resume: () => void;
  readonly #leftLoop: (isTimeUp: boolean) => void;
  #ear: Ear;
  readonly #limits: CallLimits | undefined;
  #isTimeUp = false;
  #isClosed = false;

  /**
   * @param resume - Goes on with the group when the slot has changed.
   * @param leftLoop - Is told when the loop that heard of a promise itself has come back.
   */
  constructor(
    plan: GroupPlan,
    state: MachineState,
    run: RunContext,
    context: StageContext,
    resume: () => void,
    leftLoop: (isTimeUp: boolean) => void,
  ) {
    this.at = plan.waitsAt;
    this.#plan = plan;
    this.#state = state;
    this.#run = run;
    this.#context = context;
    this.#resume = resume;
    this.#leftLoop = leftLoop;
    state.context = context;
    state.run = run;
    this.#ear = this.#newEar();
    this.#guard = plan.guard?.(context);
    const timeoutMs = this.#guard?.timeoutMs;
    if (timeoutMs === undefined) return;
    const limits = new CallLimits(context, timeoutMs, (call, error) => {
      state.hears = undefined;
      this.#ear = this.#newEar();
      call.abort(error);
      this.#guard?.failed(state.item, call.index, error, this.#settled);
    });
    this.#limits = limits;
    state.begin = (index) => limits.begin(index);
  }

  /** Whether an item is in it. */
  get isTaken(): boolean {
    return this.#state.awaits !== undefined || this.#state.isReady;
  }

  /**
   * Waits for what the step's function gave, and goes on in a later turn of the event loop where the thread's time is up.
   *
   * @param isAlone - Whether nothing else is under way: then the loop may go on by itself.
   */
  wait(isTimeUp: boolean, isAlone: boolean = false): void {
    const state = this.#state;
    const { onValue, onError, loop } = this.#ear;
    const awaits = state.awaits as PromiseLike<unknown>;
    this.#isTimeUp = isTimeUp;
    state.hears = isAlone && !isTimeUp ? loop : undefined;
    // Anything else with a `then` may call back from inside it, or throw.
    const promise = awaits instanceof Promise ? awaits : Promise.resolve(awaits);
    promise.then(state.hears ?? onValue, onError);
  }

  /** Keeps what the step's function threw until the sink is done with the item before. */
  park(error: unknown): void {
    this.#state.isReady = true;
    this.#state.hasThrown = true;
    this.#state.value = error;
  }

  /** Gives what the step's function threw or rejected with. */
  takeError(): unknown {
    const state = this.#state;
    const { value } = state;
    state.hasThrown = state.isReady = false;
    state.value = undefined;
    return value;
  }

  /** Ends the time of a call whose promise is not pending. */
  settle(): void {
    if (this.#state.awaits === undefined) this.#limits?.end();
  }

  close(reason: unknown): void {
    this.#isClosed = true;
    this.#state.hears = undefined;
    this.#limits?.close(reason);
    this.#guard?.close(reason);
  }

  /** Ears that were replaced, since the call was given up, hear nothing any more. */
  #newEar(): Ear {
    const onValue = (value: unknown): void => {
      if (this.#ear === ear && !this.#isClosed) this.#fill(value);
    };
    const onError = (error: unknown): void => {
      if (this.#ear === ear) this.#fail(error);
    };
    const loop = this.#plan.machine.listen?.(this.#state, onValue, this.#leftLoop, onError);
    const ear = { onValue, onError, loop };
    return ear;
  }

  #fail(error: unknown): void {
    const state = this.#state;
    const region = this.#plan.layout.region[this.at] as number;
    const { counts, enteredBefore } = this.#context;
    const index = (state.counts[region] as number) - 1 + counts.in + enteredBefore;
    if (this.#isClosed) return this.#run.alsoFailed(this.#context.failure(error, index).error);
    state.hears = undefined;
    if (this.#guard !== undefined) {
      this.#limits?.end();
      return this.#guard.failed(state.item, index, error, this.#settled);
    }
    state.hasThrown = true;
    this.#fill(error);
  }

  /** The policy has dealt with an item on which the function failed. */
  readonly #settled: Settle = (outcome, value) => {
    const state = this.#state;
    if (this.#isClosed) {
      if (outcome === 'failed') this.#run.alsoFailed((value as Failure).error);
      return;
    }
    if (outcome === 'lost') {
      state.awaits = undefined;
      this.#context.inside(-this.#context.weight);
      return this.#next();
    }
    state.hasThrown = outcome === 'failed';
    this.#fill(value);
  };

  #fill(value: unknown): void {
    const state = this.#state;
    state.hears = undefined;
    state.awaits = undefined;
    state.isReady = true;
    state.value = value;
    this.#next();
  }

  #next(): void {
    this.settle();
    this.#state.item = undefined;
    if (this.#isTimeUp) whenMyTurn(this.#resume);
    else this.#resume();
  }
}
