import type { StageCounts } from './engine/counts.js';
import type { Execution, RunOptions } from './engine/execution.js';
import { Explanation } from './engine/explain.js';
import { type DrainReceipt, endedWell, receiptOf } from './engine/receipt.js';
import type { RunSummary } from './engine/summary.js';
import { Topology } from './engine/topology.js';
import { PipelineError } from './errors.js';
import { checkMs, checkOptions } from './internal/arguments.js';

/**
 * One execution of a pipeline: can be watched, drained and aborted.
 *
 * @example Drain a run that would never end
 * ```ts
 * let seen = 0;
 * const run = generate((index) => index).run(() => void seen++);
 * const summary = await run.drain({ deadlineMs: 1_000 });
 * assert.equal(summary.emitted, seen);
 * assert.ok(summary.balanced);
 * ```
 */
export class Run {
  readonly #execution: Execution;
  readonly #options: RunOptions;
  #finished: Promise<RunSummary> | undefined;
  #isWatched = false;
  /** How many items had ended when the run was first told to drain. */
  #completed: number | undefined;
  #receipt: DrainReceipt | undefined;

  /** @internal */
  constructor(execution: Execution, options: RunOptions) {
    this.#execution = execution;
    this.#options = options;
    execution.over().then(({ failure }) => {
      // Nobody asked how the run ended, so nobody would learn that it failed: report it as any forgotten promise.
      if (failure !== undefined && !this.#isWatched) Promise.reject(failure.reason);
    });
  }

  /** Resolves with the summary when the run is over; rejects with a {@link StageError}, or with the reason of an abort. */
  get finished(): Promise<RunSummary> {
    this.#isWatched = true;
    this.#finished ??= this.#execution.over().then(({ summary, failure }) => {
      if (failure !== undefined) throw failure.reason;
      return summary;
    });
    return this.#finished;
  }

  /** The plan of the run, and the most items that can be inside. */
  explain(): Explanation {
    return new Explanation(this.#execution.plan);
  }

  /** The stages of the run as a graph, with the counts of each and what waits before it now. */
  topology(): Topology {
    const { plan } = this.#execution;
    return new Topology(plan, { counts: this.#execution.counts(), waiting: this.#execution.waiting() });
  }

  /** Reads the counts of each stage, in the order of the plan. */
  counts(): ReadonlyArray<{ readonly name: string } & StageCounts> {
    return this.#execution
      .counts()
      .map((counts, at) => ({ name: this.#execution.plan.stages[at]?.name ?? '', ...counts }));
  }

  /** How many items are inside now. */
  get inFlight(): number {
    return this.#execution.context.insideNow;
  }

  /**
   * Ends the sources, finishes what is inside, and says what happened.
   *
   * Sources end at their next read; one that is pending is awaited until the deadline and then given up, and what is
   * not finished `closeGraceMs` later is abandoned and counted so. A run that was told before goes by the earlier deadline.
   *
   * @param options - `deadlineMs`, default 5,000.
   * @returns The summary of the run, and what of it was done before and what since: {@link DrainReceipt}.
   * @throws StageError when a stage fails while the run drains, and the reason of an abort; {@link Run.receipt} says what
   *   became of the items then.
   *
   * @example What was done before, what since, and what was given up
   * ```ts
   * const run = from([1, 2, 3]).run((n) => (n < 3 ? undefined : new Promise(() => {})), { closeGraceMs: 10 });
   * while (run.counts()[1]?.in !== 3) await new Promise((resolve) => setTimeout(resolve, 1));
   * const { read, completed, flushed, abandoned, overdue } = await run.drain({ deadlineMs: 10 });
   * assert.deepEqual({ read, completed, flushed, abandoned, overdue }, { read: 3, completed: 2, flushed: 0, abandoned: 1, overdue: true });
   * ```
   */
  async drain(options: { readonly deadlineMs?: number } = {}): Promise<DrainReceipt> {
    checkOptions('drain()', options, ['deadlineMs']);
    const { deadlineMs = 5000 } = options;
    checkMs('drain()', 'deadlineMs', deadlineMs, 0);
    this.#isWatched = true;
    const execution = this.#execution;
    const { context } = execution;
    this.#completed ??= endedWell(execution.plan.stages, execution.counts());
    context.isDraining = true;
    if (!context.isOver) context.observer?.changed?.('draining');
    for (const source of context.sources) source.drain();
    let overdue = false;
    let timer = context.clock.setTimer(() => {
      overdue = true;
      for (const source of context.sources) source.cut();
      timer = context.clock.setTimer(() => execution.finish(), this.#options.closeGraceMs ?? 1000);
    }, deadlineMs);
    const { summary, failure } = await execution.over();
    timer.clear();
    this.#receipt = receiptOf(summary, this.#completed, overdue);
    if (failure !== undefined) throw failure.reason;
    return this.#receipt;
  }

  /**
   * What became of the items of a run that was told to drain and is over, however it ended: the receipt that
   * {@link Run.drain} resolves with, there also where it rejects. `undefined` before that.
   *
   * @example What a run that failed while it drained had done
   * ```ts
   * const full = new Promise<never>((_, reject) => setTimeout(reject, 5, new Error('full')));
   * const run = from([1, 2, 3]).run((n) => (n < 3 ? undefined : full));
   * while (run.counts()[1]?.in !== 3) await new Promise((resolve) => setTimeout(resolve, 1));
   * await assert.rejects(run.drain(), /full/);
   * assert.deepEqual([run.receipt?.read, run.receipt?.completed, run.receipt?.abandoned], [3, 2, 1]);
   * ```
   */
  get receipt(): DrainReceipt | undefined {
    return this.#receipt;
  }

  /**
   * Ends the run at once: it rejects with `reason` itself, and what is inside is abandoned.
   *
   * A synchronous function of the pipeline that calls it may be called on: with what is left of the slice that its loop is
   * at, at most 1,024 items and less where they cost more (a look at every item would cost every run up to a quarter).
   * A function that must not see another item throws, or returns a promise before it aborts.
   */
  abort(reason: unknown = new PipelineError('ERR_CORE_ABORTED', 'Cannot finish the run: it was aborted')): void {
    this.#execution.abort(reason);
  }
}
