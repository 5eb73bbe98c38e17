import { wrongType } from '@millrace/core/authoring';
import type { Observed } from '../observe.js';
import type { Snapshot } from '../snapshot.js';

/** Refuses what `observe()` did not return, such as the observer of it. */
export function checkObserved(where: string, observed: Observed): void {
  if (typeof observed?.snapshot === 'function' && typeof observed.watch === 'function') return;
  throw wrongType(where, 'observed', observed, 'what observe() returns');
}

/** Refuses what is no snapshot. */
export function checkSnapshot(where: string, snapshot: Snapshot): void {
  if (!Array.isArray(snapshot?.pipelines)) throw wrongType(where, 'snapshot', snapshot, 'what snapshot() returns');
}
