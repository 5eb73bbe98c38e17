import { type Answer, isLater, type Pulled, type Puller } from './answer.js';
import { Later, whenAnswered } from './later.js';

/** Changes each item on its way; all else is as the upstream has it. */
export class Translated implements Puller<unknown> {
  readonly #upstream: Puller<unknown>;
  readonly #change: (item: unknown) => unknown;
  readonly #later = new Later<unknown>();

  constructor(upstream: Puller<unknown>, change: (item: unknown) => unknown) {
    this.#upstream = upstream;
    this.#change = change;
  }

  pull(max: number): Pulled<unknown> {
    const pulled = this.#upstream.pull(max);
    if (!isLater(pulled)) return this.#translate(pulled);
    this.#later.owe();
    whenAnswered(pulled, this.#onAnswer);
    return this.#later.now();
  }

  close(reason: unknown): void {
    this.#upstream.close(reason);
  }

  readonly #onAnswer = (answer: Answer<unknown>): void => this.#later.give(this.#translate(answer));

  #translate(answer: Answer<unknown>): Answer<unknown> {
    return Array.isArray(answer) ? answer.map((item) => this.#change(item)) : answer;
  }
}
