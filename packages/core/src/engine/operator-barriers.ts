import type { Checkpoint } from '../checkpointer.js';
import { type Answer, END, isLater, Mark, type Pulled, type Puller } from './answer.js';
import type { OpenStageContext } from './context.js';
import type { Coordinator, Resumable } from './coordinator.js';
import type { StageState } from './group-barriers.js';
import { Later, whenAnswered } from './later.js';
import { Snapshot } from './snapshot.js';
import type { OperatorPuller } from './spec.js';

/** An operator's part in the checkpoints of its run: stands behind it, and asks for its state where a barrier comes out. */
export class OperatorBarriers implements Puller<unknown>, Resumable {
  readonly #operator: OperatorPuller<unknown>;
  readonly #context: OpenStageContext;
  readonly #checkpoints: Coordinator;
  /** How many items it had handed on in the runs before. */
  #leftBefore = 0;
  /** What it kept at its end: it may let go of that when it is closed. */
  #final: Snapshot | undefined;
  readonly #later = new Later<unknown>();

  constructor(operator: OperatorPuller<unknown>, context: OpenStageContext, checkpoints: Coordinator) {
    this.#operator = operator;
    this.#context = context;
    this.#checkpoints = checkpoints;
    checkpoints.node(this);
  }

  get names(): readonly string[] {
    return [this.#context.name];
  }

  pull(max: number): Pulled<unknown> {
    const pulled = this.#operator.pull(max);
    if (!isLater(pulled)) return this.#seen(pulled);
    this.#later.owe();
    whenAnswered(pulled, this.#onAnswer);
    return this.#later.now();
  }

  close(reason: unknown): void {
    this.#operator.close(reason);
  }

  save(snapshot: Snapshot): void {
    if (this.#final !== undefined) return snapshot.addAll(this.#final);
    const { name, counts, enteredBefore } = this.#context;
    const state: StageState = { entered: enteredBefore + counts.in, left: this.#leftBefore + counts.out };
    try {
      const isKeeping = this.#operator.save !== undefined;
      snapshot.state(name, isKeeping ? { ...state, state: this.#operator.save?.() } : state);
    } catch (thrown) {
      snapshot.failed(name, thrown);
    }
  }

  async restore({ states }: Checkpoint): Promise<void> {
    const { name } = this.#context;
    const kept = states[name] as StageState | undefined;
    if (kept === undefined) return;
    this.#context.enteredBefore = kept.entered;
    this.#leftBefore = kept.left;
    if (!('state' in kept)) return;
    if (this.#operator.restore === undefined)
      throw new Error(`it has a state of "${name}" (must be of a stage with "restore")`);
    await this.#operator.restore(kept.state);
  }

  readonly #onAnswer = (answer: Answer<unknown>): void => this.#later.give(this.#seen(answer));

  #seen(answer: Answer<unknown>): Answer<unknown> {
    if (answer instanceof Mark) this.#checkpoints.passes(answer, this);
    else if (answer === END && this.#final === undefined) {
      const final = new Snapshot();
      this.save(final);
      this.#final = final;
    }
    return answer;
  }
}
