import { soon } from '../internal/soon.js';
import { type Answer, END, type Failure, isLater, Mark, type Pulled, type Puller } from './answer.js';
import type { StageContext } from './context.js';
import type { StageCounts } from './counts.js';
import { Later, whenAnswered } from './later.js';
import { MergedInput, type MergeInput } from './merge-input.js';

/** More than is handed on at once: an unlimited demand is answered in bursts as well. */
const MOST = 1024;

/**
 * Joins several pullers: what has arrived is handed on, one item of each input in turn.
 *
 * Inputs that take time are asked for what may wait before them, all at once. Loops have their items at hand, so they are
 * asked for shares of what the consumer asks for, and nothing of them waits.
 */
export class Merge implements Puller<unknown> {
  readonly #inputs: readonly MergedInput[];
  readonly #highWaterMark: number;
  readonly #context: StageContext;
  readonly #counts: StageCounts;
  /** The input whose turn it is. */
  #next = 0;
  /** How many inputs have not ended. */
  #open: number;
  /** How many inputs owe an answer. */
  #pending = 0;
  /** How many items wait, of all inputs. */
  #waiting = 0;
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
  /** Whether that is an array of its own: what an input gave may be one that its source goes on using. */
  #isOwnBurst = false;

  constructor(inputs: readonly MergeInput[], highWaterMark: number, context: StageContext) {
    const onAnswer = (input: MergedInput, answer: Answer<unknown>): void => this.#onAnswer(input, answer);
    this.#inputs = inputs.map(
      (input, at) => new MergedInput(input, context.weight - input.weight, (at + 1) % inputs.length, onAnswer),
    );
    this.#open = inputs.length;
    this.#highWaterMark = highWaterMark;
    this.#context = context;
    this.#counts = context.counts;
  }

  /** How many items of each input were handed on. */
  get taken(): readonly number[] {
    return this.#inputs.map(({ came, waiting }) => came - waiting);
  }

  pull(max: number): Pulled<unknown> {
    this.#max = max;
    return (this.#isQuiet() ? undefined : this.#work()) ?? this.#later.owe();
  }

  close(reason: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#last ??= END;
    for (const input of this.#inputs) {
      input.upstream.close(reason);
      if (input.arrived !== undefined) this.#accept(input, input.arrived);
      this.#abandon(input, input.waiting);
      input.clear();
    }
    this.#waiting = 0;
  }

  /** Whether there is nothing to do before an input answers: all that have not ended were asked, and nothing waits. */
  #isQuiet(): boolean {
    return this.#pending === this.#open && this.#waiting === 0 && this.#open > 0 && this.#failure === undefined;
  }

  /** What can be handed on now; inputs with room are asked for more. */
  #work(): Answer<unknown> | undefined {
    for (;;) {
      if (this.#last === undefined) this.#askForAll();
      if (this.#last !== undefined) return this.#last;
      const mark = this.#passMark();
      if (mark !== undefined) return mark;
      if (this.#waiting > 0) {
        const items = this.#hand();
        this.#askAhead();
        return items;
      }
      if (this.#failure !== undefined) this.#last = this.#failure;
      else if (this.#open === 0) this.#last = END;
      else if (!this.#inputs.some(({ isIdle, arrived }) => isIdle || arrived !== undefined)) return undefined;
    }
  }

  /** Asks for as many items as the consumer asked for: loops for a share each, the others while they answer at once. */
  #askForAll(): void {
    const inputs = this.#inputs;
    let idle = 0;
    for (const input of inputs) {
      if (input.arrived !== undefined) this.#accept(input, input.arrived);
      if (input.isIdle) idle++;
    }
    if (idle === 0) return;
    const share = Math.max(1, Math.ceil(this.#room() / idle));
    const first = this.#next;
    this.#isBusy = true;
    for (let turn = 0; turn < inputs.length; turn++) {
      const input = inputs[(first + turn) % inputs.length] as MergedInput;
      const room = this.#room();
      if (input.loop === undefined || !input.isIdle || room <= 0) continue;
      this.#ask(input, Math.min(share, room));
      if (input.isAsking) input.loop.shrink(this.#highWaterMark);
    }
    this.#askAhead();
    this.#isBusy = true;
    for (let isMore = true; isMore; ) {
      isMore = false;
      for (let turn = 0; turn < inputs.length; turn++) {
        const input = inputs[(first + turn) % inputs.length] as MergedInput;
        const room = this.#room();
        if (input.loop !== undefined || !input.isIdle || room <= 0) continue;
        isMore = this.#ask(input, Math.min(this.#highWaterMark, room)) || isMore;
      }
    }
    this.#isBusy = false;
  }

  /** How many more items may come for what the consumer asked for. */
  #room(): number {
    return Math.min(this.#max, MOST) - this.#waiting;
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
  #ask(input: MergedInput, credit: number): boolean {
    if (this.#failure !== undefined || this.#isClosed) return false;
    input.isAsking = true;
    this.#pending++;
    const pulled = input.upstream.pull(credit);
    if (isLater(pulled)) {
      whenAnswered(pulled, input.onAnswer);
      return false;
    }
    this.#pending--;
    this.#accept(input, pulled);
    return Array.isArray(pulled);
  }

  #onAnswer(input: MergedInput, answer: Answer<unknown>): void {
    this.#pending--;
    if (this.#isBusy) {
      // What comes when it is closed is counted at once: nobody looks at it later. Whoever is busy gives the answer.
      if (this.#isClosed) this.#accept(input, answer);
      else input.arrived = answer;
      return;
    }
    if (this.#later.isOwed && this.#last === undefined && Array.isArray(answer)) {
      const room = this.#max - (this.#burst === undefined ? 0 : this.#burst.length);
      if (answer.length <= room) return this.#pass(input, answer);
    }
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
  #pass(input: MergedInput, items: unknown[]): void {
    const { length } = items;
    input.isAsking = false;
    input.came += length;
    if (input.gain !== 0) this.#context.inside(length * input.gain);
    this.#count(input, length);
    this.#isBusy = true;
    if (input.loop === undefined) this.#ask(input, this.#highWaterMark);
    this.#isBusy = false;
    if (this.#burst !== undefined) this.#addToBurst(this.#burst, items);
    else if (length === this.#max) this.#later.give(items);
    else {
      this.#burst = items;
      this.#isOwnBurst = false;
      soon(this.#giveBurst);
    }
  }

  #addToBurst(burst: unknown[], items: readonly unknown[]): void {
    const own = this.#isOwnBurst ? burst : burst.slice();
    for (let at = 0; at < items.length; at++) own.push(items[at]);
    this.#burst = own;
    this.#isOwnBurst = true;
  }

  readonly #giveBurst = (): void => {
    const burst = this.#burst as unknown[];
    this.#burst = undefined;
    this.#later.give(burst);
  };

  /** Counts items that are handed on; whoever comes behind the input of the last one is next. */
  #count(last: MergedInput, items: number): void {
    this.#next = last.next;
    this.#counts.in += items;
    this.#counts.out += items;
  }

  #accept(input: MergedInput, answer: Answer<unknown>): void {
    input.isAsking = false;
    input.arrived = undefined;
    if (Array.isArray(answer)) {
      input.came += answer.length;
      if (this.#isClosed) return this.#abandon(input, answer.length);
      input.add(answer);
      this.#waiting += answer.length;
      return;
    }
    if (answer instanceof Mark) {
      input.mark = answer;
      return;
    }
    input.isEnded = true;
    this.#open--;
    if (answer === END) return;
    // Branches of one broadcast bring the same failure.
    if (this.#failure === undefined) this.#failure = answer;
    else if (answer.error !== this.#failure.error) this.#context.alsoFailed(answer.error);
  }

  /** Up to as many items as were asked for, one of each input in turn. */
  #hand(): unknown[] {
    const waiting = this.#inputs.filter((input) => input.waiting > 0);
    const only = waiting[0] as MergedInput;
    const items = waiting.length === 1 ? this.#handOne(only) : this.#handTurns();
    this.#waiting -= items.length;
    return items;
  }

  #handOne(input: MergedInput): unknown[] {
    const items = input.take(this.#max);
    if (input.gain !== 0) this.#context.inside(items.length * input.gain);
    this.#count(input, items.length);
    return items;
  }

  #handTurns(): unknown[] {
    const inputs = this.#inputs;
    const made: unknown[] = [];
    const most = Math.min(this.#waiting, this.#max);
    let last = inputs[0] as MergedInput;
    let gained = 0;
    for (let turn = this.#next; made.length < most; turn = turn + 1 < inputs.length ? turn + 1 : 0) {
      const input = inputs[turn] as MergedInput;
      if (input.at >= input.items.length) continue;
      made.push(input.items[input.at++]);
      gained += input.gain;
      last = input;
    }
    for (const input of inputs) if (input.waiting === 0) input.clear();
    if (gained !== 0) this.#context.inside(gained);
    this.#count(last, made.length);
    return made;
  }

  /**
   * A mark that is due, with nothing of its input waiting before it: a flush as it is, the least watermark of all open
   * inputs where that grew, a barrier when all of them have come to it.
   */
  #passMark(): Mark | undefined {
    if (!this.#inputs.some(({ mark }) => mark !== undefined)) return undefined;
    const open = this.#inputs.filter(({ isEnded, waiting }) => !isEnded || waiting > 0);
    const due = open.filter(({ mark, waiting }) => mark !== undefined && waiting === 0);
    if (due.length === 0) return undefined;
    const flush = due.find(({ mark }) => mark?.kind === 'flush');
    if (flush !== undefined) return flush.takeMark();
    for (const input of due) if (input.mark?.kind === 'watermark') input.watermark = Number(input.takeMark()?.value);
    const least = Math.min(...open.map(({ watermark = Number.NEGATIVE_INFINITY }) => watermark));
    if (Number.isFinite(least) && least > this.#watermark) {
      this.#watermark = least;
      return new Mark('watermark', least);
    }
    if (!open.every(({ mark, waiting }) => mark?.kind === 'barrier' && waiting === 0)) return undefined;
    const [barrier] = open.map((input) => input.takeMark());
    return barrier;
  }

  #abandon({ weight }: MergedInput, items: number): void {
    this.#counts.in += items;
    this.#counts.abandoned += items;
    this.#context.inside(-items * weight);
  }
}
