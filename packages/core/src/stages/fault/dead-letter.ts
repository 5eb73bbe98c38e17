import type { Failure } from '../../engine/answer.js';
import type { StageContext } from '../../engine/context.js';
import { outOfRange, wrongType } from '../../internal/arguments.js';

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
}

/** Where the dead letters of a stage go to; made by {@link deadLetter}. */
export interface DeadLetterOffice<I = unknown> {
  /** The stream that gets the dead letters. */
  readonly writable: WritableStream<DeadLetter<I>>;
}

/**
 * What a stage does with an item that it cannot process: `'fail'` fails the run, `'skip'` leaves the item out, counted as
 * dropped, and {@link deadLetter} writes it, with its error, to a stream.
 */
export type OnError<I = unknown> = 'fail' | 'skip' | DeadLetterOffice<I>;

/**
 * Sends what a stage cannot process to a writable stream instead of failing the run.
 *
 * The stage waits until the stream has taken the letter, so a slow stream slows the run down and nothing piles up. One
 * stream may serve any number of stages and runs at once. The stream stays open: close it when the runs are over. If a
 * write fails, so does the stage.
 *
 * @typeParam I - The items that the letters carry.
 * @param writable - Gets `{ error, stage, index, item }`; nobody else may have a writer on it meanwhile.
 * @returns A value for the option `onError`.
 * @throws TypeError `ERR_CORE_ARGUMENT` when `writable` is not a `WritableStream`.
 *
 * @example Keep what was refused
 * ```ts
 * const letters: DeadLetter[] = [];
 * const office = deadLetter(new WritableStream({ write: (letter) => void letters.push(letter) }));
 * assert.ok(office.writable instanceof WritableStream);
 * ```
 */
export function deadLetter<I>(writable: WritableStream<DeadLetter<I>>): DeadLetterOffice<I> {
  if (!(writable instanceof WritableStream)) throw wrongType('deadLetter()', 'writable', writable, 'a WritableStream');
  return { writable };
}

/** Refuses what cannot be the option `onError`. */
export function checkOnError(where: string, value: unknown): void {
  if (value === 'fail' || value === 'skip') return;
  if (typeof value === 'string') throw outOfRange(where, 'onError', value, '"fail", "skip" or deadLetter(writable)');
  if ((value as Partial<DeadLetterOffice> | null)?.writable instanceof WritableStream) return;
  throw wrongType(where, 'onError', value, '"fail", "skip" or deadLetter(writable)');
}

/** Deals with the items that one stage cannot process in one run. */
export interface Rejects<I> {
  /**
   * Takes an item, tells the observer of its error, and counts it as dropped or dead-lettered; what it weighs in the
   * bound is the stage's to say.
   *
   * @returns A failure to answer with, nothing when the item is dealt with, or a promise of either, which never rejects.
   */
  take(error: unknown, index: number, item: I): Failure | undefined | Promise<Failure | undefined>;
  /** Lets go of the stream. Idempotent, and legal while a letter is being written: the run then waits for it. */
  close(): void;
}

/** Opens what a stage's option `onError` says for one run. */
export function openRejects<I>(onError: OnError<I>, context: StageContext): Rejects<I> {
  if (onError === 'fail') return { take: (error, index) => context.failure(error, index), close: () => {} };
  if (onError === 'skip') {
    return {
      take: (error, index) => {
        context.rejected(error, index);
        context.counts.dropped++;
        return undefined;
      },
      close: () => {},
    };
  }
  return new DeadLetters(onError.writable, context);
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

  take(error: unknown, index: number, item: I): Failure | Promise<Failure | undefined> {
    const { name: stage, counts } = this.#context;
    const failed = (problem: unknown): Failure => {
      this.#context.alsoFailed(error);
      return this.#context.failure(problem, index);
    };
    this.#context.rejected(error, index);
    let written: Promise<void>;
    try {
      const letter: DeadLetter<I> = { error, stage, index, item };
      written = this.#open().write(letter);
    } catch (problem) {
      return failed(problem);
    }
    this.#pending = written;
    return written.then(
      () => {
        this.#pending = undefined;
        if (!this.#isClosed) counts.deadLettered++;
        return undefined;
      },
      (problem: unknown) => {
        this.#pending = undefined;
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
