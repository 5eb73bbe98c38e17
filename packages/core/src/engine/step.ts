// What a fused group is made of. Each kind of step, source and sink is written once, as a piece of program text over
// named places; `codegen.ts` joins the pieces into one loop, `copies-text.ts` into the classes that stand in
// where the platform forbids `new Function`.

import type { Clock } from '../clock.js';
import { kindOf } from '../internal/arguments.js';
import type { Writer } from './codegen.js';
import type { CopiedClass } from './copied-node.js';
import type { Cursor } from './cursor.js';

/** The places a piece of text may name. All are source text. */
export interface Names {
  /** The item that comes in. */
  readonly in: string;
  /** Where the item that goes out is put (declared already). */
  readonly out: string;
  /** How many items entered the step before this one. */
  readonly index: string;
  /** What the step keeps from item to item. */
  readonly state: string;
  /** The step's own parameter number `at`. */
  param(at: number): string;
  /** Runs `code`, which calls a function of the user; what it throws fails the run with this step's name. */
  call(code: string): string;
  /**
   * The same where the user's function gives a value: calls `expression` and lets `use` say what becomes of its result,
   * which is another value where the step has a policy for items on which the function fails.
   */
  attempt(expression: string, use: (result: string) => string): string;
  /** Ends the work on this item here, and counts it as lost in the way of the step ({@link StepKind.tally}). */
  readonly drop: string;
  /** Ends the work on this item here; it stays inside the step. */
  readonly hold: string;
  /** Adds to the step's own count. */
  absorb(count: string): string;
  /** Lets this item be the last one that passes the step. */
  readonly stop: string;
  /** Opens a cursor over the iterable `value`: its items go on from here, and this item's work ends. */
  open(value: string): string;
  /** In a sink: stops the loop until the promise `value` has settled. */
  wait(value: string): string;
  /** In a step: stops the loop until the promise `value` has settled, and goes on behind the step with what it gave. */
  await(value: string): string;
  /** In a step that waits: stops the loop where the sink is busy, and goes on behind the step with `value` when it is not. */
  park(value: string): string;
}

/** What a step's own count is of: items it lost, or that went into others, or that it made beside those that came in. */
export type Tally = 'filtered' | 'deduped' | 'dropped' | 'absorbed' | 'made';

/** One kind of synchronous step. */
export interface StepKind {
  readonly id: string;
  /** Whether an item can be the last one that passes. */
  readonly stops?: boolean;
  /** Whether what leaves is counted apart from what enters: the step can lose, hold or make items. */
  readonly splits: boolean;
  /** Whether the step has a policy for items on which the user's function fails. */
  readonly isGuarded?: boolean;
  /** Whether the policy limits the time of each call. */
  readonly isTimed?: boolean;
  /** What the step's own count means. */
  readonly tally?: Tally;
  /** The text for one item. */
  each(names: Names): string;
  /** The text that puts what is held into `out`, or ends with `hold` where nothing is held. */
  flush?(names: Names): string;
  /** Whether `state` is part of a checkpoint; what is held is handed on before one instead, and else only at the end. */
  readonly keeps?: boolean;
  /** Whether `state` is what the user's function gave last. */
  readonly folds?: boolean;
  /** What `state` is at the start of a run. */
  start?(seed: unknown, clock: Clock): unknown;
  /** Makes of a `state` that cannot be copied what a checkpoint keeps of it. Default: itself. */
  save?(state: unknown): unknown;
  /** Lets the `state` of a run that has not begun go on from that; without it, that is the state. */
  restore?(state: unknown, saved: unknown): void;
  /** How many more items may enter before the step hands on or stops. */
  room?(state: unknown, entered: number, params: readonly unknown[]): number;
  /** Whether nothing passes any more, of a run that has not begun. */
  isOver?(state: unknown, entered: number, params: readonly unknown[]): boolean;
  /** How many items it holds. */
  held?(state: unknown): number;
  /** Of a step that makes several items of one: what keeps where it is in them, and the text that goes on from there. */
  readonly cursor?: { make(): Cursor; text(writer: Writer, at: number, level: number): string };
  /** Of a step that waits for a promise. */
  readonly waiting?: WaitingText;
  /** What its text calls, by the names it has there. */
  readonly calls?: Calls;
  /** The classes that stand in for its text where none may be made at run time; left out where it is no step there. */
  readonly copies?: Copies | undefined;
  /** The same with a policy for items on which the user's function fails. */
  readonly guardedCopies?: Copies;
}

