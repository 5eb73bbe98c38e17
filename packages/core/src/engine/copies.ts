import { type Layout, type Shape, STATUS } from './codegen.js';
import type { CopiedNode } from './copied-node.js';
import { COPIES } from './copies.gen.js';
import type { Machine, MachineState, Params } from './machine.js';

type NodeClass = new (
  at: number,
  level: number,
  params: readonly unknown[],
  next: CopiedNode | undefined,
) => CopiedNode;

const families = COPIES as unknown as Record<string, readonly NodeClass[]>;
const used = new Map<string, number>();

/** Puts the loop of a group together from copied classes; it does what the generated text does. */
export function copiedMachine(shape: Shape, layout: Layout, params: Params): Machine {
  return new CopiedMachine(shape, layout, params);
}

class CopiedMachine implements Machine {
  readonly #shape: Shape;
  readonly #layout: Layout;
  readonly #nodes: readonly CopiedNode[];
  /** The steps that open cursors, in order. */
  readonly #cursors: readonly number[];

  constructor(shape: Shape, layout: Layout, params: Params) {
    this.#shape = shape;
    this.#layout = layout;
    this.#cursors = shape.steps.flatMap((step, at) => (step.id === 'flatMap' ? [at] : []));
    const kinds = [...shape.steps, shape.sink];
    const nodes: CopiedNode[] = [];
    for (let at = kinds.length - 1; at >= 0; at--) {
      const Copy = nextCopy((kinds[at] as { id: string }).id);
      nodes.unshift(new Copy(at, this.#cursors.indexOf(at) + 1, params[at] ?? [], nodes[0]));
    }
    this.#nodes = nodes;
  }

  run(state: MachineState, limit: number, max: number): void {
    this.#load(state, max);
    const first = this.#nodes[0] as CopiedNode;
    const { source } = this.#shape;
    let left = limit;
    while (state.status === STATUS.slice) {
      if (state.level > 0) {
        if (!this.#isCursorDone(state)) {
          if (left-- <= 0) break;
          this.#fromCursor(state);
        }
      } else {
        if (state.isDry || state.stop >= 0 || left <= 0) break;
        if (source === 'array') {
          const before = state.at;
          state.at = first.drive(state.input as ArrayLike<unknown>, before, Math.min(state.end, before + left));
          left -= state.at - before;
          if (state.at === before) break;
        } else {
          left--;
          if (!SOURCES[source](state, first)) break;
        }
      }
    }
    this.#save(state);
  }

  flush(state: MachineState, at: number, max: number): void {
    this.#load(state, max);
    this.#nodes[at]?.flush();
    this.#save(state);
  }

  #isCursorDone(state: MachineState): boolean {
    const at = this.#cursors[state.level - 1] as number;
    const cursor = state.cursors[state.level - 1] as MachineState['cursors'][number];
    const isEmpty = cursor.list === undefined ? cursor.iterator === undefined : cursor.at >= cursor.list.length;
    if (state.stop <= at && !isEmpty) return false;
    state.level--;
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
    if (cursor.list !== undefined) return next.push(cursor.list[cursor.at++]);
    let step: IteratorResult<unknown>;
    try {
      step = (cursor.iterator as Iterator<unknown>).next();
    } catch (error) {
      cursor.iterator = undefined;
      return (this.#nodes[at] as CopiedNode).fail(error);
    }
    if (step.done === true) cursor.iterator = undefined;
    else next.push(step.value);
  }

  #load(state: MachineState, max: number): void {
    const { region, tally } = this.#layout;
    state.status = STATUS.slice;
    for (const node of this.#nodes) {
      const { at } = node;
      node.m = state;
      node.max = max;
      node.n = state.counts[region[at] as number] as number;
      node.x = (tally[at] ?? -1) < 0 ? 0 : (state.counts[tally[at] as number] as number);
      node.s = state.states[at];
    }
  }

  #save(state: MachineState): void {
    const { region, tally } = this.#layout;
    let last = -1;
    for (const node of this.#nodes) {
      const { at } = node;
      // The first stage of a region counts for all of it: an item that fails has entered the region.
      if (region[at] !== last) state.counts[region[at] as number] = node.n;
      last = region[at] as number;
      if ((tally[at] ?? -1) >= 0) state.counts[tally[at] as number] = node.x;
      state.states[at] = node.s;
    }
  }
}

/** Hands the next item of a loop's source to the first step; `false` where there is none. */
const SOURCES: Record<Exclude<Shape['source'], 'array'>, (state: MachineState, first: CopiedNode) => boolean> = {
  range(state, first) {
    if (state.at >= state.end) return false;
    first.push(state.start + state.at++ * state.by);
    return true;
  },
  generate(state, first) {
    let item: unknown;
    try {
      item = (state.input as (index: number) => unknown)(state.at++);
    } catch (error) {
      return sourceFailed(state, error);
    }
    first.push(item);
    return true;
  },
  iterator(state, first) {
    let step: IteratorResult<unknown>;
    let item: unknown;
    try {
      step = (state.input as Iterator<unknown>).next();
      if (step.done !== true) item = step.value;
    } catch (error) {
      return sourceFailed(state, error);
    }
    if (step.done === true) {
      state.status = STATUS.done;
      return false;
    }
    state.at++;
    first.push(item);
    return true;
  },
};

function sourceFailed(state: MachineState, error: unknown): boolean {
  state.error = error;
  state.status = STATUS.sourceFailed;
  return false;
}

function nextCopy(id: string): NodeClass {
  const family = families[id] as readonly NodeClass[];
  const at = used.get(id) ?? 0;
  used.set(id, (at + 1) % family.length);
  return family[at] as NodeClass;
}
