import { type Answer, END, Failure, isLater, Mark, type Pulled, type Puller } from './answer.js';
import type { StageContext } from './context.js';
import { ItemErrors, WRITING } from './item-errors.js';
import { JoinInput } from './join-input.js';
import { Later, whenAnswered } from './later.js';
import type { MergeInput } from './merge-input.js';
import type { ErrorPolicy } from './rejects.js';

/** How a join makes its items of those of its inputs; one for each run. */
export interface JoinRule {
  /**
   * How many items of an idle input may be asked for, to make up to `max`: no more than have room; of a loop, whose items
   * are at hand, no more than can be used with what waits of the others. With a `max` of 0, only what may wait.
   */
  credit(inputs: readonly JoinInput[], input: JoinInput, max: number): number;
  /**
   * Adds what can be made of what is ready to `made`, up to `max` in all; may throw what a function of the user throws, and
   * a `BadHead` where that is about the first item of an input.
   */
  make(inputs: readonly JoinInput[], made: unknown[], max: number): void;
  /** Takes what `fallback()` gives in place of what the function should have given; may throw as `make` does. */
  instead?(head: BadHead, value: unknown): void;
  /** What the join ends with, where nothing more can be made. */
  ending(inputs: readonly JoinInput[]): Failure | typeof END | undefined;
  /** The inputs that are being read, whose barriers come together. */
  reads(inputs: readonly JoinInput[]): readonly JoinInput[];
}

/** Says that a function of the user failed on the first item of an input, which is the one to blame. */
export class BadHead {
  readonly at: number;
  readonly error: unknown;
  /** Whether another value can stand for what the function gives. */
  readonly canFallBack: boolean;

  constructor(at: number, error: unknown, canFallBack: boolean) {
    this.at = at;
    this.error = error;
    this.canFallBack = canFallBack;
  }
}

/** What describes a join in a plan. */
export interface JoinKind {
  /** What becomes of an item that is to blame. Default: it fails the run. */
  readonly onError?: ErrorPolicy<never, unknown> | undefined;
  /** Whether one item is made of one of each input, or is one of them. */
  readonly makes: 'tuples' | 'items';
  /** Whether all inputs are read at once, or one behind the other. */
  readonly reads: 'all' | 'one by one';
  open(highWaterMark: number): JoinRule;
}

/** More than is handed on at once. */
const MOST = 1024;

/**
 * Joins several pullers by a rule: asks each for what the rule can use and what may wait before it, and hands on what the
 * rule makes. What comes behind the items of an input (its end, its failure) counts when the rule has come to it.
 */
export class Join implements Puller<unknown> {
  readonly #rule: JoinRule;
  readonly #inputs: readonly JoinInput[];
  /** The same, in the order of asking: loops last, since they are asked for what goes with the others. */
  readonly #asked: readonly JoinInput[];
  readonly #makesTuples: boolean;
  /** What one item weighs behind the join. */
  readonly #weight: number;
  readonly #context: StageContext;
  readonly #errors: ItemErrors;
  /** What the item weighs whose letter is being written. */
  #writingWeight = 0;
  #last: Failure | typeof END | undefined;
  #watermark: number = Number.NEGATIVE_INFINITY;
  /** What the last barrier that went on carries. */
  #passed: unknown;
  #isClosed = false;
  /** Whether it is at work: what comes meanwhile is looked at before that ends. */
  #isBusy = false;
  /** Grows with all that comes in. */
  #events = 0;
  #max = 0;
  readonly #later = new Later<unknown>();

  constructor(
    { makes, open, onError }: JoinKind,
    inputs: readonly MergeInput[],
    highWaterMark: number,
    weight: number,
    context: StageContext,
  ) {
    this.#rule = open(highWaterMark);
    this.#makesTuples = makes === 'tuples';
    this.#inputs = inputs.map(
      (each) => new JoinInput(each.upstream, each.loop !== undefined, each.weight, this.#onAnswer),
    );
    this.#asked = [...this.#inputs].sort((a, b) => Number(a.isLoop) - Number(b.isLoop));
    this.#weight = weight;
    this.#context = context;
    this.#errors = new ItemErrors(onError, context, this.#onWritten);
  }

