import { PipelineError } from '@millrace/core';

/** The codes of the errors that `@millrace/postgres` makes; wrong arguments are `ERR_CORE_ARGUMENT`. */
export type PostgresErrorCode =
  | 'ERR_POSTGRES_BINARIES'
  | 'ERR_POSTGRES_START'
  | 'ERR_POSTGRES_CONNECT'
  | 'ERR_POSTGRES_LOST'
  | 'ERR_POSTGRES_TIMEOUT'
  | 'ERR_POSTGRES_IN_DOUBT'
  | 'ERR_POSTGRES_LOOKUP'
  | 'ERR_POSTGRES_TABLE'
  | 'ERR_POSTGRES_COLUMN'
  | 'ERR_POSTGRES_TYPE'
  | 'ERR_POSTGRES_VALUE'
  | 'ERR_POSTGRES_COPY';

/** Where in the database and in a batch a {@link DatabaseError} happened. */
export interface DatabaseErrorDetails {
  /** The error below this one. */
  readonly cause?: unknown;
  /** The table, as it was named. */
  readonly table?: string;
  /** The column. */
  readonly column?: string;
  /** The row within its batch, from 0. */
  readonly row?: number;
}

/**
 * Reports what went wrong between a pipeline and PostgreSQL.
 *
 * The server's own error, where there is one, is `cause`, and its SQLSTATE is `sqlState`.
 *
 * @example Tell a lost connection from a value that does not fit
 * ```ts
 * const error = new DatabaseError('ERR_POSTGRES_VALUE', 'Cannot store the row', { column: 'delay', row: 3 });
 * assert.equal(error.code, 'ERR_POSTGRES_VALUE');
 * assert.equal(error.column, 'delay');
 * ```
 */
export class DatabaseError extends PipelineError {
  declare readonly code: PostgresErrorCode;
  /** The five characters of PostgreSQL's own error code, where the server reported one. */
  readonly sqlState: string | undefined;
  /** The table, where the error is about one. */
  readonly table: string | undefined;
  /** The column, where the error is about one. */
  readonly column: string | undefined;
  /** The row within its batch, from 0, where the error is about one. */
  readonly row: number | undefined;

  /**
   * @param code - The condition.
   * @param message - What could not be done, what is, and what must be.
   * @param details - The cause, and where it happened.
   */
  constructor(code: PostgresErrorCode, message: string, details: DatabaseErrorDetails = {}) {
    super(code, message, 'cause' in details ? { cause: details.cause } : undefined);
    this.name = 'DatabaseError';
    this.sqlState = sqlStateOf(details.cause);
    this.table = details.table;
    this.column = details.column;
    this.row = details.row;
  }
}

/** The SQLSTATE of an error of the server; `undefined` for any other. */
export function sqlStateOf(cause: unknown): string | undefined {
  const code = (cause as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E') ? code : undefined;
}

/** The message of whatever was thrown. */
export function messageOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // Node reports several refused addresses as an AggregateError without a message.
  const first = (cause as AggregateError).errors?.[0];
  return cause.message || (first instanceof Error ? first.message : cause.name);
}
