import type { Clock } from '../clock.js';
import { type EdgeFill, messageOf, PipelineError, StageError } from '../errors.js';
import type { Observer } from '../observer.js';
import { Failure } from './answer.js';
import { Carried, type ItemOrigin, type Origin, originOf } from './carried.js';
import type { Coordinator } from './coordinator.js';
import { noCounts, type StageCounts } from './counts.js';
import type { Load } from './load.js';

/** What an operator, source or sink is given for one stage of one run. */
export interface StageContext {
  /** The name of the stage in the plan. */
  readonly name: string;
  readonly clock: Clock;
  /** Aborts when the run is aborted or fails; made on first use. */
  readonly signal: AbortSignal;
  /** The counts of the stage, for it to keep. */
  readonly counts: StageCounts;
  /**
   * How many items had entered the stage in earlier runs, where this one goes on from a checkpoint: an item's index is
   * that many more than `counts.in` was before it.
   */
  readonly enteredBefore: number;
  /** What one item of the stage's input weighs in the bound. */
  readonly weight: number;
  /** Says that `items` more (or fewer) items are inside the run. */
  inside(items: number): void;
  /** Whether items carry their origins: the run has `context: true`. */
  readonly carries: boolean;
  /**
   * Lets an item of a source carry its origin, in a run with `context: true`; gives it as it is in any other. What it gives
   * is the engine's to look into.
   */
  carry<T>(item: T, origin: ItemOrigin): T;
  /** Wraps what the user's code threw, and tells the observer, if there is one; of `item`, where that carries its origin. */
  failure(cause: unknown, index: number, attempt?: number, item?: unknown): Failure;
  /** Tells the observer, if there is one, of an error that costs only its item: the run goes on. */
  rejected(cause: unknown, index: number, attempt?: number, item?: unknown): void;
  /** Tells the observer, if there is one, of a try that failed, of an item that is tried again in `delayMs`. */
  retried(cause: unknown, index: number, attempt: number, delayMs: number, item?: unknown): void;
  /** Hands over a clean-up that takes time: the run waits for it, up to `closeGraceMs`. */
  closing(work: PromiseLike<unknown>): void;
  /** Notes what a clean-up threw. */
  closeFailed(cause: unknown): void;
  /** Notes an error that came while another was on its way. */
  alsoFailed(error: unknown): void;
  /** The time, for `worked` and `served`; 0, and free, where the run has no observer that asks for times. */
  began(): number;
  /** Tells the observer, if there is one, of work on `items` items since `beganMs`, all of it on this thread. */
  worked(items: number, beganMs: number): void;
  /** Tells the observer, if there is one, that `items` items are done which were in service since `beganMs`. */
  served(items: number, beganMs: number): void;
}

/** The same for the engine, which says where the stage goes on. */
export interface OpenStageContext extends StageContext {
  enteredBefore: number;
}

/** A source that can be told to end: all of them are, when the run drains. */
export interface Drainable {
  /** Ends as soon as nothing that was read is lost. */
  drain(): void;
  /** Ends now: the read that is pending is given up. */
  cut(): void;
}

