import type { Checkpoint } from '../checkpointer.js';
import { type Answer, END, isLater, isThenable, Mark, type Pulled, type Puller } from './answer.js';
import { Carried, type Origin } from './carried.js';
import type { Drainable, RunContext, StageContext } from './context.js';
import type { BarrierSource, Resumable } from './coordinator.js';
import { Later } from './later.js';
import type { LoadedSource } from './load.js';
import type { Snapshot } from './snapshot.js';
import type { SourceReader } from './spec.js';

/**
 * Stands between a source's reader and the run: counts, turns errors into failures, ends the source when told, and lets
 * barriers begin here, also while a read is pending: what that brings waits for the next pull then.
 */
export class Gate<T> implements Puller<T>, Drainable, BarrierSource, Resumable, LoadedSource {
  readonly #run: RunContext;
  readonly #context: StageContext;
  /** The number of its stage in the plan. */
  readonly #stage: number;
  readonly #reader: SourceReader<T>;
  #last: Answer<T> | undefined;
  readonly #later = new Later<T>();
  #isClosed = false;
  #max = 0;
  /** Whether a read is pending. */
  #isReading = false;
  /** What a read brought while nobody waited, since a mark was the answer. */
  #arrived: (() => Answer<T>) | undefined;
  #due: Mark | undefined;
  /** Behind what was handed on; undefined where no checkpoints are taken. */
  #position: unknown;

  constructor(run: RunContext, context: StageContext, stage: number, open: (context: StageContext) => SourceReader<T>) {
    this.#run = run;
    this.#context = context;
    this.#stage = stage;
    run.load?.open(stage, this);
    run.sources.push(this);
    run.checkpoints?.source(this);
    run.checkpoints?.node(this);
    this.#reader = this.#opened(open);
    if (run.checkpoints !== undefined) this.#position = this.#reader.position?.();
  }

  get name(): string {
    return this.#context.name;
  }

  get names(): readonly string[] {
    return [this.name];
  }

  get obstacle(): string | undefined {
    const { position, resume, acknowledge } = this.#reader;
    const isFine = position !== undefined && (resume !== undefined || acknowledge !== undefined);
    return isFine || this.#last !== undefined ? undefined : 'has no position';
  }

  pull(max: number): Pulled<T> {
    if (this.#last !== undefined) return this.#last;
    if (this.#run.isDraining && this.#arrived === undefined) return this.#end();
    this.#max = max;
    const arrived = this.#arrived;
    this.#arrived = undefined;
    if (arrived !== undefined) return arrived();
    if (this.#due !== undefined) return this.#pass(this.#due);
    if (this.#isReading || this.#run.checkpoints?.isHeld) return this.#later.owe();
    const { load } = this.#run;
    if (load === undefined) return this.#read(max);
    // What an item weighs is known when it is there: one at a time.
    if (load.mayRead(this.#stage)) return this.#read(1);
    load.hold(this.#stage);
    return this.#later.owe();
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
    if (this.#isClosed) return;
    if (this.#isReading) this.#reader.drain?.();
    else if (this.#later.isOwed) this.cut();
  }

  flush(): void {
    if (this.#later.isOwed && !this.#isClosed) this.#later.give(new Mark('flush'));
  }

  cut(): void {
    this.#later.give(this.#end());
  }

  inject(mark: Mark): void {
    if (this.#last === undefined) this.#due = mark;
  }

  poke(): void {
    if (this.#due !== undefined && this.#later.isOwed && !this.#isClosed) this.#later.give(this.#pass(this.#due));
  }

  release(): void {
    if (!this.#later.isOwed || this.#isReading || this.#isClosed) return;
    const pulled = this.pull(this.#max);
    if (!isLater(pulled)) this.#later.give(pulled);
  }

  save(snapshot: Snapshot): void {
    snapshot.position(this.name, this.#position);
  }

  acknowledge(position: unknown): void | PromiseLike<unknown> {
    return this.#reader.acknowledge?.(position);
  }

  async restore({ positions }: Checkpoint): Promise<void> {
    if (!(this.name in positions)) return;
    this.#position = positions[this.name];
    await this.#reader.resume?.(this.#position);
  }

  #read(max: number): Pulled<T> {
    try {
      const read = this.#reader.read(Math.min(max, this.#run.checkpoints?.left ?? max));
      if (!isThenable(read)) return this.#took(read as readonly T[] | undefined);
      this.#isReading = true;
      this.#later.owe();
      (read as PromiseLike<readonly T[] | undefined>).then(this.#onRead, this.#onError);
      return this.#later.now();
    } catch (error) {
      return this.#failed(error);
    }
  }

  /** Answers with a mark: the position is that of what was handed on, whatever a pending read has taken. */
  #pass(mark: Mark): Mark {
    this.#due = undefined;
    this.#run.checkpoints?.passes(mark, this);
    return mark;
  }

  readonly #onRead = (items: readonly T[] | undefined): void => {
    this.#isReading = false;
    if (!this.#isClosed) {
      if (this.#later.isOwed) this.#later.give(this.#took(items));
      else this.#arrived = () => this.#took(items);
      return;
    }
    // What arrives after the source was closed was never handed on, so it is not inside and not counted.
    if (items !== undefined) this.#reader.giveBack?.(items);
    if (this.#later.isOwed) this.#later.give(END);
  };

  readonly #onError = (error: unknown): void => {
    this.#isReading = false;
    if (this.#isClosed) return;
    if (this.#later.isOwed) this.#later.give(this.#failed(error));
    else this.#arrived = () => this.#failed(error);
  };

  #took(items: readonly T[] | undefined): Answer<T> {
    if (items === undefined) return this.#end();
    // Only what was asked for by one pull and handed on at another can be too much.
    const isMore = items.length > this.#max && this.#run.checkpoints !== undefined;
    const handed = isMore ? items.slice(0, this.#max) : items;
    if (isMore) this.#arrived = () => this.#took(items.slice(this.#max));
    const { load } = this.#run;
    if (load !== undefined) {
      try {
        for (const [at, item] of handed.entries()) load.enter(this.#stage, item, this.#context.counts.out + at);
      } catch (error) {
        return this.#failed(error);
      }
    }
    this.#context.counts.made += handed.length;
    this.#context.counts.out += handed.length;
    this.#context.inside(handed.length);
    if (this.#run.checkpoints !== undefined) this.#counted(handed.length, isMore);
    return (this.#run.origin === undefined ? handed : this.#carried(handed, this.#run.origin)) as T[];
  }

  /** What the reader gave without an origin has that of the run. */
  #carried(items: readonly T[], origin: Origin): unknown[] {
    return items.map((item) => (item instanceof Carried ? item : new Carried(item, origin)));
  }

  #counted(items: number, isMore: boolean): void {
    if (!isMore) this.#position = this.#reader.position?.();
    this.#run.checkpoints?.counted(items);
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
