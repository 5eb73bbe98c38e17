import type { Timer } from '../clock.js';
import { Failure, isThenable } from './answer.js';
import type { ItemContext } from './call-context.js';
import { ended, tookTooLong } from './call-limits.js';
import { carryOn, plain, within } from './carried.js';
import type { StageContext } from './context.js';
import { Deadline, Deadlines } from './deadlines.js';
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
class Try extends Deadline implements ItemContext {
  readonly item: unknown;
  readonly index: number;
  readonly attempt: number;
  readonly settle: Settle;
  readonly #stage: StageContext;
  readonly #isTimed: boolean;
  #controller: AbortController | undefined;
  /** Whether its time was up, so that what comes of it is ignored. */
  isLate: boolean = false;

  constructor(item: unknown, index: number, attempt: number, settle: Settle, stage: StageContext, isTimed: boolean) {
    super();
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
  /** Gives up tries that take too long. */
  readonly #deadlines: Deadlines<Try> | undefined;
  readonly #backoffs = new Set<Timer>();
  #isClosed = false;

  constructor(call: AsyncFunction, policy: ItemPolicy, context: StageContext) {
    this.#call = call;
    this.#policy = policy;
    this.#context = context;
    const { onError, timeoutMs } = policy;
    if (timeoutMs !== undefined) {
      this.#deadlines = new Deadlines<Try>(context.clock, timeoutMs, (late) => this.#expire(late, timeoutMs));
    }
    if (typeof onError === 'string' || 'writable' in onError) this.#rejects = openRejects(onError, context);
  }

  /** How long a call may take; undefined without limit. */
  get timeoutMs(): number | undefined {
    return this.#policy.timeoutMs;
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
    for (const timer of this.#backoffs) timer.clear();
    this.#backoffs.clear();
    for (const each of this.#deadlines?.close() ?? []) each.abort(reason ?? ended(this.#context.name));
    this.#rejects?.close();
  }

  #newTry(item: unknown, index: number, attempt: number, settle: Settle): Try {
    return new Try(item, index, attempt, settle, this.#context, this.timeoutMs !== undefined);
  }

  #try(each: Try): void {
    this.#deadlines?.add(each);
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
    this.#deadlines?.remove(each);
    each.settle('done', value);
  }

  #failed(each: Try, error: unknown): void {
    this.#deadlines?.remove(each);
    const { retry } = this.#policy;
    if (this.#isClosed) return this.#fail(each, error);
    try {
      if (retry !== undefined && within(each.item, () => mayRetry(retry, each, error)))
        return this.#again(each, error, delayOf(retry, each.attempt));
    } catch (problem) {
      // `when` threw: that is what ends the run.
      this.#context.alsoFailed(error);
      return this.#fail(each, problem);
    }
    this.#giveUp(each, error);
  }

  #again({ item, index, attempt, settle }: Try, error: unknown, delayMs: number): void {
    this.#context.retried(error, index, attempt, delayMs, item);
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
    this.#context.rejected(error, index, attempt, item);
    const fail = (problem: unknown): void => {
      this.#context.alsoFailed(error);
      this.#fail(each, problem);
    };
    try {
      const told = { stage: this.#context.name, index, attempts: attempt };
      const value = within(item, () => fallback(error, plain(item), told));
      if (isThenable(value)) value.then((given) => settle('done', carryOn(item, given)), fail);
      else settle('done', carryOn(item, value));
    } catch (problem) {
      fail(problem);
    }
  }

  #fail({ item, index, attempt, settle }: Try, error: unknown): void {
    settle('failed', this.#context.failure(error, index, attempt, item));
  }

  #expire(late: Try, timeoutMs: number): void {
    const error = tookTooLong(this.#context.name, late.index, timeoutMs);
    late.isLate = true;
    late.abort(error);
    this.#failed(late, error);
  }
}

function mayRetry({ attempts, when }: RetryPolicy, { index, attempt }: Try, error: unknown): boolean {
  return attempt < attempts && (when === undefined || truthy(when(error, { index, attempt })));
}
