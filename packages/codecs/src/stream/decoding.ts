import type { ErrorPolicy, Stage } from '@millrace/core';
import {
  type Answer,
  carryOn,
  type EdgeMark,
  END,
  Failure,
  Given,
  isLater,
  Later,
  Mark,
  type OperatorPuller,
  openRejects,
  operator,
  type Pulled,
  type Puller,
  plain,
  type Rejects,
  type StageContext,
  spend,
  whenAnswered,
  whenMyTurn,
  within,
} from '@millrace/core/authoring';
import { CodecError } from '../codec-error.js';
import type { RecordReader, Rejected, SavedReader } from './record-reader.js';

/** What becomes of a record that cannot be decoded; `fallback()` gives another. */
export type DecodingPolicy<T> = ErrorPolicy<Uint8Array, T | PromiseLike<T>>;

/** What every decoder takes. */
export interface DecodingOptions<T> {
  readonly name: string;
  /** How many chunks may wait. Default: 1. */
  readonly mark: EdgeMark | undefined;
  readonly onError: DecodingPolicy<T>;
}

/** Makes a stage of a reader of records, one reader for each run. */
export function decoding<T>(options: DecodingOptions<T>, open: () => RecordReader<T>): Stage<Uint8Array, T> {
  const { name, mark, onError } = options;
  return operator<Uint8Array, T>({
    name,
    highWaterMark: mark?.highWaterMark ?? 1,
    size: mark?.size,
    keepsOrder: true,
    inService: 1,
    detail: 'cursor',
    weight: 'one',
    carries: true,
    open: (upstream, context) => new Decoding(upstream, context, open(), openRejects(onError, context)),
  });
}

/**
 * Takes one chunk at a time and hands on the records in it as they are asked for.
 *
 * The chunk is inside until its last whole record has been handed on. A record that cannot be decoded counts as made, and
 * as dropped or dead-lettered, when it has been dealt with; one that another is given for is handed on as that.
 */
class Decoding<T> implements OperatorPuller<T> {
  readonly #upstream: Puller<Uint8Array>;
  readonly #context: StageContext;
  readonly #reader: RecordReader<T>;
  readonly #rejects: Rejects<Uint8Array, Given>;
  #rejected: Rejected | undefined;
  /** What was given for a record, and goes on next. */
  #given: Given | undefined;
  /** The chunk as it came, where it carries its origin: what is decoded then is so because of it. */
  #chunk: unknown;
  #isEnding = false;
  #isClosed = false;
  #last: Failure | typeof END | undefined;
  #max = 0;
  readonly #later = new Later<T>();

  constructor(
    upstream: Puller<Uint8Array>,
    context: StageContext,
    reader: RecordReader<T>,
    rejects: Rejects<Uint8Array, Given>,
  ) {
    this.#upstream = upstream;
    this.#context = context;
    this.#reader = reader;
    this.#rejects = rejects;
  }

  pull(max: number): Pulled<T> {
    this.#max = Math.min(max, MOST_AT_ONCE);
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
    this.#abandonChunk();
  }

  save(): SavedReader {
    return this.#reader.save();
  }

  restore(saved: unknown): void {
    this.#reader.restore(saved as SavedReader);
  }

