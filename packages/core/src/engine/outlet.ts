import { type Answer, END, Failure, isLater, type Puller } from './answer.js';
import { plain } from './carried.js';
import type { RunContext, StageContext } from './context.js';
import type { Edge } from './edge.js';
import type { Group } from './group.js';
import { whenAnswered } from './later.js';

/** What an outlet needs of its run. */
export interface OutletRun<End> {
  readonly context: RunContext;
  readonly signal: AbortSignal | undefined;
  /** Says that the run begins; again does nothing. */
  begin(): void;
  /** Calls `then` soon, when the run may begin to read. */
  whenReady(then: () => void): void;
  /** Closes an outlet that has ended well before others. */
  ended(outlet: Outlet<End>): void;
  /** Ends the run, whose last outlet has ended well. */
  complete(): void;
  /** Ends the run. */
  finish(failure?: { reason: unknown }): void;
  /** Whether all other outlets are over. */
  isLast(outlet: Outlet<End>): boolean;
  /** Resolves when the run is over and closed; never rejects. */
  over(): Promise<End>;
}

/** Where the items of a run come out: what one sink pulls from. */
export class Outlet<End = unknown> {
  /** What the sink pulls from. */
  readonly root: Puller<unknown>;
  /** The edge before a sink that is not fused. */
  readonly edge: Edge | undefined;
  /** The group that ends with the sink, where the sink is fused. */
  readonly group: Group | undefined;
  /** The context of the sink, where it is not fused. */
  readonly sink: StageContext | undefined;
  readonly context: RunContext;
  /** Lets go of what the sink holds; called once, when the sink or the run is over. */
  closeSink: ((failure: { reason: unknown } | undefined) => void | PromiseLike<unknown>) | undefined;
  /** Whether the sink has ended, or the run. */
  isOver: boolean = false;
  readonly #name: string;
  readonly #run: OutletRun<End>;

  constructor(
    run: OutletRun<End>,
    name: string,
    parts: { readonly root: Puller<unknown>; edge?: Edge | undefined; group?: Group; sink?: StageContext },
  ) {
    this.#run = run;
    this.#name = name;
    this.context = run.context;
    this.root = parts.root;
    this.edge = parts.edge;
    this.group = parts.group;
    this.sink = parts.sink;
  }

  /** Resolves when the run is over and closed; never rejects. */
  over(): Promise<End> {
    return this.#run.over();
  }

  /** Calls `begin` soon, unless the run is over by then. */
  start(begin: () => void): void {
    this.#run.begin();
    this.#run.whenReady(() => this.isOver || begin());
  }

  /** Pulls, with the end and failures taken care of: `then` gets bursts only. */
  pull(max: number, then: (items: unknown[]) => void): void {
    const { signal } = this.#run;
    if (signal?.aborted) return this.#run.finish({ reason: signal.reason });
    this.#run.begin();
    this.context.isWanted = true;
    const pulled = this.root.pull(max);
    const take = (answer: Answer<unknown>): void => {
      this.context.isWanted = false;
      if (Array.isArray(answer))
        this.isOver
          ? this.abandon(answer.length)
          : then(this.context.origin === undefined ? answer : answer.map(plain));
      else if (answer === END) this.finish();
      else if (answer instanceof Failure) this.finish({ reason: answer.error });
      else this.pull(max, then);
    };
    if (isLater(pulled)) whenAnswered(pulled, take);
    else take(pulled);
  }

  /** Counts items that come when the sink is over. */
  abandon(items: number): void {
    if (this.sink === undefined) return;
    this.sink.counts.in += items;
    this.sink.counts.abandoned += items;
    this.sink.inside(-items * this.sink.weight);
  }

  /** Ends this sink, well or not: a failure ends the run, and so does the end of the last sink. */
  finish(failure?: { reason: unknown }): void {
    if (this.isOver) return;
    if (failure !== undefined) this.#run.finish(failure);
    else if (this.#run.isLast(this)) this.#run.complete();
    else this.#run.ended(this);
  }

  /** Closes, once, what the sink pulls from, and the sink. */
  close(failure: { reason: unknown } | undefined): void {
    if (this.isOver) return;
    this.isOver = true;
    this.root.close(failure?.reason);
    // What the sink was working on when the run ended did not get finished.
    if (this.sink !== undefined && this.sink.counts.held > 0) {
      this.sink.inside(-this.sink.counts.held * this.sink.weight);
      this.sink.counts.abandoned += this.sink.counts.held;
      this.sink.counts.held = 0;
    }
    try {
      const closing = this.closeSink?.(failure);
      if (closing !== undefined) this.context.closing(this.#name, closing);
    } catch (error) {
      this.context.closeFailed(this.#name, error);
    }
  }
}
