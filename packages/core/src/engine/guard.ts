import type { Timer } from '../clock.js';
import { PipelineError } from '../errors.js';
import { Failure, isThenable } from './answer.js';
import type { ItemContext } from './call-context.js';
import type { StageContext } from './context.js';
import { delayOf, type ItemPolicy, type RetryPolicy } from './item-policy.js';
import type { AsyncFunction } from './map-async.js';
import { openRejects, type Rejects } from './rejects.js';
import { truthy } from './step.js';

/**
 * Is told, once, what became of an item: its result, the failure that it ends the run with, or that it is dealt with and
 * counted as dropped or dead-lettered. Perhaps from inside the call that began it.
 */
export type Settle = (outcome: 'done' | 'failed' | 'lost', value: unknown) => void;

/** One call of the user's function. */
class Try implements ItemContext {
  readonly item: unknown;
  readonly index: number;
  readonly attempt: number;
  readonly settle: Settle;
  readonly #stage: StageContext;
  readonly #isTimed: boolean;
  #controller: AbortController | undefined;
  dueMs: number = 0;
  /** Whether its time was up, so that what comes of it is ignored. */
  isLate: boolean = false;

  constructor(item: unknown, index: number, attempt: number, settle: Settle, stage: StageContext, isTimed: boolean) {
    this.item = item;
    this.index = index;
    this.attempt = attempt;
    this.settle = settle;
    this.#stage = stage;
    this.#isTimed = isTimed;
  }

  get signal(): AbortSignal {
    if (!this.#isTimed) return this.#stage.signal;
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
  }
}

/** Deals with the items of one stage, in one run, on which the user's function fails or takes too long. */
export class Guard {
  readonly #call: AsyncFunction;
  readonly #policy: ItemPolicy;
  readonly #context: StageContext;
  readonly #rejects: Rejects<unknown> | undefined;
  /** The tries under way that can time out; the oldest, whose time is up first, comes first. */
  readonly #timed = new Set<Try>();
  /** PERF: one for all tries, for the oldest of them. */
  #timer: Timer | undefined;
  readonly #backoffs = new Set<Timer>();
  #isClosed = false;

  constructor(call: AsyncFunction, policy: ItemPolicy, context: StageContext) {
    this.#call = call;
    this.#policy = policy;
    this.#context = context;
    const { onError } = policy;
    if (typeof onError === 'string' || 'writable' in onError) this.#rejects = openRejects(onError, context);
  }

  /** Whether a call can take too long: then all calls are made here. */
  get isTimed(): boolean {
    return this.#policy.timeoutMs !== undefined;
  }

  /** Calls the function on an item, as often as it takes. */
  begin(item: unknown, index: number, settle: Settle): void {
    this.#try(this.#newTry(item, index, 1, settle));
  }

  /** Goes on behind a first call, not made here, that failed. */
  failed(item: unknown, index: number, error: unknown, settle: Settle): void {
    this.#failed(this.#newTry(item, index, 1, settle), error);
  }

