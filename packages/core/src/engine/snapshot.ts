/** A node whose place in its input, or whose state, is part of a checkpoint. */
export interface Checkpointed {
  /** Adds what it keeps, as it is now. */
  save(snapshot: Snapshot): void;
}

/** What a checkpoint is made of; a barrier carries it, and each node adds its part where the barrier passes it. */
export class Snapshot {
  readonly positions: Record<string, unknown> = {};
  readonly states: Record<string, unknown> = {};
  readonly #saved = new Set<Checkpointed>();
  /** The first thing that could not be copied. */
  problem: { readonly stage: string; readonly thrown: unknown } | undefined;

  /** Adds the part of a node, once. */
  add(node: Checkpointed): void {
    if (this.#saved.has(node)) return;
    this.#saved.add(node);
    node.save(this);
  }

  position(stage: string, value: unknown): void {
    this.#copy(this.positions, stage, value);
  }

  state(stage: string, value: unknown): void {
    this.#copy(this.states, stage, value);
  }

  /** A copy, since the stage goes on with what it keeps. */
  #copy(into: Record<string, unknown>, stage: string, value: unknown): void {
    try {
      into[stage] = structuredClone(value);
    } catch (thrown) {
      this.problem ??= { stage, thrown };
    }
  }
}
