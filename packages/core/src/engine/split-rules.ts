import { PipelineError } from '../errors.js';
import { kindOf } from '../internal/arguments.js';
import type { ErrorPolicy } from './rejects.js';
import { type Branch, leastRoom, type SplitKind, type SplitRule } from './split.js';
import { truthy } from './step.js';

type Predicate = (item: unknown, index: number) => unknown;
type Policy = ErrorPolicy<never, unknown> | undefined;

/** Each item to the first branch whose predicate is true for it. */
export function routeKind(
  names: readonly string[],
  predicates: readonly Predicate[],
  drops: boolean,
  onError: Policy,
): SplitKind {
  const choose = (item: unknown, index: number): number => {
    for (let at = 0; at < predicates.length; at++) if (truthy((predicates[at] as Predicate)(item, index))) return at;
    if (drops) return -1;
    throw new PipelineError(
      'ERR_CORE_UNMATCHED',
      "Cannot route the item: no predicate is true for it (must be one: a last one for the rest, or unmatched: 'drop')",
    );
  };
  const chosen = (value: unknown): number => {
    const at = names.indexOf(value as string);
    if (at >= 0) return at;
    const shown = typeof value === 'string' ? JSON.stringify(value) : kindOf(value);
    throw new TypeError(`the fallback gave ${shown} (must be the name of a branch)`);
  };
  return { branches: names, onError, open: () => ({ credit: leastRoom, choose, chosen }) };
}

/** Each item to the first branch where the predicate is true, else to the second. */
export function partitionKind(predicate: Predicate, onError: Policy): SplitKind {
  const chosen = (answer: unknown): number => (truthy(answer) ? 0 : 1);
  const choose = (item: unknown, index: number): number => chosen(predicate(item, index));
  return { branches: ['yes', 'no'], onError, open: () => ({ credit: leastRoom, choose, chosen }) };
}

/** Each item to a branch that has room for it. */
export function balanceKind(branches: number): SplitKind {
  return { branches: Array.from({ length: branches }, (_, at) => `branch ${at + 1}`), open: () => new Balance() };
}

class Balance implements SplitRule {
  #branches: readonly Branch[] = [];
  #rooms: number[] = [];
  /** Behind the branch that got the last item. */
  #next = 0;

  credit(branches: readonly Branch[]): number {
    let credit = 0;
    for (const branch of branches) {
      // Behind a mark that one branch has still before it, nothing is read: the next mark would take its place.
      if (branch.hasMark) return 0;
      credit += Math.max(0, branch.room);
    }
    return credit;
  }

  begin(branches: readonly Branch[]): void {
    this.#branches = branches;
    this.#rooms = branches.map(({ room }) => room);
    if (this.#next >= branches.length) this.#next = 0;
  }

  choose(): number {
    const count = this.#branches.length;
    let at = this.#next;
    // One of those that wait, else one where the item may wait; where a branch has closed since it was asked for, any.
    const has = (isWaiting: boolean): boolean => {
      for (let step = 0; step < count; step++) {
        at = (this.#next + step) % count;
        if ((this.#rooms[at] as number) > 0 && (!isWaiting || this.#branches[at]?.isWaiting)) return true;
      }
      return false;
    };
    if (!has(true) && !has(false)) at = this.#next;
    this.#rooms[at] = (this.#rooms[at] as number) - 1;
    this.#next = (at + 1) % count;
    return (this.#branches[at] as Branch).number;
  }
}
