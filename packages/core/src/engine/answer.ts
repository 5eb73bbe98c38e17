import type { StageError } from '../errors.js';

/** What a puller answers when it has nothing more to give. */
export const END: unique symbol = Symbol('millrace.end');

/** The type of {@link END}. */
export type End = typeof END;

/** A control signal that travels in order with the items; it ends a burst. */
export class Mark {
  readonly kind: 'barrier' | 'watermark' | 'flush';
  readonly value: unknown;

  constructor(kind: Mark['kind'], value?: unknown) {
    this.kind = kind;
    this.value = value;
  }
}

/** A failure as an answer: it keeps its place behind the items that came before it. */
export class Failure {
  readonly error: StageError;

  constructor(error: StageError) {
    this.error = error;
  }
}

/** What a puller answers: a burst of 1 … n items, a mark, a failure, or the end. */
export type Answer<T> = T[] | Mark | Failure | End;

/** An answer now, or a promise of one. */
export type Pulled<T> = Answer<T> | PromiseLike<Answer<T>>;

/**
 * The one protocol between the nodes of a run: pull with credit.
 *
 * A consumer asks for up to `max` items, its edge's room plus its free service slots, and does not ask again before the
 * answer has come. The producer never throws and never rejects. The burst belongs to the consumer. After a `Failure` or
 * `END` the answer stays the same. `close()` is idempotent, legal during a pull, never throws, and passes upstream.
 */
export interface Puller<T> {
  pull(max: number): Pulled<T>;
  close(reason: unknown): void;
}

/** Whether a value is a promise or anything else with a `then`. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/** Whether an answer is still to come. */
export function isLater<T>(pulled: Pulled<T>): pulled is PromiseLike<Answer<T>> {
  return typeof pulled === 'object' && typeof (pulled as { then?: unknown }).then === 'function';
}
