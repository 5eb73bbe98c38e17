import { type Answer, END, type Failure, isLater, Mark, type Pulled, type Puller } from './answer.js';
import { spend, whenMyTurn } from './budget.js';
import type { StageContext } from './context.js';
import { Later, whenAnswered } from './later.js';

/**
 * An operator that reads on while its consumer is busy, from the first pull on: at full speed while the consumer waits for
 * an answer, else a burst for each turn of the event loop. What it does with the items is its subclass's.
 */
export abstract class ReadAhead implements Puller<unknown> {
  protected readonly context: StageContext;
  /** What comes behind all that is held; nothing is read past it. */
  protected behind: Mark | Failure | typeof END | undefined;
  readonly #upstream: Puller<unknown>;
  /** Whether an answer is owed to this node, or its turn to ask again. */
  #isAsking = false;
  #isClosed = false;
  #max = 0;
  readonly #later = new Later<unknown>();

  constructor(upstream: Puller<unknown>, context: StageContext) {
    this.#upstream = upstream;
    this.context = context;
  }

  /** How many items may be asked for now: 0 for none. */
  protected abstract room(): number;
  /** Takes the items that came, counted as in. */
  protected abstract add(items: unknown[]): void;
  /** What can be handed on now: at most `max` items, or what comes {@link passOn} behind all that was held. */
  protected abstract next(max: number): Answer<unknown> | undefined;
  /** Gives up all that is held, and every timer; says how many items that was. */
  protected abstract clear(): number;

  pull(max: number): Pulled<unknown> {
    this.#max = max;
    const answer = this.#take();
    if (answer === undefined) this.#later.owe();
    // What comes behind a mark is taken when the mark has gone on.
    if (!(answer instanceof Mark)) this.#read();
    return answer ?? this.#later.now();
  }

  close(reason: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.behind = END;
    this.#upstream.close(reason);
    this.#lose(this.clear(), 'abandoned');
  }

  /** A mark came; by default nothing is read before it has been passed on. */
  protected mark(mark: Mark): void {
    this.behind = mark;
  }

  /** Gives what comes behind the items, a mark once. */
  protected passOn(): Answer<unknown> | undefined {
    const { behind } = this;
    if (behind instanceof Mark) this.behind = undefined;
    return behind;
  }

  /** Gives the consumer, where it waits, what can be handed on now; reads on where that made room. */
  protected hand(): void {
    if (!this.#later.isOwed) return;
    const answer = this.#take();
    if (answer === undefined) return;
    this.#later.give(answer);
    this.#read();
  }

  protected drop(items: number): void {
    this.#lose(items, 'dropped');
  }

  readonly #read = (): void => {
    while (!this.#isAsking && !this.#isClosed && this.behind === undefined) {
      const room = this.room();
      if (room <= 0) return;
      this.#isAsking = true;
      const pulled = this.#upstream.pull(room);
      if (isLater(pulled)) return whenAnswered(pulled, this.#onAnswer);
      this.#accept(pulled);
      if (this.#mustGiveWay(pulled) || !this.#later.isOwed) return whenMyTurn(this.#readOn);
      this.#isAsking = false;
    }
  };

  readonly #readOn = (): void => {
    this.#isAsking = false;
    this.#read();
  };

  readonly #onAnswer = (answer: Answer<unknown>): void => {
    this.#accept(answer);
    if (this.#mustGiveWay(answer)) whenMyTurn(this.#readOn);
    else this.#readOn();
  };

  /** It reads without end where it has room: timers, its own among them, must get their turn. */
  #mustGiveWay(answer: Answer<unknown>): boolean {
    return spend(Array.isArray(answer) ? answer.length : 1);
  }

  #accept(answer: Answer<unknown>): void {
    if (Array.isArray(answer)) {
      this.context.counts.in += answer.length;
      if (this.#isClosed) this.#lose(answer.length, 'abandoned');
      else this.add(answer);
    } else if (!this.#isClosed) {
      if (answer instanceof Mark) this.mark(answer);
      else this.behind = answer;
    }
    this.hand();
  }

  #take(): Answer<unknown> | undefined {
    const answer = this.next(this.#max);
    if (Array.isArray(answer)) this.context.counts.out += answer.length;
    return answer;
  }

  #lose(items: number, fate: 'abandoned' | 'dropped'): void {
    this.context.counts[fate] += items;
    this.context.inside(-items * this.context.weight);
  }
}
