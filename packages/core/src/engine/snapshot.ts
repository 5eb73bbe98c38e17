/** A node whose place in its input, or whose state, is part of a checkpoint. */
export interface Checkpointed {
  /** The stages that it keeps something of. */
  readonly names: readonly string[];
  /** Adds what it keeps, as it is now. */
  save(snapshot: Snapshot): void;
}

/** What a checkpoint is made of; a barrier carries it, and each node adds its part where the barrier passes it. */
export class Snapshot {
  readonly positions: Record<string, unknown> = {};
  readonly states: Record<string, unknown> = {};
  readonly #saved = new Set<Checkpointed>();
  /** The first thing that could not be copied, or asked for. */
  problem: { readonly stage: string; readonly thrown: unknown } | undefined;

  /** Adds the part of a node, once. */
  add(node: Checkpointed): void {
    if (this.#saved.has(node)) return;
    this.#saved.add(node);
    node.save(this);
  }

  /** Adds what another one was given before: copies already. */
  addAll({ states, problem }: Snapshot): void {
    Object.assign(this.states, states);
    this.problem ??= problem;
  }

  /** Notes why what a stage keeps can't be saved. */
  failed(stage: string, thrown: unknown): void {
    this.problem ??= { stage, thrown };
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
      this.failed(stage, thrown);
    }
  }
}
