import { PipelineError } from '../errors.js';
import { END, type Failure } from './answer.js';
import { Carried, gather } from './carried.js';
import { BadHead, type JoinKind, type JoinRule } from './join.js';
import type { JoinInput } from './join-input.js';
import type { ErrorPolicy } from './rejects.js';

type Inputs = readonly JoinInput[];

/** One array of one item of each input. */
export const ZIP: JoinKind = { makes: 'tuples', reads: 'all', open: (highWaterMark) => new Zip(highWaterMark) };
/** All of the first, then all of the second … */
export const CONCAT: JoinKind = { makes: 'items', reads: 'one by one', open: () => new Concat() };
/** One of each in turn. */
export const INTERLEAVE: JoinKind = {
  makes: 'items',
  reads: 'all',
  open: (highWaterMark) => new Interleave(highWaterMark),
};

/** Always the least of the first items of all inputs; `key` gives what is compared. */
export function mergeSortedKind(
  key: (item: unknown) => unknown,
  compare: (a: unknown, b: unknown) => number,
  onError?: ErrorPolicy<never, unknown>,
): JoinKind {
  return {
    makes: 'items',
    reads: 'all',
    onError,
    open: (highWaterMark) => new MergeSorted(highWaterMark, key, compare),
  };
}

class Zip implements JoinRule {
  readonly #highWaterMark: number;

  constructor(highWaterMark: number) {
    this.#highWaterMark = highWaterMark;
  }

  credit(inputs: Inputs, input: JoinInput, max: number): number {
    let partners = input.isLoop ? max : this.#highWaterMark;
    let isBefore = true;
    for (const other of inputs) {
      if (other === input) isBefore = false;
      // A loop that comes later is asked for as many as this one gives; what has ended has no more partners than wait.
      else if (other.end !== undefined) partners = Math.min(partners, other.waiting);
      else if (input.isLoop && (isBefore || !other.isLoop || !other.isIdle))
        partners = Math.min(partners, other.waiting);
    }
    return partners - input.waiting;
  }

  make(inputs: Inputs, made: unknown[], max: number): void {
    let tuples = max - made.length;
    for (const { ready } of inputs) tuples = Math.min(tuples, ready);
    for (let count = 0; count < tuples; count++) made.push(tuple(inputs.map((input) => input.next())));
  }

  ending(inputs: Inputs): Failure | typeof END | undefined {
    return inputs.find(({ isOver }) => isOver)?.end;
  }

  reads(inputs: Inputs): Inputs {
    return inputs;
  }
}

/** Of items that carry their origins, the last one's. */
function tuple(items: readonly unknown[]): unknown {
  return items[0] instanceof Carried ? gather(items) : items;
}

class Concat implements JoinRule {
  credit(inputs: Inputs, input: JoinInput, max: number): number {
    return input === current(inputs) ? max - input.waiting : 0;
  }

  make(inputs: Inputs, made: unknown[], max: number): void {
    const input = current(inputs);
    if (input === undefined) return;
    for (const item of input.take(Math.min(max - made.length, input.ready))) made.push(item);
  }

  ending(inputs: Inputs): Failure | typeof END | undefined {
    return endOf(inputs, current(inputs));
  }

  reads(inputs: Inputs): Inputs {
    const input = current(inputs);
    return input === undefined ? [] : [input];
  }
}

class Interleave implements JoinRule {
  #turn = 0;
  readonly #highWaterMark: number;

  constructor(highWaterMark: number) {
    this.#highWaterMark = highWaterMark;
  }

  credit(inputs: Inputs, input: JoinInput, max: number): number {
    if (!input.isLoop) return this.#highWaterMark - input.waiting;
    const open = this.#open(inputs);
    // How many items can be made before the turn comes to an input that has none.
    let items = max;
    let isAsked = true;
    open.forEach((other, at) => {
      if (other === input) isAsked = false;
      else if (other.end !== END && (isAsked || !other.isLoop || !other.isIdle))
        items = Math.min(items, at + other.waiting * open.length);
    });
    return Math.ceil((items - open.indexOf(input)) / open.length) - input.waiting;
  }

  make(inputs: Inputs, made: unknown[], max: number): void {
    while (made.length < max) {
      const input = this.#current(inputs);
      if (input === undefined || input.ready === 0) return;
      made.push(input.next());
      this.#turn = (inputs.indexOf(input) + 1) % inputs.length;
    }
  }

