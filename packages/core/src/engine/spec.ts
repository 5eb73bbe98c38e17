import type { Acknowledger } from '../checkpointer.js';
import type { Puller } from './answer.js';
import type { StageContext } from './context.js';
import type { LoopInput } from './group-plan.js';
import type { Guard } from './guard.js';
import type { Planner } from './planner.js';
import type { ErrorPolicy } from './rejects.js';
import type { SizeOf } from './scale.js';
import type { SourceKind, StepKind } from './step.js';
import type { Tail } from './tail.js';
import type { WaitingSlot } from './waiting-slot.js';

/** How many source items one item stands for behind a stage: as before, one again, or `times` as many (a batch). */
export type Weight = { readonly times: number } | 'same' | 'one';

/**
 * How many items there is room for: a number, or a function of how many source items one of them stands for (1; more
 * behind a batch, and `Infinity` behind one without `maxItems`), called when the plan is made.
 */
export type Room = number | ((weight: number) => number);

/** The rooms of an operator in one plan. */
export interface OperatorRooms {
  readonly highWaterMark: number;
  readonly inService: number;
}

/** Makes room for as many items as stand for `items` source items, and for one at least. */
export function roomFor(items: number): (weight: number) => number {
  return (weight) => Math.max(1, Math.floor(items / weight));
}

/** A synchronous step: part of a fused group. */
export interface StepSpec {
  readonly type: 'step';
  readonly name: string;
  readonly kind: StepKind;
  /** The user's functions and the constants that the loop is made for. */
  readonly params: readonly unknown[];
  /** What the step's state starts from. */
  readonly seed?: unknown;
  /** Given by the user: ends the fused group before this step. */
  readonly highWaterMark?: number | undefined;
  readonly weight: Weight;
  /** What becomes of an item on which the user's function fails. Default: it fails the run. */
  readonly onError?: ErrorPolicy<never, unknown> | undefined;
  /** Keeps the item that a step waits for. */
  readonly slot?: typeof WaitingSlot;
  /** Deals with the items on which the function of a step that waits fails, where it has a policy for them. */
  readonly guard?: ((context: StageContext) => Guard) | undefined;
}

/**
 * What an operator opens: a puller, and where it keeps something from item to item, how that is saved. In a run with
 * checkpoints `save` is called when the puller answers with a barrier, and behind its `END`; not between. So whatever it
 * has taken and not handed on by then is either handed on before the barrier, or part of what it saves.
 */
export interface OperatorPuller<T> extends Puller<T> {
  /** Gives what the structured clone algorithm takes; it is copied at once. */
  save?(): unknown;
  /** Goes on from what `save` gave in an earlier run; called once, before the first pull. */
  restore?(state: unknown): void | PromiseLike<unknown>;
}

/** Anything that is not a synchronous step: a function from the upstream puller to a downstream puller. */
export interface OperatorSpec {
  readonly type: 'operator';
  readonly name: string;
  /** The items that may wait on the edge before the stage. */
  readonly highWaterMark: Room;
  /** What an item on that edge weighs, where `highWaterMark` is of weight. */
  readonly size?: SizeOf | undefined;
  /** The items it may have in service, finished and waiting ones included. */
  readonly inService: Room;
  /** What `explain()` calls those: `concurrency 8`. */
  readonly detail: string;
  /** Whether items may be where they can't be counted: inside a foreign stream. */
  readonly isForeign?: boolean;
  /** Whether it can be opened once only: a pair of streams that there is. */
  readonly servesOnce?: boolean;
  /** Why it cannot be part of a run with checkpoints, where it cannot. */
  readonly obstacle?: string | undefined;
  /** Whether what the stage has taken still waits on its edge: a buffer. */
  readonly isQueue?: boolean;
  /** Whether what comes out first came in first; where not, what is inside is known to have left when the stage is empty. */
  readonly keepsOrder?: boolean | undefined;
  /** Whether what it holds waits for more to come, or a mark: a batch. */
  readonly gathers?: boolean | undefined;
  /**
   * Whether it hands on items that carry their origins, in a run with `context: true`; any other is given items without,
   * and what it hands on has the origin of the run.
   */
  readonly carries?: boolean | undefined;
  readonly weight: Weight;
  /** The same as a step that waits for one promise at a time: where it can be part of the loop that ends with the sink. */
  readonly asStep?: StepSpec | undefined;
  open(upstream: Puller<unknown>, context: StageContext, rooms: OperatorRooms): OperatorPuller<unknown>;
}

