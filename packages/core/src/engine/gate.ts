import { type Answer, END, isThenable, type Pulled, type Puller } from './answer.js';
import type { Drainable, RunContext, StageContext } from './context.js';
import { Later } from './later.js';
import type { SourceReader } from './spec.js';

/** Stands between a source's reader and the run: counts, turns errors into failures, ends the source when told. */
export class Gate<T> implements Puller<T>, Drainable {
  readonly #run: RunContext;
  readonly #context: StageContext;
  readonly #reader: SourceReader<T>;
  #last: Answer<T> | undefined;
  readonly #later = new Later<T>();
  #isClosed = false;

  constructor(run: RunContext, context: StageContext, open: (context: StageContext) => SourceReader<T>) {
    this.#run = run;
    this.#context = context;
    run.sources.push(this);
    this.#reader = this.#opened(open);
  }

  pull(max: number): Pulled<T> {
    if (this.#last !== undefined) return this.#last;
    if (this.#run.isDraining) return this.#end();
    try {
      const read = this.#reader.read(max);
      if (!isThenable(read)) return this.#took(read as readonly T[] | undefined);
      this.#later.owe();
      (read as PromiseLike<readonly T[] | undefined>).then(this.#onRead, this.#onError);
      return this.#later.now();
    } catch (error) {
      return this.#failed(error);
    }
  }

  close(reason: unknown): void {
    this.#last ??= END;
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      const closing = this.#reader.close(reason);
      if (isThenable(closing)) this.#context.closing(closing);
    } catch (error) {
      this.#context.closeFailed(error);
    }
  }

  drain(): void {
    if (this.#later.isOwed && !this.#isClosed) this.#reader.drain?.();
  }

  cut(): void {
    this.#later.give(this.#end());
  }

  readonly #onRead = (items: readonly T[] | undefined): void => {
    if (this.#later.isOwed && !this.#isClosed) return this.#later.give(this.#took(items));
    // What arrives after the source was closed was never handed on, so it is not inside and not counted.
    if (items !== undefined) this.#reader.giveBack?.(items);
    if (this.#later.isOwed) this.#later.give(END);
  };

  readonly #onError = (error: unknown): void => {
    if (this.#later.isOwed && !this.#isClosed) this.#later.give(this.#failed(error));
  };

  #took(items: readonly T[] | undefined): Answer<T> {
    if (items === undefined) return this.#end();
    this.#context.counts.made += items.length;
    this.#context.counts.out += items.length;
    this.#context.inside(items.length);
    return items as T[];
  }

  #end(): Answer<T> {
    this.close(undefined);
    return END;
  }

  #failed(error: unknown): Answer<T> {
    this.#last = this.#context.failure(error, this.#context.counts.out);
    return this.#last;
  }

  #opened(open: (context: StageContext) => SourceReader<T>): SourceReader<T> {
    try {
      return open(this.#context);
    } catch (error) {
      this.#failed(error);
      return { read: () => undefined, close: () => {} };
    }
  }
}
