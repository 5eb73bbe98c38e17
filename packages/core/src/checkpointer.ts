/**
 * How far a run has come: where its sources were, and what its stages kept, at one barrier.
 *
 * Values are what the structured clone algorithm takes. The keys are the names of the stages in the plan.
 */
export interface Checkpoint {
  /** Counts the checkpoints of a job, from 1, over all of its runs. */
  readonly sequence: number;
  /** Behind which item each source is to go on, as the source says it. */
  readonly positions: Readonly<Record<string, unknown>>;
  /** What each stage with a state had kept. */
  readonly states: Readonly<Record<string, unknown>>;
}

/**
 * Keeps the last checkpoint of a job, so that its next run goes on from there.
 *
 * A run saves one when all sinks have made durable what was read before it, and one when it has ended well. It waits for
 * `save()` before it saves the next; the items go on meanwhile until the next one is due: then the sources wait, so that a
 * slow `save()` does not make a crash dearer. What either throws or rejects with fails the run.
 *
 * @example A checkpointer that keeps it in memory
 * ```ts
 * let last: Checkpoint | undefined;
 * const memory: Checkpointer = { load: () => last, save: (checkpoint) => void (last = checkpoint) };
 * await range(0, 10).run(() => {}, { checkpoint: memory }).finished;
 * assert.deepEqual(last?.positions, { range: 10 });
 * ```
 */
export interface Checkpointer {
  /** How many milliseconds after one checkpoint has begun the next one does. Default: 1,000, or no limit where `everyItems` is given. */
  readonly everyMs?: number | undefined;
  /** After how many items of all sources the next checkpoint begins. Default: no limit. */
  readonly everyItems?: number | undefined;
  /** Gives the last checkpoint; `undefined` where there is none. Called once, before anything is read. */
  load(): Checkpoint | undefined | PromiseLike<Checkpoint | undefined>;
  /** Keeps a checkpoint in place of the last one; it must be one or the other whenever the process may end. */
  save(checkpoint: Checkpoint): void | PromiseLike<unknown>;
}

/** Is told that what a source gave has been delivered: what the reader of a broker is, beside reading. */
export interface Acknowledger {
  /** Everything up to `position`, as the source gave it for a checkpoint, is durable, and the checkpoint is saved. */
  acknowledge(position: unknown): void | PromiseLike<unknown>;
}
