import { type Layout, type Shape, STATUS } from './codegen.js';
import { type CopiedClass, type CopiedNode, type Drive, haltWith } from './copied-node.js';
import { drive } from './copies.gen.js';
import type { Machine, MachineState, Params } from './machine.js';
import type { Copies } from './step.js';

/** The copies of each kind that has been needed, and which of them comes next. */
const families = new Map<() => readonly unknown[], { readonly copies: readonly unknown[]; next: number }>();

/** Chooses the copies that loops of this shape are put together from; they do what the generated text does. */
export function copiedMaker(shape: Shape, layout: Layout): (params: Params) => Machine {
  const classes = [...shape.steps, shape.sink].map((kind) => nextCopy(kind.copies as Copies));
  const own = nextCopy(drive);
  return (params) => new CopiedMachine(shape, layout, params, classes, own);
}

class CopiedMachine implements Machine {
  readonly #shape: Shape;
  readonly #layout: Layout;
  readonly #nodes: readonly CopiedNode[];
  readonly #drive: Drive;
  /** The steps that open cursors, in order. */
  readonly #cursors: readonly number[];

  constructor(shape: Shape, layout: Layout, params: Params, classes: readonly CopiedClass[], drive: Drive) {
    this.#drive = drive;
    this.#shape = shape;
    this.#layout = layout;
    this.#cursors = shape.steps.flatMap((step, at) => (step.cursor === undefined ? [] : [at]));
    const nodes: CopiedNode[] = [];
    for (let at = classes.length - 1; at >= 0; at--) {
      const Copy = classes[at] as CopiedClass;
      nodes.unshift(new Copy(at, this.#cursors.indexOf(at) + 1, params[at] ?? [], nodes[0]));
    }
    this.#nodes = nodes;
  }

  run(state: MachineState, limit: number, max: number): void {
    this.#load(state, max);
    const { source } = this.#shape;
    let left = limit;
    while (state.status === STATUS.slice) {
      state.isHalted = false;
      if (state.level > 0) {
        if (this.#isCursorDone(state)) continue;
        if (left-- <= 0) break;
        this.#fromCursor(state);
      } else {
        if (state.isDry || state.stop >= 0 || left <= 0) break;
        const taken = source === 'array' ? this.#fromArray(state, left) : this.#fromSource(state, SOURCES[source]);
        if (taken === 0) break;
        left -= taken;
      }
    }
    this.#save(state);
  }

  flush(state: MachineState, at: number, max: number): void {
    this.#load(state, max);
    try {
      this.#nodes[at]?.flush();
    } catch (error) {
      haltWith(state, error);
    }
    this.#save(state);
  }

  #fromArray(state: MachineState, most: number): number {
    const before = state.at;
    const end = Math.min(state.end, before + most);
    const first = this.#nodes[0] as CopiedNode;
    state.at = this.#drive(first, state.input as ArrayLike<unknown>, before, end, state.counts[0] as number);
    const taken = state.at - before;
    state.counts[0] = (state.counts[0] as number) + taken;
    return taken;
  }

  #fromSource(state: MachineState, next: (state: MachineState) => { item: unknown } | undefined): number {
    const taken = next(state);
    if (taken === undefined) return 0;
    const index = state.counts[0] as number;
    state.counts[0] = index + 1;
    this.#push(this.#nodes[0] as CopiedNode, taken.item, index);
    return 1;
  }

  #push(node: CopiedNode, item: unknown, index: number): void {
    try {
      node.push(item, index);
    } catch (error) {
      haltWith(node.m, error);
    }
  }

  #isCursorDone(state: MachineState): boolean {
    const at = this.#cursors[state.level - 1] as number;
    const cursor = state.cursors[state.level - 1] as MachineState['cursors'][number];
    const isEmpty = cursor.list === undefined ? cursor.iterator === undefined : cursor.at >= cursor.list.length;
    if (state.stop <= at && !isEmpty) return false;
    state.level = cursor.below;
    const node = this.#nodes[at] as CopiedNode;
    node.x++;
    const problem = cursor.close();
    if (problem !== undefined) node.fail(problem.thrown);
    return true;
  }

  #fromCursor(state: MachineState): void {
    const at = this.#cursors[state.level - 1] as number;
    const cursor = state.cursors[state.level - 1] as MachineState['cursors'][number];
    const next = this.#nodes[at + 1] as CopiedNode;
    const node = this.#nodes[at] as CopiedNode;
    if (cursor.list !== undefined) return this.#push(next, cursor.list[cursor.at++], node.n++);
    let step: IteratorResult<unknown>;
    try {
      step = (cursor.iterator as Iterator<unknown>).next();
    } catch (error) {
      cursor.iterator = undefined;
      return node.fail(error);
    }
    if (step.done === true) cursor.iterator = undefined;
    else this.#push(next, step.value, node.n++);
  }

  #load(state: MachineState, max: number): void {
    state.status = STATUS.slice;
    state.isHalted = false;
    for (const node of this.#nodes) {
      const { at } = node;
      node.m = state;
      node.max = max;
      node.n = state.counts[this.#behind(at)] ?? 0;
      node.x = state.counts[this.#layout.tally[at] ?? -1] ?? 0;
      const kept = state.states[at];
      node.hasNumber = typeof kept === 'number' && this.#folds(at);
      if (node.hasNumber) node.d = kept as number;
      else node.s = kept;
    }
  }

  #save(state: MachineState): void {
    for (const node of this.#nodes) {
      const { at } = node;
      const tally = this.#layout.tally[at] ?? -1;
      if (this.#shape.steps[at]?.splits === true) state.counts[this.#behind(at)] = node.n;
      if (tally >= 0) state.counts[tally] = node.x;
      state.states[at] = node.hasNumber ? node.d : node.s;
    }
  }

  #folds(at: number): boolean {
    return (this.#shape.steps[at] ?? this.#shape.sink).folds === true;
  }

  /** Where the count of the region behind step `at` is. */
  #behind(at: number): number {
    return this.#layout.region[at + 1] ?? -1;
  }
}

/** Takes the next item from a loop's source; `undefined` where there is none. */
const SOURCES: Record<Exclude<Shape['source'], 'array'>, (state: MachineState) => { item: unknown } | undefined> = {
  range(state) {
    return state.at < state.end ? { item: state.start + state.at++ * state.by } : undefined;
  },
  generate(state) {
    try {
      return { item: (state.input as (index: number) => unknown)(state.at++) };
    } catch (error) {
      return sourceFailed(state, error);
    }
  },
  iterator(state) {
    try {
      const step = (state.input as Iterator<unknown>).next();
      if (step.done !== true) {
        state.at++;
        return { item: step.value };
      }
    } catch (error) {
      return sourceFailed(state, error);
    }
    state.status = STATUS.done;
    return undefined;
  },
};

function sourceFailed(state: MachineState, error: unknown): undefined {
  state.error = error;
  state.status = STATUS.sourceFailed;
  return undefined;
}

function nextCopy<T>(copies: () => readonly T[]): T {
  let family = families.get(copies);
  if (family === undefined) {
    family = { copies: copies(), next: 0 };
    families.set(copies, family);
  }
  const copy = family.copies[family.next] as T;
  family.next = (family.next + 1) % family.copies.length;
  return copy;
}
