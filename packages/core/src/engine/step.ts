// What a fused group is made of. Each kind of step, source and sink is written once, as a piece of program text over
// named places; `codegen.ts` joins the pieces into one loop, `copies-text.ts` into the classes that stand in
// where the platform forbids `new Function`.

import type { Clock } from '../clock.js';
import { kindOf } from '../internal/arguments.js';
import { isThenable } from './answer.js';
import { allowance, spend } from './budget.js';
import { callContext } from './call-context.js';
import { handOn } from './hand-on.js';
import { bytesOf, type OpenBytes } from './open-batch.js';
import type { SavedKeys, SeenKeys } from './seen-keys.js';

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
}

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

const call = (names: Names): string => `${names.param(0)}(${names.in}, ${names.index})`;

/** Asks the predicate for its `answer`; what is neither `true` nor `false` is looked at closer. */
const ask = (names: Names): string =>
  `let answer; ${names.attempt(call(names), (result) => `answer = ${result}; if (answer !== true && answer !== false) answer = truthy(answer);`)}`;

const startedState = (names: Names): string =>
  `(${names.state} == null ? ${names.state} = ${names.param(1)}() : ${names.state})`;

// PERF: a copy of an array that nothing was put into. `[]` at one place for all runs learns from every pipeline what its
// elements are, and boxes numbers once one of them held objects (core/collect, 2.7 times slower).
const NO_ITEMS: readonly unknown[] = [];

/** An array that has not learned anything from other pipelines. */
export const freshArray = (): unknown[] => NO_ITEMS.slice();

/** Hands bursts of items on. */
export const EMIT: SinkKind = { id: 'emit', waits: false, each: () => '' };

/** The kinds of steps there are. */
export type StepId =
  | 'map'
  | 'tap'
  | 'filter'
  | 'filterMap'
  | 'drop'
  | 'dropWhile'
  | 'take'
  | 'takeWhile'
  | 'scan'
  | 'statefulMap'
  | 'batch'
  | 'batchBySize'
  | 'dedupeConsecutive'
  | 'dedupeConsecutiveBy'
  | 'dedupe'
  | 'flatMap';

