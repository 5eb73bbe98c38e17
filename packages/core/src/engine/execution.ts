import { type Clock, systemClock } from '../clock.js';
import { StageError } from '../errors.js';
import type { Observer } from '../observer.js';
import { END, Failure, isLater, type Pulled, type Puller } from './answer.js';
import { RunContext, type StageContext } from './context.js';
import { inside, isBalanced, type StageCounts } from './counts.js';
import { Edge } from './edge.js';
import { Gate } from './gate.js';
import { Group } from './group.js';
import { whenAnswered } from './later.js';
import type { Plan } from './plan.js';
import type { OperatorSpec } from './spec.js';

/** What every way to run a pipeline takes. */
export interface RunOptions {
  /** Aborts the run: it rejects with `signal.reason` itself. */
  readonly signal?: AbortSignal | undefined;
  /** The most items that may be inside: a pipeline that could hold more is refused when it is built. Default: no limit. */
  readonly maxInFlight?: number | undefined;
  /** Whether adjacent synchronous stages run as one loop. Results are the same; for tests and measurements. Default: `true`. */
  readonly fuse?: boolean | undefined;
  /** Whether loops may be made with `new Function` where the platform allows it. Default: `true`. */
  readonly generate?: boolean | undefined;
  /** Is told of bursts while the pipeline runs. Default: none. */
  readonly observer?: Observer | undefined;
  /** The time that timed stages go by. Default: the platform's. */
  readonly clock?: Clock | undefined;
  /** How long the end of a run waits for sources, stages and sinks to close, in milliseconds. Default: 1,000. */
  readonly closeGraceMs?: number | undefined;
}

/** What a run did: what became of its items, and how long it took. */
export interface RunSummary {
  /** The items that the source handed on. */
  readonly read: number;
  /** The items that stages brought forth: batches, what a flatMap unfolds. */
  readonly made: number;
  /** The items that reached the end and were finished there. */
  readonly emitted: number;
  /** The items that went into others: the members of batches, the inputs of a flatMap. */
  readonly absorbed: number;
  readonly filtered: number;
  readonly deduped: number;
  readonly deadLettered: number;
  readonly dropped: number;
  /** The items that were inside when the run ended early. */
  readonly abandoned: number;
  /** The most items that could be inside, in source items. */
  readonly inFlightBound: number;
  /** The most items that were inside at a time. */
  readonly inFlightMax: number;
  /** Whether all that came in is accounted for, at every stage and between any two. */
  readonly balanced: boolean;
  readonly seconds: number;
  /** What could not be closed within `closeGraceMs`, by the name of its stage. */
  readonly leftOpen: readonly string[];
  /** The counts of each stage, in order, by name. */
  readonly stages: ReadonlyArray<{ readonly name: string } & StageCounts>;
}

/** How many microtasks a burst on its way may take to arrive, at most. */
const STRAGGLERS = 32;

/** The nodes of one run, and how it ends. */
export class Execution {
  readonly plan: Plan;
  readonly context: RunContext;
  /** What the sink pulls from. */
  readonly root: Puller<unknown>;
  /** The edge before a sink that is not fused. */
  readonly edge: Edge | undefined;
  /** The group that ends with the sink, where the sink is fused. */
  readonly group: Group | undefined;
  /** The context of the sink, where it is not fused. */
  readonly sink: StageContext | undefined;
  readonly #options: RunOptions;
  readonly #readers: Array<() => StageCounts> = [];
  readonly #onAbort = (): void => this.abort(this.#options.signal?.reason);
  #beganMs: number | undefined;
  readonly #over: Promise<RunEnd>;
  #ended!: (end: RunEnd) => void;
  #isReported = false;
  /** Lets go of what the sink holds; called once, when the run is over. */
  closeSink: ((failure: { reason: unknown } | undefined) => void | PromiseLike<unknown>) | undefined;

