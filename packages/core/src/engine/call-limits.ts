import { PipelineError } from '../errors.js';
import type { ItemContext } from './call-context.js';
import type { StageContext } from './context.js';
import { Deadline, Deadlines } from './deadlines.js';

/** A first call of a user's function whose time is limited. */
export class LimitedCall implements ItemContext {
  readonly index: number;
  #controller: AbortController | undefined;

  constructor(index: number) {
    this.index = index;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  get attempt(): number {
    return 1;
  }

  abort(reason: unknown): void {
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
  }
}

/** Limits the time of calls of which one at a time is under way. */
export class CallLimits {
  readonly #name: string;
  readonly #deadlines: Deadlines<Deadline>;
  /** PERF: one for all calls, told anew that one has begun. */
  readonly #deadline = new Deadline();
  #call: LimitedCall | undefined;
  #isClosed = false;

  /** @param onLate - Is told when the call under way is given up, with the reason for its signal. */
  constructor(context: StageContext, timeoutMs: number, onLate: (call: LimitedCall, error: PipelineError) => void) {
    this.#name = context.name;
    this.#deadlines = new Deadlines(context.clock, timeoutMs, () => {
      const call = this.#call as LimitedCall;
      this.#call = undefined;
      onLate(call, tookTooLong(context.name, call.index, timeoutMs));
    });
  }

  /** Begins a call: the one before, if there was one, has ended. */
  begin(index: number): LimitedCall {
    const call = new LimitedCall(index);
    // A function may close the run from inside the loop, which goes on for a moment.
    if (this.#isClosed) call.abort(ended(this.#name));
    else this.#deadlines.restart(this.#deadline);
    this.#call = call;
    return call;
  }

  /** The call under way, if there is one, has ended. */
  end(): void {
    this.#call = undefined;
    this.#deadlines.remove(this.#deadline);
  }

  close(reason: unknown): void {
    this.#isClosed = true;
    this.#deadlines.close();
    this.#call?.abort(reason ?? ended(this.#name));
  }
}

/** What a call that is under way at the end of its run is aborted with. */
export function ended(stage: string): PipelineError {
  return new PipelineError('ERR_CORE_ABORTED', `Cannot finish the item in stage "${stage}": the run is over`);
}

/** What a call is aborted with that took too long. */
export function tookTooLong(stage: string, index: number, timeoutMs: number): PipelineError {
  const error = new PipelineError(
    'ERR_CORE_TIMEOUT',
    `Cannot finish item ${index} in stage "${stage}": it took longer than ${timeoutMs} ms`,
  );
  // As the platform calls it, whose `AbortSignal.timeout()` users may look for.
  error.name = 'TimeoutError';
  return error;
}