/** The steps, by their id. Each public stage of a kind says what it does. */
export const STEPS: Readonly<Record<StepId, StepKind>> = {
  map: {
    id: 'map',
    splits: false,
    each: (n) => n.attempt(call(n), (result) => `${n.out} = ${result};`),
  },
  tap: {
    id: 'tap',
    splits: false,
    each: (n) => `${n.attempt(call(n), (result) => `${result};`)} ${n.out} = ${n.in};`,
  },
  filter: {
    id: 'filter',
    splits: true,
    tally: 'filtered',
    each: (n) => `${ask(n)} if (!answer) ${n.drop} ${n.out} = ${n.in};`,
  },
  filterMap: {
    id: 'filterMap',
    splits: true,
    tally: 'filtered',
    each: (n) => `${n.attempt(call(n), (result) => `${n.out} = ${result};`)} if (${n.out} === undefined) ${n.drop}`,
  },
  drop: {
    id: 'drop',
    splits: true,
    tally: 'filtered',
    each: (n) => `if (${n.index} < ${n.param(0)}) ${n.drop} ${n.out} = ${n.in};`,
  },
  dropWhile: {
    id: 'dropWhile',
    keeps: true,
    splits: true,
    tally: 'filtered',
    // Whether all items so far were left out.
    start: () => true,
    each: (n) => `if (${n.state}) { ${ask(n)} if (answer) ${n.drop} ${n.state} = false; } ${n.out} = ${n.in};`,
  },
  take: {
    id: 'take',
    stops: true,
    splits: false,
    each: (n) => `if (${n.index} + 1 >= ${n.param(0)}) ${n.stop} ${n.out} = ${n.in};`,
    room: (_state, entered, params) => (params[0] as number) - entered,
    isOver: (_state, entered, params) => entered >= (params[0] as number),
  },
  takeWhile: {
    id: 'takeWhile',
    stops: true,
    keeps: true,
    splits: true,
    tally: 'filtered',
    // Whether an item has come for which the predicate is not true; the second parameter, whether that passes as the last.
    start: () => false,
    each: (n) =>
      `${ask(n)} if (!answer) { ${n.stop} ${n.state} = true; if (!${n.param(1)}) ${n.drop} } ${n.out} = ${n.in};`,
    isOver: (state) => state === true,
  },
  scan: {
    id: 'scan',
    keeps: true,
    folds: true,
    splits: false,
    start: (seed) => seed,
    each: (n) =>
      `${n.attempt(`${n.param(0)}(${n.state}, ${n.in}, ${n.index})`, (result) => `${n.state} = ${result};`)} ${n.out} = ${n.state};`,
  },
  statefulMap: {
    id: 'statefulMap',
    keeps: true,
    splits: true,
    tally: 'made',
    // Made by the second parameter when it is first needed, since that may throw; null once it was flushed, so that a run
    // that goes on from there does not hand it on again.
    start: () => undefined,
    each: (n) =>
      n.attempt(`${n.param(0)}(${startedState(n)}, ${n.in}, ${n.index})`, (result) => `${n.out} = ${result};`),
    // What throws has been made, and goes no further.
    flush: (n) =>
      `if (${n.state} === null) ${n.hold} ${n.absorb('1')} ${n.call(`${n.out} = ${n.param(2)}(${startedState(n)}); ${n.state} = null;`)} if (${n.out} === undefined) { ${n.absorb('-1')} ${n.hold} }`,
  },
  batch: {
    id: 'batch',
    splits: true,
    tally: 'absorbed',
    start: freshArray,
    each: (n) =>
      // PERF: 1.17 times as fast as push() (core/sync-fused, 4 steps).
      `const length = ${n.state}.length; ${n.state}[length] = ${n.in}; if (length + 1 < ${n.param(0)}) ${n.hold} ` +
      `${n.absorb(n.param(0))} ${n.out} = ${n.state}; ${n.state} = [];`,
    flush: (n) =>
      `if (${n.state}.length === 0) ${n.hold} ${n.absorb(`${n.state}.length`)} ${n.out} = ${n.state}; ${n.state} = [];`,
    room: (state, _entered, params) => (params[0] as number) - (state as unknown[]).length,
    held: (state) => (state as unknown[]).length,
  },
  batchBySize: {
    id: 'batchBySize',
    splits: true,
    tally: 'absorbed',
    // The parameters are `sizeOf`, `maxItems` and `maxBytes`.
    start: (): OpenBytes => ({ items: freshArray(), bytes: 0 }),
    each: (n) =>
      `let bytes; ${n.attempt(`${n.param(0)}(${n.in})`, (result) => `bytes = bytesOf(${result});`)} const open = ${n.state}; ` +
      `if (open.bytes + bytes > ${n.param(2)} && open.items.length > 0) { ${n.out} = open.items; open.items = [${n.in}]; open.bytes = bytes; } ` +
      `else { open.bytes += bytes; const length = open.items.length; open.items[length] = ${n.in}; if (length + 1 < ${n.param(1)} && open.bytes < ${n.param(2)}) ${n.hold} ` +
      `${n.out} = open.items; open.items = []; open.bytes = 0; } ${n.absorb(`${n.out}.length`)}`,
    flush: (n) =>
      `const open = ${n.state}; if (open.items.length === 0) ${n.hold} ${n.out} = open.items; open.items = []; open.bytes = 0; ${n.absorb(`${n.out}.length`)}`,
    room: (state, _entered, params) => (params[1] as number) - (state as OpenBytes).items.length,
    held: (state) => (state as OpenBytes).items.length,
  },
  dedupeConsecutive: {
    id: 'dedupeConsecutive',
    keeps: true,
    splits: true,
    tally: 'deduped',
    start: () => NOTHING,
    each: (n) => `if (sameValue(${n.in}, ${n.state})) ${n.drop} ${n.state} = ${n.in}; ${n.out} = ${n.in};`,
  },
  dedupeConsecutiveBy: {
    id: 'dedupeConsecutiveBy',
    keeps: true,
    splits: true,
    tally: 'deduped',
    start: () => NOTHING,
    each: (n) =>
      `let key; ${n.attempt(call(n), (result) => `key = ${result};`)} if (sameValue(key, ${n.state})) ${n.drop} ${n.state} = key; ${n.out} = ${n.in};`,
  },
  dedupe: {
    id: 'dedupe',
    keeps: true,
    splits: true,
    tally: 'deduped',
    start: (make, clock) => (make as (clock: Clock) => unknown)(clock),
    each: (n) =>
      `let key; ${n.attempt(call(n), (result) => `key = ${result};`)} if (!${n.state}.isNew(key)) ${n.drop} ${n.out} = ${n.in};`,
    save: (state) => (state as SeenKeys).save(),
    restore: (state, saved) => (state as SeenKeys).restore(saved as SavedKeys),
  },
  flatMap: {
    id: 'flatMap',
    splits: true,
    tally: 'absorbed',
    each: (n) => `let many; ${n.attempt(call(n), (result) => `many = iterate(${result});`)} ${n.open('many')}`,
  },
};

