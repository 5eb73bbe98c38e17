import type { ErrorPolicy, Stage } from '@millrace/core';
import {
  type Answer,
  carryOn,
  type EdgeMark,
  END,
  type Failure,
  Given,
  isLater,
  Later,
  Mark,
  openRejects,
  operator,
  type Pulled,
  type Puller,
  plain,
  type Rejects,
  roomFor,
  type StageContext,
  spend,
  whenAnswered,
  whenMyTurn,
} from '@millrace/core/authoring';
import type { CodecError } from '../codec-error.js';

/** Gathers the bytes of records. */
export interface RecordWriter {
  /**
   * Encodes `records[from]` and as many behind it as it takes for about `enough` bytes.
   *
   * @param index - How many records came before `records[from]`, for errors.
   * @returns Where it stopped: behind the last record it encoded, and the error of the record there, if that is why.
   */
  write(records: readonly unknown[], from: number, index: number, enough: number): Written;
  /** Hands over the bytes, none where nothing was written, and begins anew. */
  take(): Uint8Array<ArrayBuffer>;
}

/** How far a {@link RecordWriter} came. */
export interface Written {
  readonly to: number;
  readonly error?: CodecError;
}

/** What every encoder takes. */
export interface EncodingOptions<T> {
  readonly name: string;
  /** How many records may wait. Default: a burst. */
  readonly mark: EdgeMark | undefined;
  /** What becomes of a record that cannot be encoded; `fallback()` gives another, of any type, which is. */
  readonly onError: ErrorPolicy<T, unknown>;
}

/** How large a chunk gets, about. */
const CHUNK_BYTES = 65_536;
/** How many records are taken at a time, and so the most in one chunk; batches count as their members. */
const BURST = roomFor(256);

/** Makes a stage of a writer of records, one writer for each run. */
export function encoding<T>(options: EncodingOptions<T>, open: () => RecordWriter): Stage<T, Uint8Array<ArrayBuffer>> {
  const { name, mark, onError } = options;
  return operator<T, Uint8Array<ArrayBuffer>>({
    name,
    highWaterMark: mark?.highWaterMark ?? BURST,
    size: mark?.size,
    keepsOrder: true,
    inService: BURST,
    detail: 'burst',
    weight: 'one',
    carries: true,
    open: (upstream, context, { inService }) =>
      new Encoding(upstream, context, inService, open(), openRejects(onError, context)),
  });
}

/** Takes a burst of records, as many as there are at the moment, and makes one chunk of them, or more if they are large. */
class Encoding<T> implements Puller<Uint8Array<ArrayBuffer>> {
  readonly #upstream: Puller<T>;
  readonly #context: StageContext;
  readonly #most: number;
  readonly #writer: RecordWriter;
  readonly #rejects: Rejects<T, Given>;
  #burst: readonly T[] = [];
  /** The same as they came, where they carry their origins. */
  #carried: readonly unknown[] = [];
  #at = 0;
  /** Why the record at `#at` cannot be encoded, once that is known. */
  #error: CodecError | undefined;
  /** Why the record at `#at` is not the one that came, but one given for it. */
  #firstError: CodecError | undefined;
  #isClosed = false;
  #last: Failure | typeof END | undefined;
  readonly #later = new Later<Uint8Array<ArrayBuffer>>();

  constructor(
    upstream: Puller<T>,
    context: StageContext,
    most: number,
    writer: RecordWriter,
    rejects: Rejects<T, Given>,
  ) {
    this.#upstream = upstream;
    this.#context = context;
    this.#most = most;
    this.#writer = writer;
    this.#rejects = rejects;
  }

  pull(): Pulled<Uint8Array<ArrayBuffer>> {
    const answer = this.#work();
    if (answer !== undefined) return answer;
    return this.#later.owe();
  }

  close(reason: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#last ??= END;
    this.#upstream.close(reason);
    this.#rejects.close();
    this.#abandon();
  }

