import type { Checkpoint, Checkpointer } from '../checkpointer.js';
import type { Clock, Timer } from '../clock.js';
import { messageOf, PipelineError } from '../errors.js';
import { Mark } from './answer.js';
import { type Checkpointed, Snapshot } from './snapshot.js';

/** A node that goes on from a checkpoint. */
export interface Resumable extends Checkpointed {
  restore(checkpoint: Checkpoint): void | PromiseLike<unknown>;
}

/** A source that barriers begin at. */
export interface BarrierSource {
  readonly name: string;
  /** Why it cannot be part of a checkpoint, where it cannot. */
  readonly obstacle: string | undefined;
  /** Answers the next pull with the mark. */
  inject(mark: Mark): void;
  /** Answers the pull that is pending with the mark that was injected, where nothing has been answered since. */
  poke(): void;
  /** Goes on reading, where `isHeld` had kept it from that. */
  release(): void;
  /** Says that a position is part of a checkpoint that has been saved. */
  acknowledge(position: unknown): void | PromiseLike<unknown>;
}

/** More than a loop takes at once. */
const NO_LIMIT = 0x3fffffff;
const EVERY_MS = 1000;

/**
 * Takes the checkpoints of one run: lets every source send a barrier, and saves what it has gathered on its way when every
 * sink has answered it. INVARIANT: one barrier at a time; all items before a source's position are behind every sink.
 */
