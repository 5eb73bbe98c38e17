import type { SinkContext } from '@millrace/core';

type Clock = SinkContext['clock'];
type Timer = ReturnType<Clock['setTimer']>;

/**
 * A sequence of steps on one connection that can fail from outside while a step is awaited: because the server reports
 * something, the connection is lost, or nothing is heard for too long.
 *
 * postgres.js leaves several of its promises open for ever in these cases, so none is awaited without this.
 */
export class Attempt {
  readonly #clock: Clock;
  readonly #silenceMs: number;
  readonly #silent: () => unknown;
  #failure: { readonly error: unknown } | undefined;
  #isAbandoned = false;
  #reject: ((error: unknown) => void) | undefined;
  #timer: Timer | undefined;

  /** @param silent - Makes the error for a step that takes longer than `silenceMs`. */
  constructor(clock: Clock, silenceMs: number, silent: () => unknown) {
    this.#clock = clock;
    this.#silenceMs = silenceMs;
    this.#silent = silent;
  }

  /** Awaits a step, unless the attempt fails before it is done. */
  step<T>(work: PromiseLike<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const settle = (then: () => void): void => {
        if (this.#reject !== reject) return;
        this.#settled();
        then();
      };
      if (this.#isAbandoned) return;
      this.#reject = reject;
      this.#timer = this.#clock.setTimer(() => this.fail(this.#silent()), this.#silenceMs);
      work.then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => settle(() => reject(this.#failure === undefined ? error : this.#failure.error)),
      );
      if (this.#failure !== undefined) settle(() => reject(this.#failure?.error));
    });
  }

  /** Fails the step that is awaited, or the next one; the first failure stays. */
  fail(error: unknown): void {
    if (this.#isAbandoned) return;
    this.#failure ??= { error };
    const reject = this.#reject;
    if (reject === undefined) return;
    this.#settled();
    reject(this.#failure.error);
  }

  /** Leaves the step as it is: nobody waits for it any more. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#settled();
  }

  #settled(): void {
    this.#reject = undefined;
    this.#timer?.clear();
    this.#timer = undefined;
  }
}
