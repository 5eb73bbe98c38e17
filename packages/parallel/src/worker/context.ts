/** What a function of a worker module is told about its item. */
export interface WorkerContext {
  /** How many items entered the stage before this one. */
  readonly index: number;
  /** Which try this is: 1 for the first. */
  readonly attempt: number;
  /**
   * Aborts when the run ends early. Its events reach code that gives the thread away (`await`); code that does not asks
   * {@link WorkerContext.isAborted}.
   */
  readonly signal: AbortSignal;
  /** Whether the run has ended early: true at once, even in the middle of a loop. */
  readonly isAborted: boolean;
}
