import { whenMyTurn } from '@millrace/core/authoring';

/** How many turns of the thread a promise chain gets to settle; a run gives its thread away now and then. */
const TURNS = 8;

/**
 * Lets everything that waits only for promises, or for its turn on the thread, come to rest. Takes no virtual time.
 *
 * INVARIANT: the turns are those of the engine, so each comes behind all runs that wait for theirs.
 */
export async function quiet(turns: number = TURNS): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise<void>(whenMyTurn);
}

/** How often at least one has to look, in vain, before time is up: a process that was stopped meanwhile did not look. */
const LOOKS = 50;

/** Waits in real time for what nobody tells: whether to wait on. */
export class Patience {
  readonly #timeoutMs: number;
  #deadline = 0;
  #looks = 0;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.renew();
  }

  /** Something has happened. */
  renew(): void {
    this.#deadline = performance.now() + this.#timeoutMs;
    this.#looks = 0;
  }

  /** Nothing has happened yet: `true` when it has not for long enough. */
  isOver(): boolean {
    return this.#looks++ > LOOKS && performance.now() > this.#deadline;
  }
}
