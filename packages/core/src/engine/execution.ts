import type { Checkpointer } from '../checkpointer.js';
import { type Clock, systemClock } from '../clock.js';
import { type EdgeFill, PipelineError, StageError } from '../errors.js';
import type { Observer } from '../observer.js';
import { captureContext, type Enter } from './async-context.js';
import { RunContext } from './context.js';
import { Coordinator } from './coordinator.js';
import { inside, type StageCounts } from './counts.js';
import { Load } from './load.js';
import { OpenNodes } from './open-nodes.js';
import { Outlet, type OutletRun } from './outlet.js';
import type { Plan } from './plan.js';
import type { SizeOf } from './scale.js';
import { type RunSummary, summaryOf, waitingBefore } from './summary.js';
import { TimeLimits } from './time-limits.js';

/** What every way to run a pipeline takes. */
export interface RunOptions {
  /** Aborts the run: it rejects with `signal.reason` itself. */
  readonly signal?: AbortSignal | undefined;
  /** The most items that may be inside: a pipeline that could hold more is refused when it is built. Default: no limit. */
  readonly maxInFlight?: number | undefined;
  /**
   * How much may be inside by `sizeOf`, in bytes or any other unit; an item counts from when its source hands it on until all
   * that came of it has left. Sources are asked for one item at a time, and only while what is inside weighs less, or
   * nothing of their own is inside: so there is never more than this and one item of each source. A batch that would
   * keep all others waiting is handed on before it is full. Default: no limit.
   */
  readonly maxBytesInFlight?: number | undefined;
  /** What an item of a source weighs: a finite number, below 1 counted as 1; required with `maxBytesInFlight`. */
  readonly sizeOf?: ((item: never) => number) | undefined;
  /** Whether adjacent synchronous stages run as one loop. Results are the same; for tests and measurements. Default: `true`. */
  readonly fuse?: boolean | undefined;
  /** Whether loops may be made with `new Function` where the platform allows it. Default: `true`. */
  readonly generate?: boolean | undefined;
  /** Is told of bursts while the pipeline runs. Default: none. */
  readonly observer?: Observer | undefined;
  /** The time that timed stages go by. Default: the platform's. */
  readonly clock?: Clock | undefined;
  /** How long the run may take, in milliseconds; then it fails with a `TimeoutError`. Default: without limit. */
  readonly timeoutMs?: number | undefined;
  /**
   * How long nothing may move in the run, in milliseconds, the time that a reader of `values()` takes included; then it
   * fails with a `TimeoutError`, up to a quarter of that time later. Default: without limit.
   */
  readonly idleTimeoutMs?: number | undefined;
  /**
   * Keeps how far the run has come, and where it begins: the last checkpoint of an earlier run. For `run()`, `runAll()` and
   * `pipeTo()`; every source must have positions. Default: none.
   */
  readonly checkpoint?: Checkpointer | undefined;
  /**
   * Whether each function of yours runs in the asynchronous context (`AsyncLocalStorage`) of its item, the one in which the
   * item was given, and is told the item's origin: its place in the source, its trace. Without it that is the context of
   * the run. Costs a few hundred nanoseconds an item and stage. Default: `false`.
   */
  readonly context?: boolean | undefined;
  /** How long the end of a run waits for sources, stages and sinks to close, in milliseconds. Default: 1,000. */
  readonly closeGraceMs?: number | undefined;
}

/** How many microtasks a burst on its way may take to arrive, at most. */
const STRAGGLERS = 32;

/** The nodes of one run, and how it ends. */
export class Execution implements OutletRun<RunEnd> {
  readonly plan: Plan;
  readonly context: RunContext;
  /** One for each sink, in their order. */
  readonly outlets: readonly Outlet<RunEnd>[];
  readonly #options: RunOptions;
  readonly #readers: ReadonlyArray<() => StageCounts>;
  readonly onCheckpointFailed = (reason: unknown): void => this.finish({ reason });
  readonly #onAbort = (): void => this.abort(this.#options.signal?.reason);
  #beganMs: number | undefined;
  readonly #over: Promise<RunEnd>;
  #ended!: (end: RunEnd) => void;
  #isReported = false;
  #limits: TimeLimits | undefined;