  /** Ends what is under way: nothing is tried again, and the signals that the functions have are aborted. */
  close(reason: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.clear();
    for (const timer of this.#backoffs) timer.clear();
    this.#backoffs.clear();
    for (const each of this.#timed) each.abort(reason ?? ended(this.#context));
    this.#timed.clear();
    this.#rejects?.close();
  }

  #newTry(item: unknown, index: number, attempt: number, settle: Settle): Try {
    return new Try(item, index, attempt, settle, this.#context, this.#policy.timeoutMs !== undefined);
  }

  #try(each: Try): void {
    if (this.#policy.timeoutMs !== undefined) this.#time(each, this.#policy.timeoutMs);
    try {
      const result = this.#call(each.item, each);
      if (!isThenable(result)) return this.#done(each, result);
      result.then(
        (value) => this.#done(each, value),
        (error: unknown) => each.isLate || this.#failed(each, error),
      );
    } catch (error) {
      this.#failed(each, error);
    }
  }

  #done(each: Try, value: unknown): void {
    if (each.isLate) return;
    this.#timed.delete(each);
    each.settle('done', value);
  }

  #failed(each: Try, error: unknown): void {
    this.#timed.delete(each);
    const { retry } = this.#policy;
    if (this.#isClosed) return this.#fail(each, error);
    try {
      if (retry !== undefined && mayRetry(retry, each, error))
        return this.#again(each, error, delayOf(retry, each.attempt));
    } catch (problem) {
      // `when` threw: that is what ends the run.
      this.#context.alsoFailed(error);
      return this.#fail(each, problem);
    }
    this.#giveUp(each, error);
  }

  #again({ item, index, attempt, settle }: Try, error: unknown, delayMs: number): void {
    this.#context.retried(error, index, attempt, delayMs);
    const timer = this.#context.clock.setTimer(() => {
      this.#backoffs.delete(timer);
      this.#try(this.#newTry(item, index, attempt + 1, settle));
    }, delayMs);
    this.#backoffs.add(timer);
  }

  #giveUp(each: Try, error: unknown): void {
    const { onError } = this.#policy;
    const { item, index, attempt, settle } = each;
    if (this.#rejects === undefined) return this.#fallBack(each, error);
    if (onError === 'fail') return this.#fail(each, error);
    const end = (failure: Failure | undefined): void => settle(failure === undefined ? 'lost' : 'failed', failure);
    const taken = this.#rejects.take(error, index, item, attempt);
    if (taken === undefined || taken instanceof Failure) end(taken);
    else taken.then(end);
  }

  #fallBack(each: Try, error: unknown): void {
    const { item, index, attempt, settle } = each;
    const { fallback } = this.#policy.onError as { fallback(error: unknown, item: unknown, context: object): unknown };
    this.#context.rejected(error, index, attempt);
    const fail = (problem: unknown): void => {
      this.#context.alsoFailed(error);
      this.#fail(each, problem);
    };
    try {
      const value = fallback(error, item, { stage: this.#context.name, index, attempts: attempt });
      if (isThenable(value)) value.then((given) => settle('done', given), fail);
      else settle('done', value);
    } catch (problem) {
      fail(problem);
    }
  }

  #fail({ index, attempt, settle }: Try, error: unknown): void {
    settle('failed', this.#context.failure(error, index, attempt));
  }

  #time(each: Try, timeoutMs: number): void {
    each.dueMs = this.#context.clock.now() + timeoutMs;
    this.#timed.add(each);
    if (this.#timer === undefined) this.#wake(timeoutMs);
  }

  #wake(delayMs: number): void {
    this.#timer = this.#context.clock.setTimer(() => this.#expire(), delayMs);
  }

  /** Gives up the tries whose time is up, and waits for the oldest of the others. */
  #expire(): void {
    this.#timer = undefined;
    const now = this.#context.clock.now();
    for (const each of this.#timed) {
      if (each.dueMs > now) {
        if (this.#timer === undefined) this.#wake(each.dueMs - now);
        return;
      }
      this.#timed.delete(each);
      const error = tookTooLong(this.#context, each, this.#policy.timeoutMs as number);
      each.isLate = true;
      each.abort(error);
      this.#failed(each, error);
    }
  }
}

function mayRetry({ attempts, when }: RetryPolicy, { index, attempt }: Try, error: unknown): boolean {
  return attempt < attempts && (when === undefined || truthy(when(error, { index, attempt })));
}

function ended({ name }: StageContext): PipelineError {
  return new PipelineError('ERR_CORE_ABORTED', `Cannot finish the item in stage "${name}": the run is over`);
}

function tookTooLong({ name }: StageContext, { index }: Try, timeoutMs: number): PipelineError {
  const error = new PipelineError(
    'ERR_CORE_TIMEOUT',
    `Cannot finish item ${index} in stage "${name}": it took longer than ${timeoutMs} ms`,
  );
  // As the platform calls it, whose `AbortSignal.timeout()` users may look for.
  error.name = 'TimeoutError';
  return error;
}
