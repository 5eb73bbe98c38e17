import type { ItemOrigin } from './engine/carried.js';

/**
 * The codes of the errors that `@millrace/core` makes.
 *
 * `ERR_CORE_ARGUMENT` is a mistake in the program and is thrown at once, as a `TypeError` or `RangeError`;
 * all others are conditions of a run, carried by a {@link PipelineError}.
 */
export type CoreErrorCode =
  | 'ERR_CORE_ARGUMENT'
  | 'ERR_CORE_STAGE'
  | 'ERR_CORE_IN_FLIGHT'
  | 'ERR_CORE_BRANCH'
  | 'ERR_CORE_UNSORTED'
  | 'ERR_CORE_UNMATCHED'
  | 'ERR_CORE_KEYS'
  | 'ERR_CORE_OVERFLOW'
  | 'ERR_CORE_SIZE'
  | 'ERR_CORE_WINDOW'
  | 'ERR_CORE_LATE'
  | 'ERR_CORE_CHANNEL_CLOSED'
  | 'ERR_CORE_SOURCE_USED'
  | 'ERR_CORE_CLOSE'
  | 'ERR_CORE_TIMEOUT'
  | 'ERR_CORE_CHECKPOINT'
  | 'ERR_CORE_ABORTED';

/**
 * Reports a condition of a run that a caller may want to catch.
 *
 * @example Tell one condition from another by its code
 * ```ts
 * const error = new PipelineError('ERR_CORE_OVERFLOW', 'Cannot buffer the item: 10 wait already');
 * assert.equal(error.code, 'ERR_CORE_OVERFLOW');
 * ```
 */
export class PipelineError extends Error {
  /** The condition, stable across versions; messages are not. */
  readonly code: string;

  /**
   * @param code - The condition, `ERR_<PACKAGE>_<CONDITION>`.
   * @param message - What could not be done, what is, and what must be.
   * @param options - `cause`: the error below this one.
   */
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'PipelineError';
    this.code = code;
  }
}

/** How full one edge was. */
export interface EdgeFill {
  /** The stage before which the items waited. */
  readonly stage: string;
  readonly waiting: number;
  /** How many may wait there. */
  readonly highWaterMark: number;
}

/**
 * Says which stage of a pipeline failed, on which item, and why.
 *
 * The user's own error is `cause`, never replaced.
 *
 * @example See where a pipeline failed
 * ```ts
 * const parsed = from(['1', '2', 'three']).pipeThrough(map((text) => JSON.parse(text), { name: 'parse' }));
 * const error = await parsed.toArray().catch((reason) => reason);
 * assert.equal(error.stage, 'parse');
 * assert.equal(error.index, 2);
 * assert.ok(error.cause instanceof SyntaxError);
 * ```
 */
export class StageError extends PipelineError {
  /** The name of the stage that failed. */
  readonly stage: string;
  /** How many items had entered the stage before the one that failed: the first item is 0. */
  readonly index: number;
  /** Which try failed: 1 for the first. */
  readonly attempt: number;
  /** Errors of other items, stages or clean-ups that came while this one was on its way. */
  readonly others: unknown[] = [];
  /** How full every edge of the run was: a full one before a stage says that it was slow. */
  readonly edges: readonly EdgeFill[];
  /** Where the item comes from, in a run with `context: true`. */
  readonly origin: ItemOrigin | undefined;

  /**
   * @param stage - The name of the stage.
   * @param index - The ordinal of the item in that stage, from 0.
   * @param cause - The user's error.
   * @param attempt - Which try failed, from 1.
   * @param edges - How full every edge was.
   * @param origin - Where the item comes from, if that is known.
   */
  constructor(
    stage: string,
    index: number,
    cause: unknown,
    attempt: number = 1,
    edges: readonly EdgeFill[] = [],
    origin?: ItemOrigin,
  ) {
    super('ERR_CORE_STAGE', `Cannot process item ${index} in stage "${stage}": ${messageOf(cause)}`, { cause });
    this.name = 'StageError';
    this.stage = stage;
    this.index = index;
    this.attempt = attempt;
    this.edges = edges;
    this.origin = origin;
  }
}

/** The message of whatever was thrown, in one line. */
export function messageOf(cause: unknown): string {
  try {
    return cause instanceof Error ? cause.message || cause.name : String(cause);
  } catch {
    // A thrown object without a working toString still deserves a report of where it was thrown.
    return 'a value that cannot be shown';
  }
}
