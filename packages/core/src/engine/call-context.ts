import { isThenable } from './answer.js';
import { Carried, type ItemOrigin } from './carried.js';
import type { StageContext } from './context.js';

/** What a user's asynchronous function is told about its item. */
export interface ItemContext {
  /** How many items entered the stage before this one. */
  readonly index: number;
  /** Aborts when the run is aborted or fails, when it ends without this item, and when the item's `timeoutMs` are over. */
  readonly signal: AbortSignal;
  /** Which try this is: 1 for the first. */
  readonly attempt: number;
  /** Where the item comes from, in a run with `context: true`. */
  readonly origin?: ItemOrigin | undefined;
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

/** The same, with the item's origin. */
class CarriedContext implements ItemContext {
  readonly origin: ItemOrigin;
  readonly #context: ItemContext;

  constructor(context: ItemContext, origin: ItemOrigin) {
    this.#context = context;
    this.origin = origin;
  }

  get index(): number {
    return this.#context.index;
  }

  get signal(): AbortSignal {
    return this.#context.signal;
  }

  get attempt(): number {
    return this.#context.attempt;
  }
}

/** The same function for items that carry their origins: is called in their contexts, and its results carry them too. */
export function carrying(
  call: (item: unknown, context: ItemContext) => unknown,
): (item: unknown, context: ItemContext) => unknown {
  return (carried, context) => {
    if (!(carried instanceof Carried)) return call(carried, context);
    const { item, origin } = carried;
    const result = origin.enter(() => call(item, new CarriedContext(context, origin)));
    if (!isThenable(result)) return new Carried(result, origin);
    return Promise.resolve(result).then((value) => new Carried(value, origin));
  };
}
