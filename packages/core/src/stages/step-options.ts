import type { ErrorPolicy } from '../engine/rejects.js';
import { checkOptions } from '../internal/arguments.js';
import { checkPolicy } from './fault/fallback.js';

/** What every synchronous stage takes. */
export interface StepOptions {
  /** What the stage is called in errors, plans and figures. Default: the name of its function. */
  readonly name?: string;
  /**
   * How many items may wait before the stage. Given, the stage reads ahead by that much and begins a fused group of its
   * own; not given, it has no edge and is fused with the stage before it.
   */
  readonly highWaterMark?: number;
}

/**
 * What every synchronous stage takes that calls a function of the user.
 *
 * @typeParam I - What comes in.
 * @typeParam F - What the function of `onError: fallback(fn)` gives.
 */
export interface CallOptions<I, F = never> extends StepOptions {
  /**
   * What becomes of an item on which the function fails: `'fail'` fails the run, `'skip'` leaves it out,
   * `deadLetter(writable)` writes it to a stream, which the stage waits for, and `fallback(fn)` gives another value in
   * place of the function's. Default: `'fail'`.
   */
  readonly onError?: ErrorPolicy<NoInfer<I>, F>;
}

const NAMES = ['name', 'highWaterMark'] as const;

/** Refuses wrong options of a synchronous stage; `more` are the names of its own. */
export function checkStepOptions(where: string, options: StepOptions, more: readonly string[] = []): void {
  checkOptions(where, options, [...NAMES, ...more]);
}

/** Refuses wrong options of a synchronous stage that calls a function of the user. */
export function checkCallOptions(
  where: string,
  options: CallOptions<never, unknown>,
  more: readonly string[] = [],
): void {
  checkStepOptions(where, options, ['onError', ...more]);
  if (options.onError !== undefined) checkPolicy(where, options.onError);
}
