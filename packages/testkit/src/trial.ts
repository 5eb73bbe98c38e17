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
import type { Rejections } from './rejections.js';
import { Patience, quiet } from './turn.js';
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

/** At which call the user's function goes wrong: it throws the error or, without one, hangs. */
interface Trouble {
  readonly at: number;
  readonly error: unknown;
}

/** Which call of the user's function throws: late enough to have items before it, early enough to be reached. */
const BREAKS_AT = 2;

/** The stage under test, and what the laws need to try it. */
export class Trial {
  readonly clock: VirtualClock = virtualClock();
  readonly options: ConformOptions<unknown>;
  /** What nobody has handled so far. */
  readonly rejections: Pick<Rejections, 'reasons'>;
  /** The law that is tried. */
  law: string = '';
  /** Which timers were still set when a run was over. */
  timersLeft: string[] = [];
  /** Calls of the user's function, of the stage that was made last. */
  calls: number = 0;
  /** Whether a call of the user's function hangs; see {@link Trial.hanging}. */
  hasHung: boolean = false;
  /** Whether the stage has a function of the user. */
  hasUserFunction: boolean = false;
  #running = 0;
  readonly #factory: StageFactory<unknown, unknown>;

  constructor(
    factory: StageFactory<unknown, unknown>,
    options: ConformOptions<unknown>,
    rejections: Pick<Rejections, 'reasons'>,
  ) {
    this.#factory = factory;
    this.options = options;
    this.rejections = rejections;
  }

  /** Whether results may come in another order. */
  get isOrdered(): boolean {
    return this.options.ordered ?? true;
  }

  /** A new stage; its user function works. */
  stage(): Stage<unknown, unknown> {
    return this.#make(undefined);
  }

  /** A new stage whose user function throws `error` when it is called for the third time, or at another call. */
  breaking(error: unknown, at: number = BREAKS_AT): Stage<unknown, unknown> {
    return this.#make({ at, error });
  }

  /** A new stage whose user function, if it gives promises, gives one that never settles when it is called for the third time. */
  hanging(): Stage<unknown, unknown> {
    return this.#make({ at: BREAKS_AT, error: undefined });
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
        for (const { atMs, setAtMs } of this.#running === 0 ? this.clock.timers : []) {
          this.timersLeft.push(`one of ${atMs - setAtMs} ms, in the law "${this.law}"`);
        }
        const { error, isError: hasFailed } = end;
        return { error, hasFailed, summary: summary as RunSummary, inFlight: run.inFlight };
      },
    };
  }

  /** A promise that is waited for later: where it rejects before, nobody has forgotten it. */
  watched<T>(promise: Promise<T>): Promise<T> {
    promise.catch(() => {});
    return promise;
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

  #make(trouble: Trouble | undefined): Stage<unknown, unknown> {
    this.calls = 0;
    this.hasHung = false;
    let isAsynchronous = false;
    return this.#factory((fn) => {
      this.hasUserFunction = true;
      const wrapped = (...args: never[]): unknown => {
        const isNow = this.calls++ === trouble?.at;
        if (isNow && trouble.error !== undefined) {
          if (isAsynchronous) return Promise.reject(trouble.error);
          throw trouble.error;
        }
        const result: unknown = fn(...args);
        isAsynchronous ||= result instanceof Promise;
        if (!isNow || !isAsynchronous) return result;
        this.hasHung = true;
        return new Promise(() => {});
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
  const patience = new Patience(timeoutMs);
  for (await quiet(); !isSettled; await quiet()) {
    if (patience.isOver()) throw new Error(`it is still pending after ${timeoutMs} ms`);
  }
  return promise;
}
