export type { SqlClient } from './connection/client.js';
export type { ColumnBatch, CopyColumn, DictionaryColumn } from './copy/column-batch.js';
export { type CopyIntoOptions, type CopySink, copyInto } from './copy/copy-into.js';
export { DatabaseError, type DatabaseErrorDetails, type PostgresErrorCode } from './errors.js';
export { type EnrichFallbackOptions, type EnrichOptions, enrich } from './lookup/enrich.js';
export { type RowCache, type RowCacheOptions, rowCache } from './lookup/row-cache.js';
export { type KeyQuery, type LookupKey, selectBy } from './lookup/select-by.js';