  get taken(): readonly number[] {
    return this.#inputs.map(({ taken }) => taken);
  }

  pull(max: number): Pulled<unknown> {
    this.#max = Math.min(max, MOST);
    return this.#work() ?? this.#later.owe();
  }

  close(reason: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#last ??= END;
    for (const { upstream } of this.#inputs) upstream.close(reason);
    if (this.#errors.close()) this.#context.inside(-this.#writingWeight);
    // A function of the user may end the run from inside the rule: what waits is let go when that has come back.
    if (!this.#isBusy) this.#letGo();
  }

  #work(): Answer<unknown> | undefined {
    if (this.#last !== undefined) return this.#last;
    this.#isBusy = true;
    const answer = this.#next();
    this.#isBusy = false;
    if (this.#isClosed) this.#letGo();
    return answer;
  }

  /** What can be handed on now; `undefined` where an input must answer first. */
  #next(): Answer<unknown> | undefined {
    const made: unknown[] = [];
    for (;;) {
      const [events, before] = [this.#events, made.length];
      this.#ask(this.#max - before);
      this.#make(made);
      const isMore = made.length > before || this.#events !== events;
      if (isMore && made.length < this.#max && this.#last === undefined) continue;
      if (made.length > 0) {
        this.#ask(0);
        return made;
      }
      if (this.#last !== undefined) return this.#last;
      if (this.#errors.isWriting) return undefined;
      const mark = this.#passMark();
      if (mark !== undefined) return mark;
      const end = this.#rule.ending(this.#inputs);
      if (end !== undefined) return this.#endWith(end);
      if (this.#events === events) return undefined;
    }
  }

  /** Asks all inputs for what can be used to make `max` items, as long as they answer at once. */
  #ask(max: number): void {
    for (let isMore = true; isMore; ) {
      isMore = false;
      for (const input of this.#asked) {
        if (!input.isIdle || this.#last !== undefined) continue;
        const credit = this.#rule.credit(this.#inputs, input, max);
        if (credit <= 0) continue;
        input.isAsking = true;
        const pulled = input.upstream.pull(credit);
        if (isLater(pulled)) {
          whenAnswered(pulled, input.onAnswer);
          continue;
        }
        this.#accept(input, pulled);
        isMore = true;
      }
    }
  }

  readonly #onAnswer = (input: JoinInput, answer: Answer<unknown>): void => {
    this.#accept(input, answer);
    this.#goOn();
  };

  readonly #onWritten = (failure: Failure | undefined): void => {
    this.#events++;
    this.#lose(failure, this.#writingWeight);
    this.#goOn();
  };

  #goOn(): void {
    if (this.#isBusy) return;
    if (this.#later.isOwed) {
      const next = this.#work();
      if (next !== undefined) this.#later.give(next);
    } else {
      this.#isBusy = true;
      this.#ask(0);
      this.#isBusy = false;
      if (this.#isClosed) this.#letGo();
    }
  }

  #accept(input: JoinInput, answer: Answer<unknown>): void {
    input.isAsking = false;
    this.#events++;
    if (Array.isArray(answer)) {
      if (this.#isClosed && !this.#isBusy) this.#abandon(input, answer.length);
      else input.add(answer);
    } else if (answer instanceof Mark) {
      // An input that was not read when a barrier went by has it still before it.
      if (answer.kind !== 'barrier' || answer.value === undefined || answer.value !== this.#passed) input.mark(answer);
    } else {
      input.end = answer;
      if (this.#last instanceof Failure) this.#alsoFailed(answer, this.#last);
    }
  }

  #make(made: unknown[]): void {
    if (this.#last !== undefined || this.#errors.isWriting) return;
    const inputs = this.#inputs;
    const waiting = inputs.map((input) => input.waiting);
    const before = made.length;
    let bad: BadHead | undefined;
    try {
      this.#rule.make(inputs, made, this.#max);
    } catch (thrown) {
      if (thrown instanceof BadHead) bad = thrown;
      else this.#last = this.#context.failure(thrown, this.#context.counts.in + made.length - before);
    }
    const { counts } = this.#context;
    let gained = 0;
    inputs.forEach((input, at) => {
      const taken = (waiting[at] as number) - input.waiting;
      counts.in += taken;
      if (this.#makesTuples) counts.absorbed += taken;
      gained += taken * ((this.#makesTuples ? 0 : this.#weight) - input.weight);
    });
    const items = made.length - before;
    counts.out += items;
    if (this.#makesTuples) {
      counts.made += items;
      gained += items * this.#weight;
    }
    if (gained !== 0) this.#context.inside(gained);
    if (bad !== undefined) this.#reject(bad);
  }

  /** Deals with the first item of an input, which is to blame for what was thrown. */
  #reject(bad: BadHead): void {
    const { counts } = this.#context;
    const input = this.#inputs[bad.at] as JoinInput;
    this.#events++;
    let { error } = bad;
    try {
      if (bad.canFallBack && this.#errors.fallsBack)
        return this.#rule.instead?.(bad, this.#errors.instead(error, counts.in, input.head));
    } catch (problem) {
      error = problem instanceof BadHead ? problem.error : problem;
    }
    const taken = this.#errors.take(error, counts.in, input.head);
    input.next();
    counts.in++;
    this.#writingWeight = input.weight;
    if (taken !== WRITING) this.#lose(taken, input.weight);
  }

  /** An item is dealt with, and counted, or ends the run. */
  #lose(failure: Failure | undefined, weight: number): void {
    this.#context.inside(-weight);
    if (failure === undefined) return;
    this.#context.counts.abandoned++;
    this.#last ??= failure;
  }

  /**
   * A mark that is due: a flush as it is; the least watermark of all open inputs, where that grew; a barrier when all inputs
   * that are read have come to it.
   */
  #passMark(): Mark | undefined {
    for (const input of this.#inputs) {
      for (let mark = input.dueMark(); mark !== undefined; mark = input.dueMark()) {
        this.#events++;
        if (mark.kind === 'flush') return mark;
        input.watermark = Number(mark.value);
      }
    }
    const open = this.#inputs.filter(({ isOver }) => !isOver);
    const least = Math.min(...open.map(({ watermark = Number.NEGATIVE_INFINITY }) => watermark));
    if (Number.isFinite(least) && least > this.#watermark) {
      this.#watermark = least;
      return new Mark('watermark', least);
    }
    const read = this.#rule.reads(this.#inputs).filter(({ end }) => end === undefined);
    const barrier = read[0]?.barrier;
    if (barrier === undefined || !read.every((input) => input.barrier !== undefined)) return undefined;
    for (const input of read) input.barrier = undefined;
    this.#passed = barrier.value;
    return barrier;
  }

  #endWith(end: Failure | typeof END): Failure | typeof END {
    this.#last = end;
    if (end === END) this.close(undefined);
    else for (const input of this.#inputs) if (input.end !== undefined) this.#alsoFailed(input.end, end);
    return end;
  }

  /** Branches of one broadcast bring the same failure. */
  #alsoFailed(end: Failure | typeof END, { error }: Failure): void {
    if (end !== END && end.error !== error) this.#context.alsoFailed(end.error);
  }

  #letGo(): void {
    for (const input of this.#inputs) this.#abandon(input, input.take(input.waiting).length);
  }

  #abandon(input: JoinInput, items: number): void {
    const { counts } = this.#context;
    counts.in += items;
    counts.abandoned += items;
    if (items > 0) this.#context.inside(-items * input.weight);
  }
}