/** The text of a loop around its step `at`, which waits for a promise. */
export interface WaitingText {
  /** Goes on with the value that it waited for. */
  ready(writer: Writer, at: number): string;
  /** Goes on with `value`. */
  value(writer: Writer, at: number): string;
  /** The function that hears of the promise, of the loop that goes on with its value. */
  listen(loop: string): string;
}

/** What the text of a kind calls, by name. */
export type Calls = Readonly<Record<string, unknown>>;

/** Makes textual copies of the class of one kind of step or sink. */
export type Copies = () => readonly CopiedClass[];

/** One kind of sink that a group can end with; `emit` is the one that hands bursts on. */
export interface SinkKind {
  readonly id: string;
  /** Whether it can wait for a promise, so that items stay on the edge before it. */
  readonly waits: boolean;
  /** Whether an item can end it: then nothing is read ahead of the item it looks at. */
  readonly stops?: boolean;
  /** Whether `state` is what the user's function gave last. */
  readonly folds?: boolean;
  each(names: Names): string;
  start?(seed: unknown): unknown;
  /** What the terminal resolves with. */
  result?(state: unknown, entered: number): unknown;
  /** Takes what the promise that was waited for resolved with, and gives the new state. */
  resumed?(state: unknown, value: unknown): unknown;
  readonly calls?: Calls;
  readonly copies: Copies;
}

/** Where a group takes its items from: a burst or an array, an iterator, numbers in steps, or calls of a function. */
export type SourceKind = 'array' | 'iterator' | 'range' | 'generate';

/** Whether a predicate's answer counts as true; a promise, always truthy, is a mistake that is refused. */
export function truthy(answer: unknown): boolean {
  if (typeof answer === 'object' && answer !== null && typeof (answer as PromiseLike<unknown>).then === 'function') {
    throw new TypeError('the predicate returned a promise (must be a boolean: decide in mapAsync() first)');
  }
  return Boolean(answer);
}

// PERF: a copy of an array that nothing was put into. `[]` at one place for all runs learns from every pipeline what its
// elements are, and boxes numbers once one of them held objects (core/collect, 2.7 times slower).
const NO_ITEMS: readonly unknown[] = [];

/** An array that has not learned anything from other pipelines. */
export const freshArray = (): unknown[] => NO_ITEMS.slice();

const guarded = new Map<StepKind, StepKind>();

/** The same kind of step with a policy for items on which the user's function fails: it can lose an item. */
export function guardedKind(kind: StepKind): StepKind {
  let made = guarded.get(kind);
  if (made === undefined) {
    made = { ...kind, splits: true, isGuarded: true, copies: kind.guardedCopies };
    guarded.set(kind, made);
  }
  return made;
}

/** What tells a kind, with a policy or without, from all others. */
export function keyOf({ id, isGuarded, isTimed }: Pick<StepKind, 'id' | 'isGuarded' | 'isTimed'>): string {
  return `${id}${isGuarded === true ? 'Guarded' : ''}${isTimed === true ? 'Timed' : ''}`;
}

/** A state that equals no item. */
export const NOTHING: unique symbol = Symbol('nothing');

/** Equality as `Map` has it: `===`, and `NaN` equals itself. */
export function sameValue(a: unknown, b: unknown): boolean {
  // biome-ignore lint/suspicious/noSelfCompare: NaN is the one value that differs from itself.
  return a === b || (a !== a && b !== b);
}

/** An array to walk through by position, or the iterator of anything else; strings are not taken apart. */
export function iterate(many: unknown): readonly unknown[] | Iterator<unknown> {
  return Array.isArray(many) ? many : openerOf(many, 'the function returned').call(many);
}

/** What opens the iterator of an object; `what` goes into the error where it is none that has one. */
export function openerOf(many: unknown, what: string): () => Iterator<unknown> {
  const open = typeof many === 'object' && many !== null ? (many as Iterable<unknown>)[Symbol.iterator] : undefined;
  if (typeof open === 'function') return open;
  throw new TypeError(`${what} ${kindOf(many)} (must be an array or another iterable object)`);
}