  /** Works until there is something to answer; `undefined` where it waits, and goes on in `#resume`. */
  #work(): Answer<T> | undefined {
    for (;;) {
      if (this.#last !== undefined) return this.#last;
      if (this.#given !== undefined) return this.#standIn(this.#given);
      const records = this.#rejected === undefined ? this.#read() : NONE;
      if (records.length > 0) return this.#handOn(records as T[]);
      if (this.#rejected !== undefined) {
        if (this.#reject(this.#rejected)) continue;
        return undefined;
      }
      this.#finishChunk();
      if (this.#isEnding) return this.#fail(END);
      // Chunks without a single record must not keep the thread either.
      if (spend(1)) {
        whenMyTurn(this.#resume);
        return undefined;
      }
      const pulled = this.#upstream.pull(1);
      if (isLater(pulled)) {
        whenAnswered(pulled, this.#onAnswer);
        return undefined;
      }
      const passed = this.#accept(pulled);
      if (passed !== undefined) return passed;
    }
  }

  #read(): T[] {
    const records: T[] = [];
    const began = this.#context.began();
    this.#rejected = within(this.#chunk, () => this.#reader.read(records, this.#max));
    this.#context.worked(records.length, began);
    return records;
  }

  #handOn(records: T[]): T[] {
    this.#made(records.length);
    return this.#context.carries ? records.map((record) => this.#carried(record)) : records;
  }

  #standIn({ value }: Given): T[] {
    this.#given = undefined;
    this.#made(1);
    return [value as T];
  }

  #made(records: number): void {
    const { counts } = this.#context;
    counts.made += records;
    counts.out += records;
    this.#context.inside(records);
  }

  /** Deals with a record that could not be decoded; whether to go on at once. */
  #reject({ error, item, isFatal }: Rejected): boolean {
    const { counts } = this.#context;
    this.#rejected = undefined;
    if (isFatal) {
      this.#fail(this.#context.failure(error, this.#context.enteredBefore + Math.max(0, counts.in - 1)));
      return true;
    }
    const index = error.recordIndex as number;
    const taken = this.#rejects.take(error, index, this.#carried(item()));
    if (taken instanceof Promise) {
      taken.then((outcome) => {
        if (this.#isClosed) return;
        this.#dealtWith(outcome);
        this.#resume();
      });
      return false;
    }
    this.#dealtWith(taken);
    if (!spend(1)) return true;
    whenMyTurn(this.#resume);
    return false;
  }

  #dealtWith(outcome: Failure | Given | undefined): void {
    if (outcome === undefined) this.#context.counts.made++;
    else if (outcome instanceof Given) this.#given = outcome;
    else this.#fail(outcome);
  }

  /** What was decoded, with the origin of the chunk that it ends in; of an earlier run, with that of this one. */
  #carried<R>(record: R): R {
    return this.#chunk === undefined ? this.#context.carry(record, {}) : (carryOn(this.#chunk, record) as R);
  }

  #fail(last: Failure | typeof END): Failure | typeof END {
    this.#last = last;
    if (last !== END) this.#abandonChunk();
    return last;
  }

  /** Takes an answer of the upstream; gives what goes on as it is. */
  #accept(answer: Answer<Uint8Array>): Answer<T> | undefined {
    const { counts } = this.#context;
    if (Array.isArray(answer)) {
      counts.in++;
      counts.held = 1;
      if (this.#isClosed) this.#abandonChunk();
      else {
        if (this.#context.carries) this.#chunk = answer[0];
        this.#push(plain(answer[0]));
      }
      return undefined;
    }
    if (answer instanceof Mark) return answer;
    if (answer instanceof Failure) return this.#fail(answer);
    this.#isEnding = true;
    this.#reader.end();
    return undefined;
  }

  #push(chunk: unknown): void {
    if (chunk instanceof Uint8Array) {
      // A Buffer's `slice` does not copy, and what it decodes to are Buffers.
      const isPlain = chunk.constructor === Uint8Array;
      return this.#reader.push(isPlain ? chunk : new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    }
    const what = chunk === null ? 'null' : `of type "${typeof chunk}"`;
    const error = new CodecError(
      'ERR_CODECS_BYTES',
      `Cannot decode a chunk: it is ${what} (must be a Uint8Array; encode text first)`,
    );
    this.#fail(this.#context.failure(error, this.#context.enteredBefore + this.#context.counts.in - 1));
  }

  readonly #onAnswer = (answer: Answer<Uint8Array>): void => {
    const passed = this.#accept(answer);
    if (passed === undefined) this.#resume();
    else this.#later.give(passed);
  };

  readonly #resume = (): void => {
    const answer = this.#work();
    if (answer !== undefined) this.#later.give(answer);
  };

  #finishChunk(): void {
    const { counts } = this.#context;
    if (counts.held === 0) return;
    counts.held = 0;
    counts.absorbed++;
    this.#context.inside(-this.#context.weight);
  }

  #abandonChunk(): void {
    const { counts } = this.#context;
    if (counts.held === 0) return;
    counts.held = 0;
    counts.abandoned++;
    this.#context.inside(-this.#context.weight);
  }
}

/** Records in one burst at most, however many are asked for. */
const MOST_AT_ONCE = 1024;
const NONE: readonly never[] = [];
