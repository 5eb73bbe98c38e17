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
