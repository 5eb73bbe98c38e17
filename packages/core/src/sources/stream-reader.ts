import type { SourceReader } from '../engine/spec.js';

/** What a reader of a stream gives for each read. */
export interface ReadResult<T> {
  readonly done?: boolean;
  readonly value?: T | undefined;
}

/** Something that is read one item at a time: a reader of a stream, or one's own. */
export interface ItemReader<T> {
  /** Gives the next item, or `{ done: true }`; not called again before the answer has come. */
  read(): PromiseLike<ReadResult<T>>;
  /** Lets go of the source before its end. */
  cancel?(reason?: unknown): PromiseLike<unknown>;
  /** Lets others read; called last. */
  releaseLock?(): void;
}

/** Reads for a source from a reader, which it cancels and releases. */
export class StreamReader<T> implements SourceReader<T> {
  readonly #reader: ItemReader<T>;
  #hasEnded = false;

  constructor(reader: ItemReader<T>) {
    this.#reader = reader;
  }

  read(): PromiseLike<readonly T[] | undefined> {
    return this.#reader.read().then(this.#take, this.#fail);
  }

  async close(reason: unknown): Promise<void> {
    try {
      if (!this.#hasEnded) await this.#reader.cancel?.(reason);
    } finally {
      this.#reader.releaseLock?.();
    }
  }

  readonly #take = ({ done, value }: ReadResult<T>): readonly T[] | undefined => {
    this.#hasEnded = done === true;
    return done === true ? undefined : [value as T];
  };

  readonly #fail = (error: unknown): never => {
    this.#hasEnded = true;
    throw error;
  };
}
