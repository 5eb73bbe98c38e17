import { soon } from '../internal/soon.js';
import { type Answer, END, type Failure, isLater, Mark, type Pulled, type Puller } from './answer.js';
import type { StageContext } from './context.js';
import { Later, whenAnswered } from './later.js';

/** A loop that takes items from its own source: it answers at once, but where the thread's time is up. */
export interface Loop {
  /** Lowers what the pending pull asks for. */
  shrink(max: number): void;
}

/** What is merged. */
export interface MergeInput {
  readonly upstream: Puller<unknown>;
  /** The same as a loop, where it is one. */
  readonly loop: Loop | undefined;
  /** What one of its items weighs. */
  readonly weight: number;
}

/** More than is handed on at once: an unlimited demand is answered in bursts as well. */
const MOST = 1024;

class Input {
  readonly upstream: Puller<unknown>;
  readonly loop: Loop | undefined;
  readonly weight: number;
  readonly onAnswer: (answer: Answer<unknown>) => void;
  items: unknown[] = [];
  /** How many of the items were handed on. */
  at = 0;
  /** How many items have come in all. */
  came = 0;
  /** A mark that waits behind the items; nothing is read past it. */
  mark: Mark | undefined;
  watermark: number | undefined;
  isAsking = false;
  /** An answer that came while other inputs were being asked; it waits for its turn to be looked at. */
  arrived: Answer<unknown> | undefined;
  isEnded = false;

  constructor({ upstream, loop, weight }: MergeInput, onAnswer: (answer: Answer<unknown>) => void) {
    this.upstream = upstream;
    this.loop = loop;
    this.weight = weight;
    this.onAnswer = onAnswer;
  }

  get waiting(): number {
    return this.items.length - this.at;
  }

  get isIdle(): boolean {
    return !this.isAsking && !this.isEnded && this.mark === undefined;
  }
}

/**
 * Joins several pullers: what has arrived is handed on, one item of each input in turn.
 *
 * Inputs that take time are asked for what may wait before them, all at once. Loops have their items at hand, so they are
 * asked for shares of what the consumer asks for, and nothing of them waits.
 */
export class Merge implements Puller<unknown> {
  readonly #inputs: readonly Input[];
  readonly #highWaterMark: number;
  readonly #context: StageContext;
  /** The input whose turn it is. */
  #next = 0;
  /** The first failure of an input: goes behind what had arrived by then. */
  #failure: Failure | undefined;
  #last: Failure | typeof END | undefined;
  #watermark: number = Number.NEGATIVE_INFINITY;
  #isClosed = false;
  /** Whether inputs are being asked: one that answers meanwhile is looked at when all have been. */
  #isBusy = false;
  #max = 0;
  readonly #later = new Later<unknown>();
  /** What is handed on in a moment: it has come in this turn of the microtask queue, for a consumer that waits. */
  #burst: unknown[] | undefined;

