import { type Failure, isThenable } from './answer.js';
import { carryOn, type ItemOrigin, originOf, plain, within } from './carried.js';
import type { StageContext } from './context.js';

/** An item that a stage could not process, and why. */
export interface DeadLetter<I = unknown> {
  /** What the stage, or the user's function in it, reported. */
  readonly error: unknown;
  /** The name of the stage in the plan. */
  readonly stage: string;
  /** How many items had entered the stage before this one; a decoder counts records. */
  readonly index: number;
  /** The item as it came in; of a decoder, the bytes of the record. */
  readonly item: I;
  /** How often the stage tried: 1 where it has no `retry`. */
  readonly attempts: number;
  /** Where the item comes from, in a run with `context: true`. */
  readonly origin?: ItemOrigin;
}

/** Where the dead letters of a stage go to; made by `deadLetter()`. */
export interface DeadLetterOffice<I = unknown> {
  /** The stream that gets the dead letters. */
  readonly writable: WritableStream<DeadLetter<I>>;
}

/**
 * What a stage does with an item that it cannot process: `'fail'` fails the run, `'skip'` leaves the item out, counted as
 * dropped, and `deadLetter()` writes it, with its error, to a stream.
 */
export type OnError<I = unknown> = 'fail' | 'skip' | DeadLetterOffice<I>;

/** What the function of `fallback()` is told of the item that it stands in for. */
export interface FailedItem {
  /** The name of the stage in the plan. */
  readonly stage: string;
  /** How many items had entered the stage before this one. */
  readonly index: number;
  /** How often the stage tried: 1 where it has no `retry`. */
  readonly attempts: number;
}

/** What is given in place of what a stage could not make; made by `fallback()`. */
export interface Fallback<I = never, O = unknown> {
  /** Gives what the function of the stage should have given. */
  readonly fallback: (error: unknown, item: I, context: FailedItem) => O;
}

/**
 * What a stage does with an item on which the user's function fails: what {@link OnError} says, or `fallback()`, which
 * gives another value in place of the function's.
 */
export type ErrorPolicy<I = never, O = unknown> = 'fail' | 'skip' | DeadLetterOffice<I> | Fallback<I, O>;

/** What the function of `fallback()` gave; with the origin of the item that it stands for, where that carries one. */
export class Given {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

/**
 * Deals with the items that one stage cannot process in one run.
 *
 * @typeParam I - The items.
 * @typeParam G - {@link Given} where there may be a `fallback()`.
 */
export interface Rejects<I, G = never> {
  /**
   * Takes an item, tells the observer of its error, and counts it as dropped or dead-lettered; what it weighs in the
   * bound is the stage's to say. An item that something is given in place of is not counted: it goes on.
   *
   * @param attempts - How often the stage tried. Default: 1.
   * @returns A failure to answer with, what is given in place of the item, nothing when it is dealt with, or a promise of
   *   these, which never rejects.
   */
  take(
    error: unknown,
    index: number,
    item: I,
    attempts?: number,
  ): Failure | G | undefined | Promise<Failure | G | undefined>;
  /** Lets go of the stream. Idempotent, and legal while a letter is being written: the run then waits for it. */
  close(): void;
}

/** Opens what a stage's option `onError` says for one run. */
export function openRejects<I>(onError: OnError<I>, context: StageContext): Rejects<I>;
/** The same, where there may be a `fallback()`. */
export function openRejects<I>(onError: ErrorPolicy<I, unknown>, context: StageContext): Rejects<I, Given>;
export function openRejects<I>(onError: ErrorPolicy<I, unknown>, context: StageContext): Rejects<I, Given> {
  if (onError === 'fail')
    return { take: (error, index, item, attempts) => context.failure(error, index, attempts, item), close: () => {} };
  if (onError === 'skip') {
    return {
      take: (error, index, item, attempts) => {
        context.rejected(error, index, attempts, item);
        context.counts.dropped++;
        return undefined;
      },
      close: () => {},
    };
  }
  return 'writable' in onError ? new DeadLetters(onError.writable, context) : fallingBack(onError.fallback, context);
}

function fallingBack<I>(instead: Fallback<I, unknown>['fallback'], context: StageContext): Rejects<I, Given> {
  return {
    take(error, index, item, attempts = 1) {
      const given = (value: unknown): Given => new Given(carryOn(item, value));
      const failed = (problem: unknown): Failure => {
        context.alsoFailed(error);
        return context.failure(problem, index, attempts, item);
      };
      context.rejected(error, index, attempts, item);
      try {
        const told = { stage: context.name, index, attempts };
        const value = within(item, () => instead(error, plain(item) as I, told));
        return isThenable(value) ? Promise.resolve(value).then(given, failed) : given(value);
      } catch (problem) {
        return failed(problem);
      }
    },
    close: () => {},
  };
}

/** A writer that all stages with the same stream share. */
interface SharedWriter {
  readonly writer: WritableStreamDefaultWriter<unknown>;
  users: number;
}

const writers = new WeakMap<WritableStream<never>, SharedWriter>();

class DeadLetters<I> implements Rejects<I> {
  readonly #writable: WritableStream<DeadLetter<I>>;
  readonly #context: StageContext;
  /** Taken with the first letter, so that a run without any leaves the stream alone. */
  #shared: SharedWriter | undefined;
  #pending: Promise<unknown> | undefined;
  #isClosed = false;

  constructor(writable: WritableStream<DeadLetter<I>>, context: StageContext) {
    this.#writable = writable;
    this.#context = context;
  }

  take(error: unknown, index: number, item: I, attempts: number = 1): Failure | Promise<Failure | undefined> {
    // A function that ends the run and then fails: nobody waits for its letter.
    if (this.#isClosed) return this.#context.failure(error, index, attempts, item);
    const { name: stage, counts } = this.#context;
    const failed = (problem: unknown): Failure => {
      this.#context.alsoFailed(error);
      return this.#context.failure(problem, index, attempts, item);
    };
    this.#context.rejected(error, index, attempts, item);
    let written: Promise<void>;
    try {
      const origin = originOf(item);
      const letter = { error, stage, index, item: plain(item) as I, attempts };
      written = this.#open().write(origin === undefined ? letter : { ...letter, origin });
    } catch (problem) {
      return failed(problem);
    }
    this.#pending = written;
    return written.then(
      () => {
        if (this.#pending === written) this.#pending = undefined;
        if (!this.#isClosed) counts.deadLettered++;
        return undefined;
      },
      (problem: unknown) => {
        if (this.#pending === written) this.#pending = undefined;
        return this.#isClosed ? undefined : failed(problem);
      },
    );
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#pending === undefined) return this.#release();
    this.#context.closing(this.#pending.finally(() => this.#release()));
  }

  #open(): WritableStreamDefaultWriter<unknown> {
    this.#shared ??= shareWriter(this.#writable);
    return this.#shared.writer;
  }

  #release(): void {
    const shared = this.#shared;
    this.#shared = undefined;
    if (shared === undefined || --shared.users > 0) return;
    writers.delete(this.#writable as WritableStream<never>);
    shared.writer.releaseLock();
  }
}

function shareWriter(writable: WritableStream<never>): SharedWriter {
  let shared = writers.get(writable);
  if (shared === undefined) {
    const writer: WritableStreamDefaultWriter<unknown> = (writable as WritableStream<unknown>).getWriter();
    // A stream that errors shows as a failed write.
    writer.closed.catch(() => {});
    writer.ready.catch(() => {});
    shared = { writer, users: 0 };
    writers.set(writable, shared);
  }
  shared.users++;
  return shared;
}
