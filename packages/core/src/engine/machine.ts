import type { Clock } from '../clock.js';
import { allowance, spend } from './budget.js';
import type { ItemContext } from './call-context.js';
import { type Layout, machineText, paramName, type Shape, STATUS } from './codegen.js';
import type { StageContext } from './context.js';
import { copiedMaker } from './copies.js';
import type { Cursor } from './cursor.js';
import { handOn } from './hand-on.js';
import { type Calls, keyOf } from './step.js';

/** All that one run of a fused group keeps between slices. */
export interface MachineState {
  /** An array, an iterator, or a function, by the shape's source. */
  input: unknown;
  /** The position in the input. */
  at: number;
  /** The position behind the last item of the input. */
  end: number;
  /** A range's first number and step. */
  start: number;
  by: number;
  /** Whether nothing more comes from the input. */
  isDry: boolean;
  /** The burst being made. */
  out: unknown[];
  counts: number[];
  states: unknown[];
  cursors: Cursor[];
  /** How many cursors are open. */
  level: number;
  /** The step that lets nothing more pass, or -1. */
  stop: number;
  status: number;
  /** Whether a copied loop has to look why it stopped. */
  isHalted: boolean;
  error: unknown;
  failed: number;
  /** What the sink waits for. */
  waitsFor: PromiseLike<unknown> | undefined;
  /** What the step that waits is waiting for. */
  awaits: PromiseLike<unknown> | undefined;
  /** Whether `value` is what it waited for, and has yet to go on; with `hasThrown`, an error. */
  isReady: boolean;
  hasThrown: boolean;
  value: unknown;
  /** Whether the sink is busy: then an item goes no further than the step that waits. */
  parks: boolean;
  /** Deals with an item on which the function of step `at` failed; answers as `RESCUE` says, or with a status. */
  rescue: (at: number, error: unknown, item: unknown, index: number) => number;
  /** The step whose dead letter is being written, or -1. */
  writes: number;
  /** The step that waits has its signal from here. */
  context: StageContext | undefined;
  /** Begins a call of the step that waits, where its time is limited. */
  begin: ((index: number) => ItemContext) | undefined;
  /** The item whose promise is pending, where there is a policy for it. */
  item: unknown;
  /** What hears of that promise while nothing else is under way; whoever begins something else clears it. */
  hears: Hears | undefined;
  run: { readonly isDraining: boolean };
  /** Whether the loop is running: a function of the user may close the group from inside. */
  isLooping: boolean;
}

/** Is told what the step that waits was waiting for. */
export type Hears = (value: unknown) => void;

/** The loop of a fused group. */
export interface Machine {
  /** Takes up to `limit` items from the input, or from open cursors, until `max` are made where a cursor is open. */
  run(state: MachineState, limit: number, max: number): void;
  /** Hands on what step `at` holds. */
  flush(state: MachineState, at: number, max: number): void;
  /**
   * Makes what goes on behind the step that waits, and waits again, as long as nothing else comes up: then `leftLoop` is
   * told, and whether the thread's time is up. A value that is not for it, by `state.hears`, goes to `leave`.
   */
  listen?:
    | ((state: MachineState, leave: Hears, leftLoop: (isTimeUp: boolean) => void, onError: Hears) => Hears)
    | undefined;
}

/** The parameters (user functions and constants) of each step, the sink's as the last; the loop is made for them. */
export type Params = readonly (readonly unknown[])[];

interface Entry {
  readonly signature: string;
  readonly params: readonly unknown[];
  readonly machine: Machine;
}

// PERF: a machine is worth most where it is kept with the very functions it calls: then they are constants to the
// compiler (1.4 instead of 3.4 times a hand-written loop at 8 steps; docs/adr/0001). A pipeline whose functions are
// made anew for each run gets another text each time, up to COPIES; then texts, and what the compiler learned, are shared.
const COPIES = 64;
const known = new WeakMap<object, Entry[]>();
const copies = new Map<string, number>();
const NO_FUNCTION = {};

/** Makes a machine for functions and constants. */
type Maker = (params: Params) => Machine;

// PERF: a pipeline that is built anew for each request has other functions of the same text each time. They share one
// program text: what the compiler learned of the first is good for all, and nothing is compiled again.
const makers = new Map<string, Maker>();
const MOST_MAKERS = 256;

let canGenerate: boolean | undefined;