  constructor(inputs: readonly MergeInput[], highWaterMark: number, context: StageContext) {
    this.#inputs = inputs.map((given) => {
      const input: Input = new Input(given, (answer) => this.#onAnswer(input, answer));
      return input;
    });
    this.#highWaterMark = highWaterMark;
    this.#context = context;
  }

  /** How many items of each input were handed on. */
  get taken(): readonly number[] {
    return this.#inputs.map(({ came, waiting }) => came - waiting);
  }

  pull(max: number): Pulled<unknown> {
    this.#max = max;
    if (this.#last === undefined && this.#inputs.every(isPending)) return this.#later.owe();
    return this.#work() ?? this.#later.owe();
  }

  close(reason: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#last ??= END;
    for (const input of this.#inputs) {
      input.upstream.close(reason);
      if (input.arrived !== undefined) this.#accept(input, input.arrived);
      this.#abandon(input, input.waiting);
      input.items = [];
      input.at = 0;
    }
  }

  /** What can be handed on now; inputs with room are asked for more. */
  #work(): Answer<unknown> | undefined {
    for (;;) {
      if (this.#last === undefined) this.#askForAll();
      if (this.#last !== undefined) return this.#last;
      const mark = this.#passMark();
      if (mark !== undefined) return mark;
      const items = this.#hand();
      if (items.length > 0) {
        this.#askAhead();
        return items;
      }
      if (this.#failure !== undefined) this.#last = this.#failure;
      else if (this.#inputs.every(({ isEnded }) => isEnded)) this.#last = END;
      else if (!this.#inputs.some(({ isIdle, arrived }) => isIdle || arrived !== undefined)) return undefined;
    }
  }

  /** Asks for as many items as the consumer asked for: loops for a share each, the others while they answer at once. */
  #askForAll(): void {
    for (const input of this.#inputs) if (input.arrived !== undefined) this.#accept(input, input.arrived);
    this.#isBusy = true;
    const inputs = this.#inTurn().filter(({ isIdle }) => isIdle);
    const share = Math.max(1, Math.ceil(this.#room() / inputs.length));
    for (const input of inputs) {
      const room = this.#room();
      if (input.loop === undefined || room <= 0) continue;
      this.#ask(input, Math.min(share, room));
      if (input.isAsking) input.loop.shrink(this.#highWaterMark);
    }
    this.#askAhead();
    this.#isBusy = true;
    for (let isMore = true; isMore; ) {
      isMore = false;
      for (const input of inputs) {
        const room = this.#room();
        if (input.loop !== undefined || !input.isIdle || room <= 0) continue;
        isMore = this.#ask(input, Math.min(this.#highWaterMark, room)) || isMore;
      }
    }
    this.#isBusy = false;
  }

  /** How many more items may come for what the consumer asked for. */
  #room(): number {
    let room = Math.min(this.#max, MOST);
    for (const { waiting } of this.#inputs) room -= waiting;
    return room;
  }

  /** Lets items wait of those inputs that do not have them at hand. */
  #askAhead(): void {
    this.#isBusy = true;
    for (const input of this.#inputs) {
      if (input.loop !== undefined) continue;
      while (input.isIdle && input.waiting < this.#highWaterMark) {
        if (!this.#ask(input, this.#highWaterMark - input.waiting)) break;
      }
    }
    this.#isBusy = false;
  }

  /** Asks an input, unless it is over; says whether items came at once. */
  #ask(input: Input, credit: number): boolean {
    if (this.#failure !== undefined || this.#isClosed) return false;
    input.isAsking = true;
    const pulled = input.upstream.pull(credit);
    if (isLater(pulled)) {
      whenAnswered(pulled, input.onAnswer);
      return false;
    }
    this.#accept(input, pulled);
    return Array.isArray(pulled);
  }

  #onAnswer(input: Input, answer: Answer<unknown>): void {
    if (this.#isBusy) {
      // What comes when it is closed is counted at once: nobody looks at it later. Whoever is busy gives the answer.
      if (this.#isClosed) this.#accept(input, answer);
      else input.arrived = answer;
      return;
    }
    const isOwed = this.#later.isOwed && this.#last === undefined;
    if (isOwed && Array.isArray(answer) && answer.length <= this.#max - (this.#burst?.length ?? 0))
      return this.#pass(input, answer);
    this.#accept(input, answer);
    if (this.#burst !== undefined) return;
    if (!this.#later.isOwed) return this.#askAhead();
    const next = this.#work();
    if (next !== undefined) this.#later.give(next);
  }

  /**
   * Hands on what has come, where the consumer waits and so nothing else does: with what comes of other inputs in the same
   * turn of the microtask queue. PERF: a burst for each item costs the consumer 250 ns (core/merge-8, 1.25 times as fast).
   */
  #pass(input: Input, burst: unknown[]): void {
    input.isAsking = false;
    input.came += burst.length;
    this.#context.inside(burst.length * (this.#context.weight - input.weight));
    this.#count(input, burst.length);
    this.#isBusy = true;
    if (input.loop === undefined) this.#ask(input, this.#highWaterMark);
    this.#isBusy = false;
    if (this.#burst !== undefined) for (const item of burst) this.#burst.push(item);
    else if (burst.length === this.#max) return this.#later.give(burst);
    else {
      this.#burst = burst;
      soon(this.#giveBurst);
    }
  }

  readonly #giveBurst = (): void => {
    const burst = this.#burst as unknown[];
    this.#burst = undefined;
    this.#later.give(burst);
  };

  #count(last: Input, items: number): void {
    // Whoever comes behind the last one is next.
    this.#next = (this.#inputs.indexOf(last) + 1) % this.#inputs.length;
    this.#context.counts.in += items;
    this.#context.counts.out += items;
  }

  #accept(input: Input, answer: Answer<unknown>): void {
    input.isAsking = false;
    input.arrived = undefined;
    if (Array.isArray(answer)) {
      input.came += answer.length;
      if (this.#isClosed) return this.#abandon(input, answer.length);
      input.items = input.waiting === 0 ? answer : input.items.slice(input.at).concat(answer);
      input.at = 0;
    } else if (answer instanceof Mark) input.mark = answer;
    else if (answer === END) input.isEnded = true;
    else {
      input.isEnded = true;
      // Branches of one broadcast bring the same failure.
      if (this.#failure === undefined) this.#failure = answer;
      else if (answer.error !== this.#failure.error) this.#context.alsoFailed(answer.error);
    }
  }

  /** Up to as many items as were asked for, one of each input in turn. */
  #hand(): unknown[] {
    const inputs = this.#inTurn().filter(({ waiting }) => waiting > 0);
    const [only] = inputs;
    if (only === undefined) return [];
    const before = this.#toGain(inputs);
    const { items, last } = inputs.length === 1 ? handOne(only, this.#max) : handMany(inputs, this.#max);
    this.#context.inside(before - this.#toGain(inputs));
    this.#count(last, items.length);
    return items;
  }

  /** What those that wait will weigh more behind the merge, where all items weigh what the heaviest do. */
  #toGain(inputs: readonly Input[]): number {
    return inputs.reduce((sum, { waiting, weight }) => sum + waiting * (this.#context.weight - weight), 0);
  }

  #inTurn(): readonly Input[] {
    return this.#next === 0 ? this.#inputs : [...this.#inputs.slice(this.#next), ...this.#inputs.slice(0, this.#next)];
  }

  /**
   * A mark that is due, with nothing of its input waiting before it: a flush as it is, the least watermark of all open
   * inputs where that grew, a barrier when all of them have come to it.
   */
  #passMark(): Mark | undefined {
    const open = this.#inputs.filter(({ isEnded, waiting }) => !isEnded || waiting > 0);
    const due = open.filter(({ mark, waiting }) => mark !== undefined && waiting === 0);
    if (due.length === 0) return undefined;
    const flush = due.find(({ mark }) => mark?.kind === 'flush');
    if (flush !== undefined) return takeMark(flush);
    for (const input of due) if (input.mark?.kind === 'watermark') input.watermark = Number(takeMark(input)?.value);
    const least = Math.min(...open.map(({ watermark = Number.NEGATIVE_INFINITY }) => watermark));
    if (Number.isFinite(least) && least > this.#watermark) {
      this.#watermark = least;
      return new Mark('watermark', least);
    }
    if (!open.every(({ mark, waiting }) => mark?.kind === 'barrier' && waiting === 0)) return undefined;
    const [barrier] = open.map(takeMark);
    return barrier;
  }

  #abandon({ weight }: Input, items: number): void {
    this.#context.counts.in += items;
    this.#context.counts.abandoned += items;
    this.#context.inside(-items * weight);
  }
}

/** Whether there is nothing to do about an input before it answers. */
function isPending({ isAsking, waiting, arrived }: Input): boolean {
  return isAsking && waiting === 0 && arrived === undefined;
}

function takeMark(input: Input): Mark | undefined {
  const { mark } = input;
  input.mark = undefined;
  return mark;
}

interface Handed {
  readonly items: unknown[];
  /** The input that the last of them came from. */
  readonly last: Input;
}

function handOne(input: Input, max: number): Handed {
  const { items, at } = input;
  const isAll = input.waiting <= max;
  input.items = isAll ? [] : items;
  input.at = isAll ? 0 : at + max;
  return { items: isAll && at === 0 ? items : items.slice(at, at + max), last: input };
}

function handMany(inputs: readonly Input[], max: number): Handed {
  const made: unknown[] = [];
  let last = inputs[0] as Input;
  for (let isMore = true; isMore && made.length < max; ) {
    isMore = false;
    for (const input of inputs) {
      if (input.at >= input.items.length || made.length >= max) continue;
      made.push(input.items[input.at++]);
      last = input;
      isMore = true;
    }
  }
  for (const input of inputs) {
    if (input.waiting > 0) continue;
    input.items = [];
    input.at = 0;
  }
  return { items: made, last };
}
