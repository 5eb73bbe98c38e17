import { whenMyTurn } from './budget.js';
import type { RunContext, StageContext } from './context.js';
import type { GroupPlan } from './group-plan.js';
import type { MachineState } from './machine.js';

/**
 * The one place where an item of a group waits for a promise, of a step that waits.
 *
 * An item is in the slot from when the step's function is called until what is behind the step can take the result. While
 * the sink is busy the next item may be in it already: what is before the step, and its function, go on.
 */
export class WaitingSlot {
  /** The step that waits. */
  readonly at: number;
  readonly #state: MachineState;
  readonly #run: RunContext;
  readonly #context: StageContext;
  /** The count of what came as far as the step. */
  readonly #region: number;
  readonly #resume: () => void;
  #isTimeUp = false;
  #isClosed = false;

  constructor(plan: GroupPlan, state: MachineState, run: RunContext, context: StageContext, resume: () => void) {
    this.at = plan.waitsAt;
    this.#region = plan.layout.region[plan.waitsAt] as number;
    this.#state = state;
    this.#run = run;
    this.#context = context;
    this.#resume = resume;
    state.context = context;
  }

  /** Whether an item is in it. */
  get isTaken(): boolean {
    return this.#state.awaits !== undefined || this.#state.isReady;
  }

  /** Waits for what the step's function gave, and goes on in a later turn of the event loop where the thread's time is up. */
  wait(isTimeUp: boolean): void {
    const awaits = this.#state.awaits as PromiseLike<unknown>;
    this.#isTimeUp = isTimeUp;
    // Anything else with a `then` may call back from inside it, or throw.
    const promise = awaits instanceof Promise ? awaits : Promise.resolve(awaits);
    promise.then(this.#onValue, this.#onError);
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

  close(): void {
    this.#isClosed = true;
  }

  readonly #onValue = (value: unknown): void => {
    if (!this.#isClosed) this.#fill(value);
  };

  readonly #onError = (error: unknown): void => {
    if (this.#isClosed) {
      const { counts, enteredBefore } = this.#context;
      const index = (this.#state.counts[this.#region] as number) - 1 + counts.in + enteredBefore;
      return this.#run.alsoFailed(this.#context.failure(error, index).error);
    }
    this.#state.hasThrown = true;
    this.#fill(error);
  };

  #fill(value: unknown): void {
    const state = this.#state;
    state.awaits = undefined;
    state.isReady = true;
    state.value = value;
    if (this.#isTimeUp) whenMyTurn(this.#resume);
    else this.#resume();
  }
}
