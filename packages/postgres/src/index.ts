export type { SqlClient } from './connection/client.js';
export { type CopyIntoOptions, type CopySink, copyInto } from './copy/copy-into.js';
export { DatabaseError, type DatabaseErrorDetails, type PostgresErrorCode } from './errors.js';