export class Coordinator {
  readonly #checkpointer: Checkpointer;
  readonly #clock: Clock;
  readonly #fail: (reason: unknown) => void;
  readonly #nodes: Resumable[] = [];
  readonly #sources: BarrierSource[] = [];
  readonly #everyItems: number;
  readonly #everyMs: number;
  /** The sinks that are open. */
  #ends = new Set<unknown>();
  /** Those of them that have not answered the barrier. */
  #waiting = new Set<unknown>();
  /** What the barrier under way has gathered, until it is saved. */
  #snapshot: Snapshot | undefined;
  #saving: Promise<void> | undefined;
  #opening: Promise<void> | undefined;
  /** How many items were read since the last barrier. */
  #items = 0;
  #sequence = 0;
  /** Whether it is time for the next one. */
  #isDue = false;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(checkpointer: Checkpointer, clock: Clock, fail: (reason: unknown) => void) {
    this.#checkpointer = checkpointer;
    this.#clock = clock;
    this.#fail = fail;
    const { everyItems, everyMs } = checkpointer;
    this.#everyItems = everyItems ?? NO_LIMIT;
    this.#everyMs = everyMs ?? (everyItems === undefined ? EVERY_MS : Number.POSITIVE_INFINITY);
  }

  node(node: Resumable): void {
    this.#nodes.push(node);
  }

  source(source: BarrierSource): void {
    this.#sources.push(source);
  }

  /** Names the sinks by what they pull from; throws where a source has no position. */
  begin(ends: readonly unknown[]): void {
    this.#ends = new Set(ends);
    for (const { name, obstacle } of this.#sources) {
      if (obstacle === undefined) continue;
      throw new PipelineError(
        'ERR_CORE_CHECKPOINT',
        `Cannot build the pipeline: source "${name}" ${obstacle} (must be one that can go on from a position, as arrays and fileLines() can, under a checkpoint)`,
      );
    }
  }

  /** Loads the last checkpoint and lets every node go on from it. */
  open(): Promise<void> {
    this.#opening ??= this.#open().catch((cause: unknown) => this.#failed('load', cause));
    return this.#opening;
  }

  /** How many items a source may hand on before the next barrier. */
  get left(): number {
    return this.#items >= this.#everyItems ? NO_LIMIT : this.#everyItems - this.#items;
  }

  /** Whether sources may hand nothing on: it is time for the next checkpoint, and the last one is still being saved. */
  get isHeld(): boolean {
    return this.#isDue && this.#saving !== undefined && !this.#isStopped;
  }

  /** Notes items that a source has handed on. */
  counted(items: number): void {
    this.#items += items;
    if (this.#items >= this.#everyItems) this.#comesDue();
  }

  /** Adds the part of a node that a mark passes. */
  passes(mark: Mark, node: Checkpointed): void {
    if (mark.value instanceof Snapshot) mark.value.add(node);
  }

  /** A sink has made durable what came before the mark. */
  answered(mark: Mark, end: unknown): void {
    if (mark.kind !== 'barrier' || mark.value !== this.#snapshot) return;
    this.#waiting.delete(end);
    this.#commitWhenAnswered();
  }

  /** A sink has ended, and others go on. */
  ended(end: unknown): void {
    this.#ends.delete(end);
    this.#waiting.delete(end);
    this.#commitWhenAnswered();
  }

  /** All sinks have ended well: saves where the sources and stages are, then tells. */
  complete(done: () => void): void {
    this.#stop();
    const before = this.#saving ?? Promise.resolve();
    this.#saving = before
      .then(() => this.#save(new Snapshot()))
      .then(done, (cause: unknown) => this.#failed('save', cause));
  }

  /** Begins no more checkpoints; gives what is still being saved. */
  close(): PromiseLike<unknown> | undefined {
    this.#stop();
    return this.#saving;
  }

  #stop(): void {
    this.#isStopped = true;
    this.#timer?.clear();
  }

  async #open(): Promise<void> {
    const loaded = await this.#checkpointer.load();
    if (loaded !== undefined) {
      // Stages go on with what they are given; whoever keeps checkpoints in memory may load this one again.
      const checkpoint = structuredClone(loaded);
      this.#refuseOther(checkpoint);
      this.#sequence = checkpoint.sequence;
      for (const node of this.#nodes) await node.restore(checkpoint);
    }
    this.#startTimer();
  }

  #refuseOther({ positions, states }: Checkpoint): void {
    const known = new Set(this.#nodes.flatMap(({ names }) => names));
    const other = [...Object.keys(positions), ...Object.keys(states)].find((name) => !known.has(name));
    if (other !== undefined) throw new Error(`it has "${other}" (must be of a pipeline with the same stages)`);
  }

  #startTimer(): void {
    if (this.#isStopped || !Number.isFinite(this.#everyMs)) return;
    this.#timer = this.#clock.setTimer(() => {
      if (this.#items > 0) this.#comesDue();
      else this.#startTimer();
    }, this.#everyMs);
  }

  #comesDue(): void {
    this.#isDue = true;
    if (!this.#isStopped && this.#snapshot === undefined) this.#begin();
  }

  #begin(): void {
    this.#timer?.clear();
    this.#isDue = false;
    this.#items = 0;
    this.#startTimer();
    this.#snapshot = new Snapshot();
    this.#waiting = new Set(this.#ends);
    const mark = new Mark('barrier', this.#snapshot);
    for (const source of this.#sources) source.inject(mark);
    // Not from inside the source that counted: what is behind it is at work.
    queueMicrotask(() => {
      for (const source of this.#sources) source.poke();
    });
  }

  #commitWhenAnswered(): void {
    const snapshot = this.#snapshot;
    if (snapshot === undefined || this.#waiting.size > 0 || this.#saving !== undefined || this.#isStopped) return;
    this.#saving = this.#save(snapshot).then(
      () => this.#goOn(),
      (cause: unknown) => this.#failed('save', cause),
    );
  }

  #goOn(): void {
    this.#snapshot = undefined;
    if (this.#isStopped) return;
    this.#saving = undefined;
    if (!this.#isDue) return;
    this.#begin();
    for (const source of this.#sources) source.release();
  }

  async #save(snapshot: Snapshot): Promise<void> {
    // A node that the barrier did not pass had ended before it: what it keeps does not change any more.
    for (const node of this.#nodes) snapshot.add(node);
    const { positions, states, problem } = snapshot;
    if (problem !== undefined)
      throw new Error(`what "${problem.stage}" keeps can't be saved: ${messageOf(problem.thrown)}`, {
        cause: problem.thrown,
      });
    await this.#checkpointer.save({ sequence: ++this.#sequence, positions, states });
    for (const source of this.#sources) await source.acknowledge(positions[source.name]);
  }

  #failed(what: string, cause: unknown): void {
    this.#stop();
    const message = `Cannot ${what} the checkpoint: ${messageOf(cause)}`;
    this.#fail(new PipelineError('ERR_CORE_CHECKPOINT', message, { cause }));
  }
}