  /** Works until there is something to answer; `undefined` where it waits, and goes on in `#resume`. */
  #work(): Answer<Uint8Array<ArrayBuffer>> | undefined {
    for (;;) {
      if (this.#last !== undefined) return this.#last;
      if (this.#error !== undefined) {
        if (!this.#reject(this.#error)) return undefined;
      } else if (this.#at < this.#burst.length) {
        const chunk = this.#encode();
        if (chunk !== undefined) return [chunk];
      } else {
        const pulled = this.#upstream.pull(this.#most);
        if (isLater(pulled)) {
          whenAnswered(pulled, this.#onAnswer);
          return undefined;
        }
        const passed = this.#accept(pulled);
        if (passed !== undefined) return passed;
      }
    }
  }

  #encode(): Uint8Array<ArrayBuffer> | undefined {
    const { counts, enteredBefore, weight } = this.#context;
    const began = this.#context.began();
    const index = enteredBefore + counts.in - this.#burst.length + this.#at;
    const written = this.#writer.write(this.#burst, this.#at, index, CHUNK_BYTES);
    const records = written.to - this.#at;
    this.#at = written.to;
    this.#error = written.error;
    this.#context.worked(records, began);
    if (records === 0) return undefined;
    this.#firstError = undefined;
    counts.held -= records;
    counts.absorbed += records;
    counts.made++;
    counts.out++;
    this.#context.inside(1 - records * weight);
    // A chunk is made when its last record has come.
    return carryOn(this.#carried[written.to - 1], this.#writer.take()) as Uint8Array<ArrayBuffer>;
  }

  /** Deals with a record that cannot be encoded; whether to go on at once. */
  #reject(error: CodecError): boolean {
    const index = error.recordIndex as number;
    const record = carryOn(this.#carried[this.#at], this.#burst[this.#at]) as T;
    this.#error = undefined;
    if (this.#firstError !== undefined) {
      // What was given for it can't be encoded either.
      this.#context.alsoFailed(this.#firstError);
      this.#dealtWith(this.#context.failure(error, index, 1, record), error);
      return true;
    }
    const taken = this.#rejects.take(error, index, record);
    if (taken instanceof Promise) {
      taken.then((outcome) => {
        if (this.#isClosed) return;
        this.#dealtWith(outcome, error);
        this.#resume();
      });
      return false;
    }
    this.#dealtWith(taken, error);
    if (!spend(1)) return true;
    whenMyTurn(this.#resume);
    return false;
  }

  #dealtWith(outcome: Failure | Given | undefined, error: CodecError): void {
    if (outcome instanceof Given) {
      // The burst is the one that upstream gave: not ours to change.
      const burst = this.#burst.slice();
      burst[this.#at] = plain(outcome.value) as T;
      this.#burst = burst;
      this.#firstError = error;
      return;
    }
    if (outcome !== undefined) {
      this.#last = outcome;
      return this.#abandon();
    }
    this.#at++;
    this.#context.counts.held--;
    this.#context.inside(-this.#context.weight);
  }

  /** Takes an answer of the upstream; gives what goes on as it is. */
  #accept(answer: Answer<T>): Mark | Failure | typeof END | undefined {
    const { counts } = this.#context;
    if (Array.isArray(answer)) {
      this.#burst = this.#context.carries ? (answer.map(plain) as T[]) : answer;
      if (this.#context.carries) this.#carried = answer;
      this.#at = 0;
      counts.in += answer.length;
      counts.held = answer.length;
      if (this.#isClosed) this.#abandon();
      return undefined;
    }
    if (!(answer instanceof Mark)) this.#last = answer;
    return answer;
  }

  readonly #onAnswer = (answer: Answer<T>): void => {
    const passed = this.#accept(answer);
    if (passed === undefined) this.#resume();
    else this.#later.give(passed);
  };

  readonly #resume = (): void => {
    const answer = this.#work();
    if (answer !== undefined) this.#later.give(answer);
  };

  #abandon(): void {
    const { counts, weight } = this.#context;
    counts.abandoned += counts.held;
    this.#context.inside(-counts.held * weight);
    counts.held = 0;
    this.#burst = this.#carried = [];
    this.#at = 0;
    this.#error = this.#firstError = undefined;
  }
}
