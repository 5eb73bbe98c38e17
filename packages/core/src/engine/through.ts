import { PipelineError } from '../errors.js';
import { type Answer, END, Failure, isLater, type Pulled, type Puller } from './answer.js';
import type { StageContext } from './context.js';

/** A transform that is not of Millrace's own: anything with a readable and a writable end. */
export interface ForeignPair {
  readonly readable: ReadableStream<unknown>;
  readonly writable: WritableStream<unknown>;
}

/**
 * Pipes items through a foreign transform, as `ReadableStream.pipeThrough` does: writes while it has room, discards what
 * is inside it on an error. What is inside can't be counted: items that go in end there, items that come out are made.
 */
export class Through implements Puller<unknown> {
  readonly #upstream: Puller<unknown>;
  readonly #context: StageContext;
  readonly #writer: WritableStreamDefaultWriter<unknown>;
  readonly #reader: ReadableStreamDefaultReader<unknown>;
  #isWriting = false;
  #isClosed = false;
  #last: Failure | typeof END | undefined;

  constructor(pair: ForeignPair, upstream: Puller<unknown>, context: StageContext) {
    this.#upstream = upstream;
    this.#context = context;
    refuseLocked(pair, context.name);
    this.#writer = pair.writable.getWriter();
    this.#reader = pair.readable.getReader();
    // What goes wrong with the writable end shows at the readable end, or as a failed write.
    this.#writer.closed.catch(() => {});
    this.#reader.closed.catch(() => {});
  }

  pull(): Pulled<unknown> {
    if (this.#last !== undefined) return this.#last;
    if (!this.#isWriting) {
      this.#isWriting = true;
      this.#write().catch((error: unknown) => this.#fail(error));
    }
    return this.#reader.read().then(
      ({ done, value }) => {
        if (this.#last !== undefined) return this.#last;
        if (done === true) {
          this.#last = END;
          return END;
        }
        this.#context.counts.made++;
        this.#context.counts.out++;
        // What comes out stands for itself, whatever what went in weighed.
        this.#context.inside(1);
        return [value];
      },
      (error: unknown) => {
        this.#fail(error);
        return this.#last as Failure;
      },
    );
  }

  close(reason: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#upstream.close(reason);
    const isEnded = this.#last === END;
    this.#last ??= END;
    if (!isEnded) {
      this.#context.closing(this.#writer.abort(reason).catch(ignore));
      this.#context.closing(this.#reader.cancel(reason).catch(ignore));
    }
  }

  async #write(): Promise<void> {
    for (;;) {
      await this.#writer.ready;
      if (this.#isClosed) return;
      // One at a time: what is taken is inside until it is written, however much the stream has room for.
      const pulled = this.#upstream.pull(1);
      const answer: Answer<unknown> = isLater(pulled) ? await pulled : pulled;
      if (Array.isArray(answer)) this.#writeAll(answer);
      else if (answer === END) return this.#isClosed ? undefined : this.#writer.close();
      else if (answer instanceof Failure) {
        this.#last = answer;
        await this.#writer.abort(answer.error.cause);
        return;
      }
    }
  }

  #writeAll(items: readonly unknown[]): void {
    const { counts, weight } = this.#context;
    counts.in += items.length;
    counts[this.#isClosed ? 'abandoned' : 'absorbed'] += items.length;
    this.#context.inside(-items.length * weight);
    if (this.#isClosed) return;
    for (const item of items) this.#writer.write(item).catch(ignore);
  }

  #fail(error: unknown): void {
    if (this.#last !== undefined || this.#isClosed) return;
    this.#last = this.#context.failure(error, this.#context.counts.out);
  }
}

function refuseLocked({ readable, writable }: ForeignPair, name: string): void {
  const locked = writable.locked ? 'writable' : readable.locked ? 'readable' : undefined;
  if (locked === undefined) return;
  throw new PipelineError(
    'ERR_CORE_SOURCE_USED',
    `Cannot pipe through "${name}": its ${locked} is locked (must be a pair that nobody uses; a pair serves one run)`,
  );
}

/** A write that fails errors the stream, and that is what is reported. */
function ignore(): void {}
