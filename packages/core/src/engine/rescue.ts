import { Failure } from './answer.js';
import { RESCUE, STATUS } from './codegen.js';
import type { StageContext } from './context.js';
import type { GroupOrigins } from './group-origins.js';
import type { MachineState } from './machine.js';
import { type ErrorPolicy, openRejects, type Rejects } from './rejects.js';

type Untyped = ErrorPolicy<unknown, unknown>;

/**
 * Deals with the items on which the functions of a group's steps fail, where a step has a policy for them.
 *
 * A dead letter may take time to write: then the loop stops behind its item, which stays inside the step until the stream
 * has taken it, and `onWritten` lets the group go on.
 */
export class Rescue {
  readonly #policies: ReadonlyArray<Untyped | undefined>;
  readonly #state: MachineState;
  readonly #contexts: readonly StageContext[];
  readonly #rejects: ReadonlyArray<Rejects<unknown> | undefined>;
  readonly #origins: GroupOrigins | undefined;
  readonly #onWritten: (at: number, failure: Failure | undefined) => void;
  #isClosed = false;

  constructor(
    policies: ReadonlyArray<ErrorPolicy<never, unknown> | undefined>,
    state: MachineState,
    contexts: readonly StageContext[],
    origins: GroupOrigins | undefined,
    onWritten: (at: number, failure: Failure | undefined) => void,
  ) {
    this.#policies = policies as ReadonlyArray<Untyped | undefined>;
    this.#state = state;
    this.#contexts = contexts;
    this.#origins = origins;
    this.#onWritten = onWritten;
    this.#rejects = this.#policies.map((policy, at) =>
      policy === undefined || policy === 'fail' || (typeof policy === 'object' && 'fallback' in policy)
        ? undefined
        : openRejects(policy, contexts[at] as StageContext),
    );
    state.rescue = (at, error, item, index) => this.#take(at, error, item, index);
  }

  close(): void {
    this.#isClosed = true;
    for (const rejects of this.#rejects) rejects?.close();
  }

  #take(at: number, error: unknown, item: unknown, index: number): number {
    const taken = this.#rejects[at]?.take(error, index, this.#origins?.carry(item) ?? item);
    if (this.#rejects[at] === undefined) return this.#fallBack(at, error, item, index);
    if (taken instanceof Failure) return this.#failed(at, taken);
    if (taken === undefined) {
      this.#lose(at);
      return RESCUE.lost;
    }
    this.#state.writes = at;
    taken.then((failure) => {
      if (this.#isClosed) return;
      this.#state.writes = -1;
      if (failure === undefined) this.#lose(at);
      this.#onWritten(at, failure);
    });
    return STATUS.writing;
  }

  #fallBack(at: number, error: unknown, item: unknown, index: number): number {
    const context = this.#contexts[at] as StageContext;
    const { fallback } = this.#policies[at] as Extract<Untyped, { fallback: unknown }>;
    context.rejected(error, index, 1, this.#origins?.carry(item));
    try {
      this.#state.value = fallback(error, item, { stage: context.name, index, attempts: 1 });
      return RESCUE.used;
    } catch (problem) {
      context.alsoFailed(error);
      return this.#failed(at, problem);
    }
  }

  #failed(at: number, error: unknown): number {
    this.#state.error = error;
    this.#state.failed = at;
    return STATUS.failed;
  }

  /** The item is dealt with, and counted, and no longer inside. */
  #lose(at: number): void {
    const { inside, weight } = this.#contexts[at] as StageContext;
    inside(-weight);
  }
}