  constructor(plan: Plan, options: RunOptions) {
    this.plan = plan;
    this.#options = options;
    this.#over = new Promise((resolve) => {
      this.#ended = resolve;
    });
    this.context = new RunContext(options.clock ?? systemClock);
    const contexts = plan.stages.map((stage) => this.context.stage(stage.name, stage.node, stage.weight));
    const { root, group } = this.#build(contexts);
    this.group = group;
    this.sink = plan.stages.length > this.#readers.length ? contexts[this.#readers.length] : undefined;
    if (this.sink !== undefined) {
      const { counts } = this.sink;
      this.#readers.push(() => counts);
    }
    this.edge =
      this.sink === undefined || plan.sinkHighWaterMark === 0
        ? undefined
        : new Edge(root, plan.sinkHighWaterMark, this.sink, false);
    this.root = this.edge ?? root;
    if (options.signal?.aborted) queueMicrotask(this.#onAbort);
    else options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Resolves when the run is over and closed; never rejects. */
  over(): Promise<RunEnd> {
    return this.#over;
  }

  /** Calls `begin` soon, unless the signal has been aborted by then. */
  start(begin: () => void): void {
    this.#begin();
    queueMicrotask(() => this.context.isOver || begin());
  }

  /** Pulls, with the end and failures taken care of: `then` gets bursts only. */
  pull(max: number, then: (items: unknown[]) => void): void {
    if (this.#options.signal?.aborted) return this.#onAbort();
    if (this.#beganMs === undefined) this.#begin();
    const pulled = this.root.pull(max);
    const take = (answer: Awaited<Pulled<unknown>>): void => {
      if (Array.isArray(answer)) this.context.isOver ? this.abandon(answer.length) : then(answer);
      else if (answer === END) this.finish();
      else if (answer instanceof Failure) this.finish({ reason: answer.error });
      else this.pull(max, then);
    };
    if (isLater(pulled)) whenAnswered(pulled, take);
    else take(pulled);
  }

  /** From here on it is a run: one that waits to be read, and may never be, is nothing to tell an observer of. */
  #begin(): void {
    const { observer } = this.#options;
    this.#beganMs = this.context.clock.now();
    this.context.observer =
      observer?.started?.({
        plan: this.plan,
        counts: () => this.counts(),
        waiting: () => this.#waiting(),
        inFlight: () => this.context.insideNow,
      }) ?? observer;
  }

  /** Counts items that come when the run is over. */
  abandon(items: number): void {
    if (this.sink === undefined) return;
    this.sink.counts.in += items;
    this.sink.counts.abandoned += items;
    this.sink.inside(-items * this.sink.weight);
  }

  abort(reason: unknown): void {
    this.finish({ reason });
  }

  counts(): StageCounts[] {
    return this.#readers.map((read) => ({ ...read() }));
  }

  /** What was handed on by one stage and has not entered the next waits before that one: read, and never counted. */
  #waiting(): number[] {
    const counts = this.counts();
    return counts.map((each, at) => {
      if (at === 0) return 0;
      const node = this.plan.nodes[this.plan.stages[at]?.node as number];
      const holds = node?.type === 'operator' && node.spec.isQueue === true ? inside(each) : 0;
      return (counts[at - 1] as StageCounts).out - each.in + holds;
    });
  }

  /** Ends the run once: closes every node, waits for that within the grace, then reports. */
  finish(failure?: { reason: unknown }): void {
    const { context } = this;
    if (context.isOver) return;
    context.isOver = true;
    context.observer?.changed?.('closing');
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    if (failure !== undefined) context.abortUserWork(failure.reason);
    this.root.close(failure?.reason);
    // What the sink was working on when the run ended did not get finished.
    if (this.sink !== undefined && this.sink.counts.held > 0) {
      this.sink.inside(-this.sink.counts.held * this.sink.weight);
      this.sink.counts.abandoned += this.sink.counts.held;
      this.sink.counts.held = 0;
    }
    try {
      const closing = this.closeSink?.(failure);
      if (closing !== undefined) context.closing(this.plan.stages.at(-1)?.name ?? 'sink', closing);
    } catch (error) {
      context.closeFailed(this.plan.stages.at(-1)?.name ?? 'sink', error);
    }
    if (context.closings.length === 0) return this.#reportSettled(failure, STRAGGLERS);
    const timer = context.clock.setTimer(done, this.#options.closeGraceMs ?? 1000);
    const report = (): void => this.#reportSettled(failure, STRAGGLERS);
    function done(): void {
      timer.clear();
      report();
    }
    Promise.all(context.closings.map((closing) => closing.work)).then(done);
  }

  /**
   * Reports once nothing is inside: a burst that was on its way to a node when that closed, in a promise that had
   * resolved, is counted there as abandoned in one of the next microtasks.
   */
  #reportSettled(failure: { reason: unknown } | undefined, tries: number): void {
    if (this.context.insideNow === 0 || tries === 0) return this.#report(failure);
    queueMicrotask(() => this.#reportSettled(failure, tries - 1));
  }

  #report(failure: { reason: unknown } | undefined): void {
    if (this.#isReported) return;
    this.#isReported = true;
    const { others, closeFailures } = this.context;
    const summary = this.#summary();
    const error = failure ?? (closeFailures.length > 0 ? { reason: closeFailures.shift() } : undefined);
    const { reason } = error ?? {};
    // One cause can come by two ways: a failed write, and the stream that it errored.
    const isNew = (other: unknown): boolean =>
      !(other instanceof StageError) || other.cause !== (reason as StageError).cause;
    if (reason instanceof StageError) reason.others.push(...others.filter(isNew), ...closeFailures);
    this.context.observer?.ended?.(summary, error?.reason);
    this.#ended({ summary, failure: error });
  }

  #summary(): RunSummary {
    const { plan, context } = this;
    const counts = this.counts();
    const sum = (of: keyof StageCounts, from = 0): number =>
      counts.slice(from).reduce((total, each) => total + each[of], 0);
    const linked = counts.every((each, at) => at === 0 || (counts[at - 1] as StageCounts).out === each.in);
    return {
      read: counts[0]?.made ?? 0,
      made: sum('made', 1),
      emitted: plan.stages.at(-1)?.kind === 'sink' ? (counts.at(-1)?.out ?? 0) : 0,
      absorbed: sum('absorbed'),
      filtered: sum('filtered'),
      deduped: sum('deduped'),
      deadLettered: sum('deadLettered'),
      dropped: sum('dropped'),
      abandoned: sum('abandoned'),
      inFlightBound: plan.bound,
      inFlightMax: context.insideMost,
      balanced: linked && counts.every(isBalanced),
      seconds: this.#beganMs === undefined ? 0 : (context.clock.now() - this.#beganMs) / 1000,
      leftOpen: context.closings.filter((closing) => !closing.isDone).map((closing) => closing.stage),
      stages: counts.map((each, at) => ({ name: plan.stages[at]?.name ?? '', ...each })),
    };
  }

  #build(contexts: readonly StageContext[]): { root: Puller<unknown>; group: Group | undefined } {
    let root: Puller<unknown> | undefined;
    let group: Group | undefined;
    for (const node of this.plan.nodes) {
      if (node.type === 'source') {
        const context = contexts[node.stage] as StageContext;
        root = new Gate(this.context, context, (of) => node.spec.open(of));
        this.#readers.push(() => context.counts);
      } else if (node.type === 'operator') {
        const context = contexts[node.stage] as StageContext;
        root = opened(node.spec, root as Puller<unknown>, context);
        this.#readers.push(() => context.counts);
      } else {
        const source = node.source === undefined ? undefined : contexts[node.source];
        const stages = node.stages.map((at) => contexts[at] as StageContext);
        const edge = this.#edge(node, root, stages);
        const made = new Group(node.group, this.context, { source, stages }, edge ?? root, edge);
        if (source !== undefined) this.#readers.push(() => made.sourceCounts());
        stages.forEach((_, at) => void this.#readers.push(() => made.counts(at)));
        root = group = made;
      }
    }
    return { root: root as Puller<unknown>, group };
  }

  #edge(
    node: Plan['nodes'][number] & { type: 'group' },
    root: Puller<unknown> | undefined,
    stages: readonly StageContext[],
  ): Edge | undefined {
    const { edge, group } = node;
    if (edge === undefined || root === undefined) return undefined;
    const isUsed = edge.isEager || group.shape.sink.waits || group.shape.steps.some((step) => step.id === 'flatMap');
    return isUsed ? new Edge(root, edge.highWaterMark, stages[0] as StageContext, edge.isEager) : undefined;
  }
}

/** Opens a stage; what is before it was opened already, and is closed where the stage does not open. */
function opened(spec: OperatorSpec, upstream: Puller<unknown>, context: StageContext): Puller<unknown> {
  try {
    return spec.open(upstream, context);
  } catch (error) {
    upstream.close(error);
    throw error;
  }
}

/** How a run ended. */
export interface RunEnd {
  readonly summary: RunSummary;
  readonly failure: { reason: unknown } | undefined;
}
