export { DatabaseError, type DatabaseErrorDetails, type PostgresErrorCode } from './errors.js';
