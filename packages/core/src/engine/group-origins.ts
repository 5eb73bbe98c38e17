import { Carried, type Origin, originOf, plain } from './carried.js';
import { STATUS } from './codegen.js';
import type { Machine, MachineState } from './machine.js';

/** Lets the loop of a group work on items that carry their origins, in their contexts: those of one origin at a time. */
export class GroupOrigins implements Machine {
  /** That of the item that the loop works on, or has worked on last. */
  current: Origin;
  readonly #machine: Machine;
  #input: readonly unknown[] = [];
  readonly #own: Origin;

  /** @param own - The origin of items that the loop takes from a source of its own. */
  constructor(machine: Machine, own: Origin) {
    this.#machine = machine;
    this.current = this.#own = own;
  }

  /** Takes a burst in; gives the items for the loop. */
  accept(burst: readonly unknown[]): unknown[] {
    this.#input = burst;
    return burst.map(plain);
  }

  run(state: MachineState, limit: number, max: number): void {
    const made: unknown[] = [];
    const { end } = state;
    let left = limit;
    for (;;) {
      const { at } = state;
      const to = this.#endOfOrigin(state);
      state.end = to;
      this.current.enter(() => this.#machine.run(state, left, max));
      state.end = end;
      left -= state.at - at;
      this.#take(state, made);
      // A loop with cursors counts what they give as well: it begins anew for each origin.
      const isDone = state.status !== STATUS.slice || state.stop >= 0 || state.at < to || state.cursors.length > 0;
      if (isDone || left <= 0 || to >= end) break;
    }
    // What is worked off may be large, and must not live on while the next is read.
    if (state.at >= end) this.#input = [];
    state.out = made;
  }

  /** What is held is handed on because of the last item. */
  flush(state: MachineState, at: number, max: number): void {
    this.current.enter(() => this.#machine.flush(state, at, max));
    const made: unknown[] = [];
    this.#take(state, made);
    state.out = made;
  }

  /** Where items of another origin begin than that of the next one; a cursor that is open goes on with its own. */
  #endOfOrigin({ at, end, level }: MachineState): number {
    if (at >= this.#input.length) return end;
    if (level === 0) this.current = this.#originOf(at);
    let to = at;
    while (to < end && this.#originOf(to) === this.current) to++;
    return to;
  }

  /** An operator that says it hands origins on may forget one. */
  #originOf(at: number): Origin {
    return originOf(this.#input[at]) ?? this.#own;
  }

  /** Lets what comes of the item that the loop works on, or the item itself, carry its origin. */
  carry(item: unknown): Carried {
    return new Carried(item, this.current);
  }

  #take(state: MachineState, made: unknown[]): void {
    for (const item of state.out) made.push(this.carry(item));
    state.out = [];
  }
}
