import type { WorkerContext } from './context.js';

/** Calls the function of the worker module. */
export type ItemFunction = (item: unknown, context: WorkerContext) => unknown;

/** One run of one stage, as the worker sees it. */
export class Lease {
  readonly call: ItemFunction;
  readonly #flag: Int32Array;
  #controller: AbortController | undefined;

  constructor(call: ItemFunction, flag: SharedArrayBuffer) {
    this.call = call;
    this.#flag = new Int32Array(flag);
  }

  /** Whether the main thread wants nothing more of it. */
  get isStopped(): boolean {
    return Atomics.load(this.#flag, 0) !== 0;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.isStopped) this.#controller.abort();
    return this.#controller.signal;
  }

  abort(): void {
    this.#controller?.abort();
  }
}

/** What is handed to the function for one item. */
export class CallContext implements WorkerContext {
  readonly index: number;
  readonly attempt: number;
  readonly #lease: Lease;

  constructor(index: number, attempt: number, lease: Lease) {
    this.index = index;
    this.attempt = attempt;
    this.#lease = lease;
  }

  get signal(): AbortSignal {
    return this.#lease.signal;
  }

  get isAborted(): boolean {
    return this.#lease.isStopped;
  }
}