  ending(inputs: Inputs): Failure | typeof END | undefined {
    return endOf(inputs, this.#current(inputs));
  }

  reads(inputs: Inputs): Inputs {
    return inputs;
  }

  #open(inputs: Inputs): Inputs {
    return [...inputs.slice(this.#turn), ...inputs.slice(0, this.#turn)].filter(isOpen);
  }

  #current(inputs: Inputs): JoinInput | undefined {
    for (let at = 0; at < inputs.length; at++) {
      const input = inputs[(this.#turn + at) % inputs.length] as JoinInput;
      if (isOpen(input)) return input;
    }
    return undefined;
  }
}

/** The first item of an input, and what it is compared by. */
interface Head {
  readonly input: JoinInput;
  readonly at: number;
  readonly key: unknown;
}

class MergeSorted implements JoinRule {
  readonly #highWaterMark: number;
  readonly #key: (item: unknown) => unknown;
  readonly #compare: (a: unknown, b: unknown) => number;
  /** The first items of the inputs that have any, the least at the end. */
  readonly #heads: Head[] = [];
  #inputs: Inputs = [];
  readonly #hasHead: boolean[] = [];
  #last: { readonly key: unknown } | undefined;

  constructor(highWaterMark: number, key: (item: unknown) => unknown, compare: (a: unknown, b: unknown) => number) {
    this.#highWaterMark = highWaterMark;
    this.#key = key;
    this.#compare = compare;
  }

  credit(_inputs: Inputs, input: JoinInput, max: number): number {
    return input.isLoop && max === 0 ? 0 : this.#highWaterMark - input.waiting;
  }

  make(inputs: Inputs, made: unknown[], max: number): void {
    this.#inputs = inputs;
    for (let at = 0; at < inputs.length; at++) this.#look(inputs[at] as JoinInput, at);
    while (made.length < max && inputs.every((input, at) => this.#hasHead[at] || (input.isOver && input.end === END))) {
      const least = this.#heads.pop();
      if (least === undefined) return;
      made.push(least.input.next());
      this.#last = least;
      this.#hasHead[least.at] = false;
      this.#look(least.input, least.at);
    }
  }

  ending(inputs: Inputs): Failure | typeof END | undefined {
    const failed = inputs.find(({ isOver, end }) => isOver && end !== END);
    return failed?.end ?? endOf(inputs, undefined);
  }

  reads(inputs: Inputs): Inputs {
    return inputs;
  }

  /** Puts the first item of an input in its place among the others; of equals, that of the earlier input comes first. */
  #look(input: JoinInput, at: number): void {
    if (this.#hasHead[at] || input.ready === 0) return;
    const { head } = input;
    if (head instanceof Carried) head.origin.enter(() => this.#place(input, at, this.#keyOf(at, head.item)));
    else this.#place(input, at, this.#keyOf(at, head));
  }

  #keyOf(at: number, item: unknown): unknown {
    // Not as a method: a function of the user must not see this object as its `this`.
    const key = this.#key;
    try {
      return key(item);
    } catch (error) {
      const bad = new BadHead(at, error, true);
      throw bad;
    }
  }

  instead({ at }: BadHead, key: unknown): void {
    this.#place(this.#inputs[at] as JoinInput, at, key);
  }

  #place(input: JoinInput, at: number, key: unknown): void {
    if (this.#last !== undefined && this.#compare(this.#last.key, key) > 0) throw new BadHead(at, unsorted(at), false);
    let [low, high] = [0, this.#heads.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#heads[middle] as Head;
      const order = this.#compare(key, other.key) || at - other.at;
      if (order > 0) high = middle;
      else low = middle + 1;
    }
    this.#heads.splice(low, 0, { input, at, key });
    this.#hasHead[at] = true;
  }
}

function unsorted(at: number): PipelineError {
  return new PipelineError(
    'ERR_CORE_UNSORTED',
    `Cannot merge the inputs: an item of input ${at + 1} comes before the one ahead of it (must be sorted)`,
  );
}

/** Whether there is, or may come, more of an input; what failed stays where it is. */
function isOpen({ end, waiting }: JoinInput): boolean {
  return waiting > 0 || end !== END;
}

function current(inputs: Inputs): JoinInput | undefined {
  return inputs.find(isOpen);
}

/** The failure that the input to be read has come to, or the end where none is left. */
function endOf(inputs: Inputs, input: JoinInput | undefined): Failure | typeof END | undefined {
  if (input !== undefined) return input.isOver ? input.end : undefined;
  return inputs.some(isOpen) ? undefined : END;
}