/** What all nodes of one run share. */
export class RunContext {
  readonly clock: Clock;
  /** Is told of the run once it is built. */
  observer: Observer | undefined;
  readonly sources: Drainable[] = [];
  /** Says how full every edge is. */
  edges: () => readonly EdgeFill[] = () => [];
  /** Clean-ups under way, by stage. */
  readonly closings: Array<{ stage: string; isDone: boolean; work: Promise<void> }> = [];
  /** Errors that came while another was on its way. */
  readonly others: unknown[] = [];
  /** Takes such errors once the run is over: those of what was under way come a moment later. */
  failedLater: ((error: unknown) => void) | undefined;
  /** What clean-ups threw. */
  readonly closeFailures: unknown[] = [];
  /** Takes the checkpoints, where the run has any. */
  checkpoints: Coordinator | undefined;
  /** Weighs what is inside, where that is limited. */
  load: Load | undefined;
  /** The origin of items that have no other, in a run whose items carry theirs. */
  origin: Origin | undefined;
  isDraining: boolean = false;
  isOver: boolean = false;
  /** Whether the consumer waits for items; not where one reads them when it wants, and does not at the moment. */
  isWanted: boolean = true;
  insideNow: number = 0;
  insideMost: number = 0;
  #controller: AbortController | undefined;
  #abortedFor: { readonly reason: unknown } | undefined;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Whether the observer asks for times. */
  get isTimed(): boolean {
    return this.observer?.burst !== undefined || this.observer?.served !== undefined;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortedFor !== undefined) this.#controller.abort(this.#abortedFor.reason);
    }
    return this.#controller.signal;
  }

  /** Aborts the signal that user functions have. */
  abortUserWork(reason: unknown): void {
    this.#abortedFor = { reason };
    this.#controller?.abort(reason);
  }

  inside(items: number): void {
    this.insideNow += items;
    if (this.insideNow > this.insideMost) this.insideMost = this.insideNow;
    this.load?.moved();
  }

  /** Notes that `items` were inside at a time: those that came and went within one loop. */
  reached(items: number): void {
    if (items > this.insideMost) this.insideMost = items;
  }

  /** Tells the observer, or else the console, and that once. */
  warn(message: string): void {
    if (this.observer?.warned !== undefined) return this.observer.warned(message);
    if (warnedOf.has(message)) return;
    warnedOf.add(message);
    console.warn(message);
  }

  closing(stage: string, work: PromiseLike<unknown>): void {
    const entry = { stage, isDone: false, work: Promise.resolve() };
    entry.work = Promise.resolve(work).then(
      () => {
        entry.isDone = true;
      },
      (error: unknown) => {
        entry.isDone = true;
        this.closeFailed(stage, error);
      },
    );
    this.closings.push(entry);
  }

  /** Notes what a clean-up threw. */
  closeFailed(stage: string, cause: unknown): void {
    this.closeFailures.push(
      new PipelineError('ERR_CORE_CLOSE', `Cannot close stage "${stage}": ${messageOf(cause)}`, { cause }),
    );
  }

  alsoFailed(error: unknown): void {
    if (this.failedLater !== undefined) this.failedLater(error);
    else this.others.push(error);
  }

  /** Lets an item carry an origin, where items do in this run. */
  carry(item: unknown, origin: ItemOrigin): unknown {
    const { origin: own } = this;
    if (own === undefined || item instanceof Carried) return item;
    return new Carried(item, origin.enter === undefined ? { ...origin, enter: own.enter } : (origin as Origin));
  }

  stage(name: string, node: number, weight: number, counts: StageCounts = noCounts()): OpenStageContext {
    return new OneStage(this, name, node, weight, counts);
  }
}

/**
 * The context of one stage. Its functions may be taken out of it, so they are its own.
 *
 * PERF: a class, since an object literal with a getter is a dictionary to V8: each look at a count or weight costs 5 ns
 * then, and no call is inlined (core/merge-8, 1.2 times as fast).
 */
class OneStage implements OpenStageContext {
  readonly name: string;
  readonly clock: Clock;
  readonly counts: StageCounts;
  readonly weight: number;
  enteredBefore = 0;
  private readonly run: RunContext;
  private readonly node: number;

  constructor(run: RunContext, name: string, node: number, weight: number, counts: StageCounts) {
    this.name = name;
    this.clock = run.clock;
    this.counts = counts;
    this.weight = weight;
    this.run = run;
    this.node = node;
  }

  get signal(): AbortSignal {
    return this.run.signal;
  }

  get carries(): boolean {
    return this.run.origin !== undefined;
  }

  readonly inside = (items: number): void => this.run.inside(items);

  readonly carry = <T>(item: T, origin: ItemOrigin): T => this.run.carry(item, origin) as T;

  readonly failure = (cause: unknown, index: number, attempt?: number, item?: unknown): Failure => {
    const { run } = this;
    const error = new StageError(this.name, index, cause, attempt, run.isOver ? [] : run.edges(), originOf(item));
    if (!run.isOver) run.observer?.failed?.(error);
    return new Failure(error);
  };

  readonly rejected = (cause: unknown, index: number, attempt?: number, item?: unknown): void => {
    if (this.run.isOver) return;
    this.run.observer?.failed?.(new StageError(this.name, index, cause, attempt, [], originOf(item)));
  };

  readonly retried = (cause: unknown, index: number, attempt: number, delayMs: number, item?: unknown): void => {
    this.run.observer?.retried?.(new StageError(this.name, index, cause, attempt, [], originOf(item)), delayMs);
  };

  readonly closing = (work: PromiseLike<unknown>): void => this.run.closing(this.name, work);

  readonly closeFailed = (cause: unknown): void => this.run.closeFailed(this.name, cause);

  readonly alsoFailed = (error: unknown): void => this.run.alsoFailed(error);

  readonly began = (): number => (this.run.isTimed ? this.clock.now() : 0);

  readonly worked = (items: number, beganMs: number): void => {
    this.run.observer?.burst?.(this.node, items, this.clock.now() - beganMs);
  };

  readonly served = (items: number, beganMs: number): void => {
    this.run.observer?.served?.(this.node, items, this.clock.now() - beganMs);
    this.run.load?.moved();
  };
}

const warnedOf = new Set<string>();
