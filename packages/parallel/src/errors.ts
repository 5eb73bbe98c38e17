import { PipelineError } from '@millrace/core';

/**
 * The codes of the errors that `@millrace/parallel` makes: causes of the {@link StageError} that a run fails with.
 *
 * @example Tell a worker that died from a function that threw
 * ```ts
 * const code: ParallelErrorCode = 'ERR_PARALLEL_WORKER_DIED';
 * assert.match(code, /^ERR_PARALLEL_/);
 * ```
 */
export type ParallelErrorCode =
  | 'ERR_PARALLEL_WORKER_DIED'
  | 'ERR_PARALLEL_TIMEOUT'
  | 'ERR_PARALLEL_MODULE'
  | 'ERR_PARALLEL_EXPORT'
  | 'ERR_PARALLEL_CLOSED';

/** Makes an error of this package. */
export function parallelError(code: ParallelErrorCode, message: string, cause?: unknown): PipelineError {
  return new PipelineError(code, message, cause === undefined ? {} : { cause });
}
