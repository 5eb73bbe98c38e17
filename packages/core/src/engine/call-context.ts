import type { StageContext } from './context.js';

/** What a user's asynchronous function is told about its item. */
export interface ItemContext {
  /** How many items entered the stage before this one. */
  readonly index: number;
  /** Aborts when the run is aborted or fails, when it ends without this item, and when the item's `timeoutMs` are over. */
  readonly signal: AbortSignal;
  /** Which try this is: 1 for the first. */
  readonly attempt: number;
}

class CallContext implements ItemContext {
  readonly index: number;
  readonly #context: StageContext;

  constructor(index: number, context: StageContext) {
    this.index = index;
    this.#context = context;
  }

  get signal(): AbortSignal {
    return this.#context.signal;
  }

  get attempt(): number {
    return 1;
  }
}

/** Makes what a user's asynchronous function is told; the signal is made when it is looked at. */
export function callContext(index: number, context: StageContext): ItemContext {
  return new CallContext(index, context);
}
