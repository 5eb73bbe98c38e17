export { CodecError, type CodecErrorCode, type CodecErrorOptions } from './codec-error.js';
export type { ColumnKind, NumberColumn, ParquetColumn, StringColumn } from './parquet/column.js';
export { type ParquetOptions, parquet } from './parquet/parquet.js';
export {
  type ColumnRequest,
  type ParquetFile,
  type ReadRowGroupsOptions,
  type RowGroup,
  type RowGroupColumns,
  readRowGroups,
} from './parquet/read-row-groups.js';
