import { soon } from '../internal/soon.js';
import type { Answer } from './answer.js';

/**
 * The answer that a puller owes, and gives when it has one: one object for all pulls of a puller, since a consumer has
 * no more than one at a time.
 *
 * PERF: unlike a promise it calls back at once, in the turn in which the answer is there: a promise for each burst of one
 * item costs 60 ns and a turn of the microtask queue at every stage (core/async-source-64).
 *
 * @typeParam T - The items.
 */
export class Later<T> implements PromiseLike<Answer<T>> {
  /** Whether a consumer waits. */
  isOwed: boolean = false;
  #answer: Answer<T> | undefined;
  #onAnswer: ((answer: Answer<T>) => void) | undefined;

  /** Owes an answer from now on. */
  owe(): this {
    this.isOwed = true;
    this.#answer = undefined;
    return this;
  }

  /** The answer where it has been given meanwhile, else what it will come by. */
  now(): Answer<T> | this {
    const answer = this.#answer;
    this.#answer = undefined;
    return answer ?? this;
  }

  /** Gives the answer that is owed; does nothing where none is. The consumer may pull again from inside. */
  give(answer: Answer<T>): void {
    if (!this.isOwed) return;
    this.isOwed = false;
    const onAnswer = this.#onAnswer;
    this.#onAnswer = undefined;
    if (onAnswer === undefined) this.#answer = answer;
    else onAnswer(answer);
  }

  /** Calls `onAnswer` in the turn in which the answer is given; never from inside this call. */
  tell(onAnswer: (answer: Answer<T>) => unknown): void {
    const answer = this.#answer;
    if (answer === undefined) this.#onAnswer = onAnswer;
    else {
      this.#answer = undefined;
      soon(() => onAnswer(answer));
    }
  }

  /** As a promise of the answer has it. */
  // biome-ignore lint/suspicious/noThenProperty: it stands where a promise of an answer may stand.
  then<A = Answer<T>, B = never>(
    onAnswer?: ((answer: Answer<T>) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return new Promise<Answer<T>>((resolve) => this.tell(resolve)).then(onAnswer, onError);
  }
}

/** Calls `onAnswer` when an answer that is still to come is there, perhaps in the middle of the producer's work. */
export function whenAnswered<T>(pulled: PromiseLike<Answer<T>>, onAnswer: (answer: Answer<T>) => unknown): void {
  if (pulled instanceof Later) pulled.tell(onAnswer);
  else pulled.then(onAnswer);
}