/** The steps that call a function of the user, and can have a policy for items on which it fails. */
export const CALLING: readonly StepId[] = [
  'map',
  'tap',
  'filter',
  'filterMap',
  'dropWhile',
  'takeWhile',
  'scan',
  'statefulMap',
  'batchBySize',
  'dedupeConsecutiveBy',
  'dedupe',
  'flatMap',
];

const guarded = new Map<StepKind, StepKind>();

/** The same kind of step with a policy for items on which the user's function fails: it can lose an item. */
export function guardedKind(kind: StepKind): StepKind {
  let made = guarded.get(kind);
  if (made === undefined) {
    made = { ...kind, splits: true, isGuarded: true };
    guarded.set(kind, made);
  }
  return made;
}

/** What tells a kind, with a policy or without, from all others. */
export function keyOf({ id, isGuarded, isTimed }: Pick<StepKind, 'id' | 'isGuarded' | 'isTimed'>): string {
  return `${id}${isGuarded === true ? 'Guarded' : ''}${isTimed === true ? 'Timed' : ''}`;
}

/** Calls an asynchronous function on one item at a time: `mapAsync()` as part of a group that ends with a sink. */
export const MAP_ASYNC: StepKind = {
  id: 'mapAsync',
  splits: true,
  each: (n) =>
    `${n.call(`${n.out} = ${n.param(0)}(${n.in}, callContext(${n.index}, S.context));`)} if (isThenable(${n.out})) ${n.await(n.out)} ${n.park(n.out)}`,
};

/** The same with a policy: the item is kept while its promise is pending, and what the function throws is as a promise that rejects. */
const mapAsyncGuarded = (context: (names: Names) => string): StepKind => ({
  ...MAP_ASYNC,
  isGuarded: true,
  each: (n) =>
    `try { ${n.out} = ${n.param(0)}(${n.in}, ${context(n)}); } catch (error) { ${n.out} = Promise.reject(error); } ` +
    `if (isThenable(${n.out})) { S.item = ${n.in}; ${n.await(n.out)} } ${n.park(n.out)}`,
});

export const MAP_ASYNC_GUARDED: StepKind = mapAsyncGuarded((n) => `callContext(${n.index}, S.context)`);

/** The same where each call has a limited time, and so a signal of its own. */
export const MAP_ASYNC_TIMED: StepKind = {
  ...mapAsyncGuarded((n) => `S.begin(${n.index})`),
  isTimed: true,
};

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

/** What the pieces of text may call. */
export const RUNTIME: Readonly<Record<string, unknown>> = {
  truthy,
  sameValue,
  iterate,
  isThenable,
  callContext,
  allowance,
  spend,
  handOn,
  bytesOf,
};
