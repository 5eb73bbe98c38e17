import {
  from,
  type Observer,
  type Pipeline,
  type Run,
  type RunOptions,
  type RunSummary,
  type Stage,
} from '@millrace/core';
import type { ConformOptions, StageFactory } from './conform.js';
import { quiet } from './turn.js';
import { type VirtualClock, virtualClock } from './virtual-clock.js';

/** How a promise ended. */
export type Outcome<T> =
  | { readonly isError: false; readonly value: T; readonly error?: undefined }
  | { readonly isError: true; readonly value?: undefined; readonly error: unknown };

/** What one run did. */
export interface Ran {
  readonly items: unknown[];
  readonly error: unknown;
  readonly hasFailed: boolean;
  readonly summary: RunSummary;
  readonly inFlight: number;
}

/** Which call of the user's function throws: late enough to have items before it, early enough to be reached. */
const BREAKS_AT = 2;

/** The stage under test, and what the laws need to try it. */
export class Trial {
  readonly clock: VirtualClock = virtualClock();
  readonly options: ConformOptions<unknown>;
  /** Timers that were still set when a run was over. */
  timersLeft: number = 0;
  /** Calls of the user's function, of the stages made since {@link Trial.breaking}. */
  calls: number = 0;
  /** Whether the stage has a function of the user. */
  hasUserFunction: boolean = false;
  #running = 0;
  readonly #factory: StageFactory<unknown, unknown>;
  #breakWith: { readonly error: unknown } | undefined;

  constructor(factory: StageFactory<unknown, unknown>, options: ConformOptions<unknown>) {
    this.#factory = factory;
    this.options = options;
  }

  /** Whether results may come in another order. */
  get isOrdered(): boolean {
    return this.options.ordered ?? true;
  }

  /** A new stage; its user function works. */
  stage(): Stage<unknown, unknown> {
    this.#breakWith = undefined;
    return this.#make();
  }

  /** A new stage whose user function throws `error` when it is called for the third time. */
  breaking(error: unknown): Stage<unknown, unknown> {
    this.#breakWith = { error };
    this.calls = 0;
    return this.#make();
  }

  input(items: number = this.options.items ?? 12): unknown[] {
    const { input = (index: number): unknown => index } = this.options;
    return Array.from({ length: items }, (_, index) => input(index));
  }

  /** What the stage makes of the items when all is well. */
  async expected(items: readonly unknown[] = this.input()): Promise<readonly unknown[]> {
    return (await this.run(from(items), this.stage())).items;
  }

  /** Runs a pipeline through the stage to its end. */
  async run(source: Pipeline<unknown>, stage: Stage<unknown, unknown>, options: RunOptions = {}): Promise<Ran> {
    const items: unknown[] = [];
    const started = this.start(source, stage, (item) => void items.push(item), options);
    return { items, ...(await started.over()) };
  }

  /** Starts a run; `over()` waits for its end. */
  start(
    source: Pipeline<unknown>,
    stage: Stage<unknown, unknown>,
    sink: Parameters<Pipeline<unknown>['run']>[0],
    options: RunOptions = {},
  ): { readonly run: Run; over(): Promise<Omit<Ran, 'items'>> } {
    let summary: RunSummary | undefined;
    const observer: Observer = {
      ended: (sum) => {
        summary = sum;
      },
    };
    const run = source.pipeThrough(stage).run(sink, { clock: this.clock, observer, ...options });
    const { finished } = run;
    this.#running++;
    const done = (): void => {
      this.#running--;
    };
    finished.then(done, done);
    return {
      run,
      over: async () => {
        const end = await this.settled(finished);
        // A run beside this one may wait for a timer of its own.
        if (this.#running === 0) this.timersLeft = Math.max(this.timersLeft, this.clock.pendingTimers);
        const { error, isError: hasFailed } = end;
        return { error, hasFailed, summary: summary as RunSummary, inFlight: run.inFlight };
      },
    };
  }

  /** Waits for a promise while time goes by; a promise that never settles fails the law. */
  async settled<T>(promise: PromiseLike<T>): Promise<Outcome<T>> {
    const { timeoutMs = 2000 } = this.options;
    const ended = Promise.resolve(promise).then(
      (value): Outcome<T> => ({ isError: false, value }),
      (error: unknown): Outcome<T> => ({ isError: true, error }),
    );
    const waiting = this.#isStill
      ? within(ended, timeoutMs)
      : this.clock.until(ended, { withinMs: 600_000, timeoutMs });
    return waiting.catch((cause: unknown) => {
      throw new Error('it hangs: nothing happens any more', { cause });
    });
  }

  /** Lets what is under way come to rest, and `timers` timers go off. */
  async rest(timers: number = 0): Promise<void> {
    await quiet();
    if (this.#isStill) return;
    for (let fired = 0; fired < timers; fired++) await this.clock.advanceToNext();
  }

  get #isStill(): boolean {
    return this.options.timeStandsStill ?? false;
  }

  #make(): Stage<unknown, unknown> {
    const breakWith = this.#breakWith;
    let isAsynchronous = false;
    return this.#factory((fn) => {
      this.hasUserFunction = true;
      const wrapped = (...args: never[]): unknown => {
        if (this.calls++ === BREAKS_AT && breakWith !== undefined) {
          if (isAsynchronous) return Promise.reject(breakWith.error);
          throw breakWith.error;
        }
        const result: unknown = fn(...args);
        isAsynchronous ||= result instanceof Promise;
        return result;
      };
      return wrapped as typeof fn;
    });
  }
}

/** The index that the third call of a user's function has. */
export const BREAK_INDEX: number = BREAKS_AT;

/** Waits for a promise in real time. */
async function within<T>(promise: PromiseLike<T>, timeoutMs: number): Promise<T> {
  let isSettled = false;
  const settled = (): void => {
    isSettled = true;
  };
  promise.then(settled, settled);
  const deadline = performance.now() + timeoutMs;
  for (await quiet(); !isSettled; await quiet()) {
    if (performance.now() > deadline) throw new Error(`it is still pending after ${timeoutMs} ms`);
  }
  return promise;
}