/** Whether the platform allows program text to be made at run time; a content security policy may forbid it. */
export function isGenerationAllowed(): boolean {
  if (canGenerate === undefined) {
    try {
      canGenerate = new Function('return true')() === true;
    } catch {
      // Forbidden here: the copies of `copies.gen.ts` run instead.
      canGenerate = false;
    }
  }
  return canGenerate;
}

/** The loop of a group: generated where the platform allows it, else put together from copies; the same for the same functions. */
export function machineFor(shape: Shape, layout: Layout, params: Params, generate: boolean): Machine {
  const isGenerated = generate && isGenerationAllowed();
  const kinds = shape.steps.map(keyOf).join(' ');
  const signature = `${isGenerated ? 'generated' : 'copied'} ${shape.source} ${kinds} ${shape.sink.id}`;
  const flat = params.flat();
  const key = (flat.find((each) => typeof each === 'function') as object | undefined) ?? NO_FUNCTION;
  let entries = known.get(key);
  const entry = entries?.find((each) => each.signature === signature && isSame(each.params, flat));
  if (entry !== undefined) return entry.machine;
  const machine = makerFor(shape, layout, params, signature, isGenerated)(params);
  if (entries === undefined) {
    entries = [];
    known.set(key, entries);
  }
  if (entries.length >= COPIES) entries.shift();
  entries.push({ signature, params: flat, machine });
  return machine;
}

function makerFor(shape: Shape, layout: Layout, params: Params, signature: string, isGenerated: boolean): Maker {
  const texts = params.flat().filter((each) => typeof each === 'function');
  const key = [signature, ...texts.map(String)].join('\n');
  let maker = makers.get(key);
  if (maker === undefined) {
    maker = isGenerated ? generatedMaker(shape, layout, params, signature) : copiedMaker(shape, layout);
    if (makers.size >= MOST_MAKERS) makers.delete(makers.keys().next().value as string);
    makers.set(key, maker);
  }
  return maker;
}

/** What the text around that of the kinds calls. */
const LOOP_CALLS: Calls = { allowance, spend, handOn };

function generatedMaker(shape: Shape, layout: Layout, params: Params, signature: string): Maker {
  const copy = copies.get(signature) ?? 0;
  copies.set(signature, (copy + 1) % COPIES);
  const names = params.flatMap((each, owner) => each.map((_, at) => paramName(owner, at)));
  const calls: Calls = Object.assign({ ...LOOP_CALLS }, ...[...shape.steps, shape.sink].map((kind) => kind.calls));
  const make = new Function(...names, ...Object.keys(calls), machineText(shape, layout, copy));
  return (given) => make(...given.flat(), ...Object.values(calls));
}

/** The state of a machine that has not run. */
export function startState(
  shape: Shape,
  layout: Layout,
  params: Params,
  seeds: readonly unknown[],
  clock: Clock,
): MachineState {
  const all = [...shape.steps, shape.sink];
  const stop = shape.steps.findIndex((step, at) => step.isOver?.(undefined, 0, params[at] ?? []) === true);
  return {
    input: undefined,
    at: 0,
    end: 0,
    start: 0,
    by: 1,
    isDry: false,
    out: [],
    counts: new Array<number>(layout.counts).fill(0),
    states: all.map((each, at) => each.start?.(seeds[at], clock)),
    cursors: shape.steps.flatMap(({ cursor }) => (cursor === undefined ? [] : [cursor.make()])),
    level: 0,
    stop,
    status: STATUS.slice,
    isHalted: false,
    error: undefined,
    failed: -1,
    waitsFor: undefined,
    awaits: undefined,
    isReady: false,
    hasThrown: false,
    value: undefined,
    parks: false,
    rescue: () => STATUS.failed,
    writes: -1,
    context: undefined,
    begin: undefined,
    item: undefined,
    hears: undefined,
    run: { isDraining: false },
    isLooping: false,
  };
}

function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((each, at) => Object.is(each, b[at]));
}

/** Whether a result that the step waited for is there, and nothing else is under way. */
export function isQuiet({ isReady, hasThrown, waitsFor, writes, stop }: MachineState): boolean {
  return isReady && !hasThrown && waitsFor === undefined && writes < 0 && stop < 0;
}

/** Tells the iterator that a loop takes items from to return, unless it has ended; gives what that threw. */
export function endIterator(state: MachineState): { readonly thrown: unknown } | undefined {
  const { input } = state;
  state.input = undefined;
  try {
    (input as Iterator<unknown> | undefined)?.return?.();
  } catch (error) {
    return { thrown: error };
  }
  return undefined;
}
