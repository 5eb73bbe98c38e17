export { cbor } from './cbor/cbor.js';
export type { CborDecodeOptions } from './cbor/decode.js';
export type { CborEncodeOptions } from './cbor/encode.js';
export { CodecError, type CodecErrorCode, type CodecErrorOptions } from './codec-error.js';
export { gunzip } from './gzip/gunzip.js';
export { type GzipOptions, gzip } from './gzip/gzip.js';
export type { NdjsonDecodeOptions } from './ndjson/decode.js';
export type { NdjsonEncodeOptions } from './ndjson/encode.js';
export { ndjson } from './ndjson/ndjson.js';
export type { ColumnKind, NumberColumn, ParquetColumn, StringColumn } from './parquet/column.js';
export { type ParquetOptions, parquet } from './parquet/parquet.js';
export {
  type ColumnRequest,
  type ParquetFile,
  type ReadRowGroupsOptions,
  type RowGroup,
  type RowGroupColumns,
  readRowGroups,
  type WantedKind,
} from './parquet/read-row-groups.js';
export type { StringDictionary } from './parquet/string-dictionary.js';
export type { StandardSchema, StandardSchemaResult } from './standard-schema.js';
