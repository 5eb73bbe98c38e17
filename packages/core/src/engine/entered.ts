import type { Checkpoint } from '../checkpointer.js';
import type { OpenStageContext } from './context.js';
import type { Resumable } from './coordinator.js';
import type { StageState } from './group-barriers.js';
import type { Snapshot } from './snapshot.js';

/** The part of a stage in the checkpoints of its run that keeps nothing, but tells its function the index of each item. */
export class Entered implements Resumable {
  readonly #context: OpenStageContext;

  constructor(context: OpenStageContext) {
    this.#context = context;
  }

  get names(): readonly string[] {
    return [this.#context.name];
  }

  save(snapshot: Snapshot): void {
    const { name, enteredBefore, counts } = this.#context;
    const entered = enteredBefore + counts.in;
    const state: StageState = { entered, left: entered };
    snapshot.state(name, state);
  }

  restore({ states }: Checkpoint): void {
    const kept = states[this.#context.name] as StageState | undefined;
    if (kept !== undefined) this.#context.enteredBefore = kept.entered;
  }
}
