import type { DeadLetter, DeadLetterOffice, OnError } from '../../engine/rejects.js';
import { outOfRange, wrongType } from '../../internal/arguments.js';

export type { DeadLetter, DeadLetterOffice, OnError };

/**
 * Sends what a stage cannot process to a writable stream instead of failing the run.
 *
 * The stage waits until the stream has taken the letter, so a slow stream slows the run down and nothing piles up. One
 * stream may serve any number of stages and runs at once. The stream stays open: close it when the runs are over. If a
 * write fails, so does the stage.
 *
 * @typeParam I - The items that the letters carry.
 * @param writable - Gets `{ error, stage, index, item, attempts, origin }`; nobody else may have a writer on it meanwhile.
 * @returns A value for the option `onError`.
 * @throws TypeError `ERR_CORE_ARGUMENT` when `writable` is not a `WritableStream`.
 * @remarks Elsewhere: RxJS –; Rust –; Akka `divertTo`; Node –.
 *
 * @example Keep what was refused
 * ```ts
 * const letters: DeadLetter[] = [];
 * const rejects = new WritableStream<DeadLetter>({ write: (letter) => void letters.push(letter) });
 * const parsed = from(['1', 'one', '2']).pipeThrough(map((text) => BigInt(text), { name: 'parse', onError: deadLetter(rejects) }));
 * assert.deepEqual(await parsed.toArray(), [1n, 2n]);
 * assert.deepEqual(letters.map(({ stage, index, item }) => [stage, index, item]), [['parse', 1, 'one']]);
 * ```
 */
export function deadLetter<I>(writable: WritableStream<DeadLetter<I>>): DeadLetterOffice<I> {
  if (!(writable instanceof WritableStream)) throw wrongType('deadLetter()', 'writable', writable, 'a WritableStream');
  return { writable };
}

/** Refuses what cannot be the option `onError`, or another that says the same of other items. */
export function checkOnError(where: string, value: unknown, what: string = 'onError'): void {
  if (value === 'fail' || value === 'skip') return;
  if (typeof value === 'string') throw outOfRange(where, what, value, '"fail", "skip" or deadLetter(writable)');
  if ((value as Partial<DeadLetterOffice> | null)?.writable instanceof WritableStream) return;
  throw wrongType(where, what, value, '"fail", "skip" or deadLetter(writable)');
}
