import type { Checkpointer } from '../checkpointer.js';
import { checkBoolean, checkCount, checkFunction, checkMs, checkOptions, wrongType } from '../internal/arguments.js';
import type { RunOptions } from './execution.js';

/** What an observer can be told. */
const OBSERVED = ['started', 'burst', 'served', 'warned', 'failed', 'retried', 'changed', 'ended'] as const;

/** What each option of a run must be; an option that is `undefined` counts as not given. */
const CHECKS: Readonly<Record<keyof RunOptions, (where: string, what: string, value: unknown) => void>> = {
  signal(where, what, value) {
    // By what it can do, since a signal may come from another realm or from a polyfill.
    if (!has(value, 'aborted', 'boolean') || !has(value, 'addEventListener', 'function')) {
      throw wrongType(where, what, value, 'an AbortSignal');
    }
  },
  maxInFlight: (where, what, value) => checkCount(where, what, value, 1, true),
  maxBytesInFlight: (where, what, value) => checkCount(where, what, value, 1),
  sizeOf: checkFunction,
  fuse: checkBoolean,
  generate: checkBoolean,
  context: checkBoolean,
  observer(where, what, value) {
    if (!OBSERVED.some((name) => has(value, name, 'function'))) {
      const names = OBSERVED.map((name) => `"${name}"`).join(', ');
      throw wrongType(where, what, value, `an object with at least one of ${names}`);
    }
  },
  clock(where, what, value) {
    if (!has(value, 'now', 'function') || !has(value, 'setTimer', 'function')) {
      throw wrongType(where, what, value, 'an object with "now" and "setTimer"');
    }
  },
  checkpoint(where, what, value) {
    if (!has(value, 'load', 'function') || !has(value, 'save', 'function')) {
      throw wrongType(where, what, value, 'an object with "load" and "save"');
    }
    const { everyItems, everyMs } = value as Checkpointer;
    if (everyItems !== undefined) checkCount(where, 'everyItems of the checkpoint', everyItems, 1);
    if (everyMs !== undefined) checkMs(where, 'everyMs of the checkpoint', everyMs, 1);
  },
  closeGraceMs: (where, what, value) => checkMs(where, what, value, 0),
  timeoutMs: (where, what, value) => checkMs(where, what, value, 1),
  idleTimeoutMs: (where, what, value) => checkMs(where, what, value, 1),
};

const NAMES = Object.keys(CHECKS);

/** Refuses wrong options of a run, by name. */
export function checkRunOptions(where: string, options: RunOptions): void {
  checkOptions(where, options, NAMES);
  for (const [what, value] of Object.entries(options)) {
    if (value !== undefined) CHECKS[what as keyof RunOptions](where, what, value);
  }
  const { maxBytesInFlight, sizeOf } = options;
  if (maxBytesInFlight === undefined && sizeOf === undefined) return;
  if (sizeOf === undefined)
    throw wrongType(where, 'sizeOf', sizeOf, 'given with maxBytesInFlight: it says what an item weighs');
  if (maxBytesInFlight === undefined)
    throw wrongType(where, 'maxBytesInFlight', maxBytesInFlight, 'given with sizeOf: it is the limit');
}

function has(value: unknown, name: string, type: 'boolean' | 'function'): boolean {
  return typeof value === 'object' && value !== null && typeof (value as Record<string, unknown>)[name] === type;
}