/** A stage that is planned as nodes of its own kind: one with a sub-pipeline. */
export interface NestedSpec {
  readonly type: 'nested';
  readonly name: string;
  /** Plans it behind `before`, and says where that has got to. */
  plan(planner: Planner, before: Tail): Tail;
}

export type StageSpec = StepSpec | OperatorSpec | NestedSpec;

/**
 * Reads items for a source; the engine turns what it throws into a failure with the source's name. One with `position`, and
 * `resume` or `acknowledge`, can be part of a run with checkpoints.
 */
export interface SourceReader<T> extends Partial<Acknowledger> {
  /** Gives 1 to `max` items, or `undefined` at the end; never called again before the answer has come. */
  read(max: number): readonly T[] | undefined | PromiseLike<readonly T[] | undefined>;
  /** Lets go of what is open; called once, also at the end. */
  close(reason: unknown): void | PromiseLike<unknown>;
  /** Ends the pending read at once where that loses nothing. */
  drain?(): void;
  /**
   * Takes back what a read gave too late to be handed on: the run had ended, or given the read up. Called behind
   * `close()`; without it such items are gone.
   */
  giveBack?(items: readonly T[]): void;
  /**
   * Says where the source is behind what the last read gave: a value that the structured clone algorithm takes. Asked when
   * that read has been handed on; never throws.
   */
  position?(): unknown;
  /** Goes on behind a position of an earlier run; called once, before the first read. */
  resume?(position: unknown): void | PromiseLike<unknown>;
}

/** What a read gives that tells {@link Hears} what it brings. */
export const LATER: unique symbol = Symbol('millrace.later');

/** Is told what a read brought, once, in a later turn of the microtask queue. */
export interface Hears<T> {
  onItems(items: readonly T[] | undefined): void;
  onError(error: unknown): void;
}

/**
 * A reader of the engine's own, which tells what it reads instead of giving a promise. PERF: a promise, or a thenable with
 * functions made for each read, costs 30 to 60 ns an item (core/merge-8, core/async-source-64).
 */
export interface TellingReader<T> extends Omit<SourceReader<T>, 'read'> {
  read(max: number, hears: Hears<T>): ReturnType<SourceReader<T>['read']> | typeof LATER;
}

/** Items in memory or at hand, which a loop takes itself. */
export interface LoopSpec {
  readonly type: 'loop';
  readonly name: string;
  readonly kind: SourceKind;
  /** Opens the input anew for each run. */
  open(): LoopInput;
}

/** Any other source: it plans its node, which knows how to open itself. So a program has the kinds of nodes whose stages it uses. */
export interface NodeSpec {
  readonly type: 'node';
  readonly name: string;
  /** The pipelines it takes its items from, if it does. */
  readonly inputs: readonly Chain[];
  /** Whether a plan has its input once, for all sources that share it. */
  readonly isBranch?: boolean;
  /** Plans its node behind those of its inputs. */
  plan(planner: Planner): Tail;
}

export type SourceSpec = LoopSpec | NodeSpec;

/** Where a pipeline keeps what it is made of. */
export const CHAIN: unique symbol = Symbol('millrace.chain');

/** A source and the stages behind it. */
export interface Chain {
  readonly source: SourceSpec;
  readonly specs: readonly StageSpec[];
}
