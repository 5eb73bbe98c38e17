import { spend, whenMyTurn } from './budget.js';
import type { RunEnd } from './execution.js';
import type { Outlet } from './outlet.js';
import { consumed } from './readable.js';

interface Request {
  resolve(result: IteratorResult<unknown>): void;
  reject(reason: unknown): void;
}

/** Runs a pipeline on the demand of `for await`; calls of `next()` that overlap are answered in turn. */
export class ItemIterator implements AsyncIterableIterator<unknown> {
  readonly #outlet: Outlet<RunEnd>;
  readonly #requests: Request[] = [];
  #end: RunEnd | undefined;
  /** Whether the failure has been reported, or nobody wants to hear of it. */
  #isReported = false;

  constructor(outlet: Outlet<RunEnd>) {
    this.#outlet = outlet;
    outlet.over().then((end) => {
      this.#end = end;
      for (const request of this.#requests.splice(0)) this.#finish(request, end);
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<unknown>> {
    return new Promise((resolve, reject) => {
      const request = { resolve, reject };
      if (this.#end !== undefined) return this.#finish(request, this.#end);
      this.#requests.push(request);
      if (this.#requests.length === 1) this.#ask();
    });
  }

  async return(value?: unknown): Promise<IteratorResult<unknown>> {
    const wasReported = this.#isReported || this.#end !== undefined;
    this.#isReported = true;
    this.#outlet.finish();
    const { failure } = await this.#outlet.over();
    // As in any `for await`, an error of the clean-up is an error of the loop.
    if (failure !== undefined && !wasReported) throw failure.reason;
    return { done: true, value };
  }

  #ask(): void {
    if (spend(1)) whenMyTurn(this.#pull);
    else this.#pull();
  }

  readonly #pull = (): void => {
    if (this.#outlet.isOver) return;
    this.#outlet.pull(1, (items) => {
      consumed(this.#outlet, items.length);
      this.#requests.shift()?.resolve({ done: false, value: items[0] });
      if (this.#requests.length > 0) this.#ask();
    });
  };

  #finish(request: Request, { failure }: RunEnd): void {
    if (failure === undefined || this.#isReported) return request.resolve({ done: true, value: undefined });
    this.#isReported = true;
    request.reject(failure.reason);
  }
}
