import type { Checkpoint } from '../checkpointer.js';
import { type Answer, END, isLater, isThenable, Mark, type Pulled, type Puller } from './answer.js';
import { Carried, type Origin } from './carried.js';
import type { Drainable, RunContext, StageContext } from './context.js';
import type { BarrierSource, Resumable } from './coordinator.js';
import type { StageCounts } from './counts.js';
import { Later } from './later.js';
import type { LoadedSource } from './load.js';
import type { Snapshot } from './snapshot.js';
import { type Hears, LATER, type SourceReader, type TellingReader } from './spec.js';

/**
 * Stands between a source's reader and the run: counts, turns errors into failures, ends the source when told, and lets
 * barriers begin here, also while a read is pending: what that brings waits for the next pull then.
 */
export class Gate<T> implements Puller<T>, Drainable, BarrierSource, Resumable, LoadedSource {
  readonly #run: RunContext;
  readonly #context: StageContext;
  readonly #counts: StageCounts;
  /** The number of its stage in the plan. */
  readonly #stage: number;
  readonly #reader: TellingReader<T>;
  /** Whether nothing is done with items but count them. */
  readonly #isPlain: boolean;
  #last: Answer<T> | undefined;
  readonly #later = new Later<T>();
  readonly #hears: Hears<T> = {
    onItems: (items) => {
      this.#isReading = false;
      if (this.#isClosed) this.#giveBack(items);
      else if (this.#later.isOwed) this.#later.give(this.#took(items));
      else this.#keep(items);
    },
    onError: (error) => {
      this.#isReading = false;
      if (this.#isClosed) return;
      if (this.#later.isOwed) this.#later.give(this.#failed(error));
      else this.#arrived = () => this.#failed(error);
    },
  };
  #isClosed = false;
  #max = 0;
  /** Whether a read is pending. */
  #isReading = false;
  /** What a read brought while nobody waited, since a mark was the answer. */
  #arrived: (() => Answer<T>) | undefined;
  #due: Mark | undefined;
  /** Behind what was handed on; undefined where no checkpoints are taken. */
  #position: unknown;

  constructor(
    run: RunContext,
    context: StageContext,
    stage: number,
    open: (context: StageContext) => SourceReader<T> | TellingReader<T>,
  ) {
    this.#run = run;
    this.#context = context;
    this.#counts = context.counts;
    this.#isPlain = run.load === undefined && run.checkpoints === undefined && run.origin === undefined;
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
    return this.#isPlain ? this.#read(max) : this.#next(max);
  }

  #next(max: number): Pulled<T> {
    const arrived = this.#arrived;
    this.#arrived = undefined;
    if (arrived !== undefined) return arrived();
    if (this.#due !== undefined) return this.#pass(this.#due);
    if (this.#isReading || this.#run.checkpoints?.isHeld) return this.#later.owe();
    const { load, checkpoints } = this.#run;
    if (load === undefined) return this.#read(Math.min(max, checkpoints?.left ?? max));
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
      const read = this.#reader.read(max, this.#hears);
      if (read !== LATER && !isThenable(read)) return this.#took(read as readonly T[] | undefined);
      this.#isReading = true;
      this.#later.owe();
      if (read === LATER) return this.#later;
      (read as PromiseLike<readonly T[] | undefined>).then(this.#hears.onItems, this.#hears.onError);
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

  #keep(items: readonly T[] | undefined): void {
    this.#arrived = () => this.#took(items);
  }

  /** What arrives after the source was closed was never handed on, so it is not inside and not counted. */
  #giveBack(items: readonly T[] | undefined): void {
    if (items !== undefined) this.#reader.giveBack?.(items);
    if (this.#later.isOwed) this.#later.give(END);
  }

  #took(items: readonly T[] | undefined): Answer<T> {
    if (items === undefined) return this.#end();
    if (!this.#isPlain) return this.#tookMore(items);
    this.#count(items.length);
    return items as T[];
  }

  #tookMore(items: readonly T[]): Answer<T> {
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
    this.#count(handed.length);
    if (this.#run.checkpoints !== undefined) this.#counted(handed.length, isMore);
    return (this.#run.origin === undefined ? handed : this.#carried(handed, this.#run.origin)) as T[];
  }

  #count(items: number): void {
    this.#counts.made += items;
    this.#counts.out += items;
    this.#run.inside(items);
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

  #opened(open: (context: StageContext) => SourceReader<T> | TellingReader<T>): TellingReader<T> {
    try {
      return open(this.#context);
    } catch (error) {
      this.#failed(error);
      return { read: () => undefined, close: () => {} };
    }
  }
}
