import { type Failure, isThenable } from './answer.js';
import type { ItemContext } from './call-context.js';
import { ended, tookTooLong } from './call-limits.js';
import type { StageContext } from './context.js';
import { Deadline, Deadlines } from './deadlines.js';
import type { ItemPolicy } from './item-policy.js';
import type { AsyncFunction } from './map-async.js';
import { Given, openRejects, type Rejects } from './rejects.js';
import { Retries } from './retries.js';

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
  readonly #rejects: Rejects<unknown, Given>;
  readonly #retries: Retries | undefined;
  /** Gives up tries that take too long. */
  readonly #deadlines: Deadlines<Try> | undefined;
  #isClosed = false;

  constructor(call: AsyncFunction, policy: ItemPolicy, context: StageContext) {
    this.#call = call;
    this.#policy = policy;
    this.#context = context;
    const { onError, retry, timeoutMs } = policy;
    if (timeoutMs !== undefined) {
      this.#deadlines = new Deadlines<Try>(context.clock, timeoutMs, (late) => this.#expire(late, timeoutMs));
    }
    this.#rejects = openRejects(onError, context);
    if (retry !== undefined) this.#retries = new Retries(retry, context);
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

  /** Deals with an item for which the function can't be called, so that another try would be no use. */
  refused(item: unknown, index: number, error: unknown, settle: Settle): void {
    const each = this.#newTry(item, index, 1, settle);
    if (this.#isClosed) this.#fail(each, error);
    else this.#giveUp(each, error);
  }

  /** Ends what is under way: nothing is tried again, and the signals that the functions have are aborted. */
  close(reason: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#retries?.close();
    for (const each of this.#deadlines?.close() ?? []) each.abort(reason ?? ended(this.#context.name));
    this.#rejects.close();
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
    if (this.#isClosed) return this.#fail(each, error);
    const { item, index, attempt, settle } = each;
    try {
      const again = (): void => this.#try(this.#newTry(item, index, attempt + 1, settle));
      if (this.#retries?.again(error, index, attempt, item, again) === true) return;
    } catch (problem) {
      // `when` threw: that is what ends the run.
      this.#context.alsoFailed(error);
      return this.#fail(each, problem);
    }
    this.#giveUp(each, error);
  }

  #giveUp({ item, index, attempt, settle }: Try, error: unknown): void {
    const end = (taken: Failure | Given | undefined): void => {
      if (taken instanceof Given) settle('done', taken.value);
      else settle(taken === undefined ? 'lost' : 'failed', taken);
    };
    const taken = this.#rejects.take(error, index, item, attempt);
    if (taken instanceof Promise) taken.then(end);
    else end(taken);
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