  constructor(plan: Plan, options: RunOptions) {
    this.plan = plan;
    this.#options = options;
    this.#over = new Promise((resolve) => {
      this.#ended = resolve;
    });
    this.context = new RunContext(options.clock ?? systemClock);
    if (options.context === true) this.context.origin = { enter: captureContext?.() ?? enterHere };
    if (options.checkpoint !== undefined)
      this.context.checkpoints = new Coordinator(options.checkpoint, this.context.clock, this.onCheckpointFailed);
    const { maxBytesInFlight, sizeOf } = options;
    if (maxBytesInFlight !== undefined)
      this.context.load = new Load(plan, maxBytesInFlight, sizeOf as SizeOf, this.context, () => this.counts());
    const nodes = new OpenNodes(plan, this.context);
    this.#readers = nodes.readers;
    // What fails while nodes are opened has none to tell of.
    this.context.edges = () => edgesOf(this.plan, this.waiting());
    this.outlets = nodes.ends.map((end) => new Outlet(this, end.name, end));
    try {
      this.context.checkpoints?.begin(this.outlets.map(({ root }) => root));
    } catch (error) {
      this.abort(error);
      throw error;
    }
    if (options.signal?.aborted) queueMicrotask(this.#onAbort);
    else options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** The only outlet of a run with one sink. */
  get outlet(): Outlet<RunEnd> {
    return this.outlets[0] as Outlet<RunEnd>;
  }

  get signal(): AbortSignal | undefined {
    return this.#options.signal;
  }

  /** From here on it is a run: one that waits to be read, and may never be, is nothing to tell an observer of. */
  begin(): void {
    if (this.#beganMs !== undefined) return;
    const { observer } = this.#options;
    this.#beganMs = this.context.clock.now();
    this.context.observer =
      observer?.started?.({
        plan: this.plan,
        counts: () => this.counts(),
        waiting: () => this.waiting(),
        inFlight: () => this.context.insideNow,
      }) ?? observer;
    for (const warning of this.plan.warnings) this.context.warn(warning);
    this.#limit();
  }

  #limit(): void {
    const { timeoutMs, idleTimeoutMs } = this.#options;
    if (timeoutMs === undefined && idleTimeoutMs === undefined) return;
    this.#limits = new TimeLimits(this.context.clock, (reason) => this.finish({ reason }));
    if (timeoutMs !== undefined) this.#limits.limit(timeoutMs);
    if (idleTimeoutMs === undefined) return;
    this.#limits.limitIdle(idleTimeoutMs, () =>
      this.counts().reduce((sum, each) => sum + each.in + each.made + each.out, 0),
    );
  }

  /** Calls `then` soon: when the last checkpoint has been loaded, where there are any. */
  whenReady(then: () => void): void {
    const { checkpoints } = this.context;
    if (checkpoints === undefined) queueMicrotask(then);
    else checkpoints.open().then(then);
  }

  /** One of several sinks has ended well. */
  ended(outlet: Outlet<RunEnd>): void {
    this.context.checkpoints?.ended(outlet.root);
    outlet.close(undefined);
  }

  /** The last sink has ended well. */
  complete(): void {
    const { checkpoints } = this.context;
    if (checkpoints === undefined) this.finish();
    else checkpoints.complete(() => this.finish());
  }

  over(): Promise<RunEnd> {
    return this.#over;
  }

  isLast(outlet: Outlet<RunEnd>): boolean {
    return this.outlets.every((each) => each === outlet || each.isOver);
  }

  abort(reason: unknown): void {
    this.finish({ reason });
  }

  counts(): StageCounts[] {
    return this.#readers.map((read) => ({ ...read() }));
  }

  /** What was handed on by one stage and has not entered the next waits before that one: read, and never counted. */
  waiting(): number[] {
    const counts = this.counts();
    return counts.map((each, at) => {
      const node = this.plan.nodes[this.plan.stages[at]?.node as number];
      return waitingBefore(this.plan, counts, at) + (node?.isQueue === true ? inside(each) : 0);
    });
  }

  /** Ends the run once: closes every node, waits for that within the grace, then reports. */
  finish(failure?: { reason: unknown }): void {
    const { context } = this;
    if (context.isOver) return;
    context.isOver = true;
    context.observer?.changed?.('closing');
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#limits?.clear();
    // Without a failure a drain may have come to its deadline, or nobody wants the rest.
    if (failure !== undefined) context.abortUserWork(failure.reason);
    else if (context.insideNow > 0) context.abortUserWork(endedWithout());
    const saving = context.checkpoints?.close();
    if (saving !== undefined) context.closing('checkpoint', saving);
    for (const outlet of this.outlets) outlet.close(failure);
    if (context.closings.length === 0) return this.#reportSettled(failure, STRAGGLERS);
    const timer = context.clock.setTimer(done, this.#options.closeGraceMs ?? 1000);
    const report = (): void => this.#reportSettled(failure, STRAGGLERS);
    function done(): void {
      timer.clear();
      report();
    }
    // A loop that closes when it has come to rest hands over clean-ups of its own then.
    function waitForAll(): void {
      const open = context.closings.filter(({ isDone }) => !isDone);
      if (open.length === 0) done();
      else Promise.all(open.map(({ work }) => work)).then(waitForAll);
    }
    waitForAll();
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
    if (reason instanceof StageError) {
      const isNew = (other: unknown): boolean => !isEcho(other instanceof StageError ? other.cause : other, reason);
      reason.others.push(...others.filter(isNew), ...closeFailures);
      this.context.failedLater = (other) => void (isNew(other) && reason.others.push(other));
    }
    this.context.observer?.ended?.(summary, error?.reason);
    this.#ended({ summary, failure: error });
  }

  #summary(): RunSummary {
    const { context } = this;
    return summaryOf(this.plan, this.counts(), {
      inFlightMax: context.insideMost,
      seconds: this.#beganMs === undefined ? 0 : (context.clock.now() - this.#beganMs) / 1000,
      leftOpen: context.closings.filter((closing) => !closing.isDone).map((closing) => closing.stage),
    });
  }
}

/** How full every edge is. */
function edgesOf({ rooms, stages }: Plan, waiting: readonly number[]): EdgeFill[] {
  return rooms.flatMap(({ stage, where, items }) => {
    const at = stages.findIndex(({ name }) => name === stage);
    const weight = stages[at]?.weight ?? 1;
    return where === 'edge' ? [{ stage, waiting: Math.max(0, waiting[at] ?? 0), highWaterMark: items / weight }] : [];
  });
}

const enterHere: Enter = (call) => call();

/**
 * Whether a cause says no more than `failure`: it came by two ways (a failed write, and the stream that it errored), or a
 * call under way gave up with the reason of its signal, as such or as the cause of an `AbortError`.
 */
function isEcho(cause: unknown, failure: StageError): boolean {
  const { name, cause: below } = (cause ?? {}) as { readonly name?: unknown; readonly cause?: unknown };
  return cause === failure.cause || cause === failure || (name === 'AbortError' && below === failure);
}

function endedWithout(): PipelineError {
  return new PipelineError('ERR_CORE_ABORTED', 'Cannot finish the item: the run has ended without it');
}

/** How a run ended. */
export interface RunEnd {
  readonly summary: RunSummary;
  readonly failure: { reason: unknown } | undefined;
}
