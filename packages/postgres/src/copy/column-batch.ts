import { DatabaseError } from '../errors.js';
import type { Column } from './table.js';

/** A column whose values are few and often the same: for each row, which of them it has. */
export interface DictionaryColumn {
  /** For each row the place of its value in `values`. */
  readonly indexes: ArrayLike<number>;
  readonly values: ArrayLike<unknown>;
}

/** A column of a batch: a typed array, an array, or a dictionary. */
export type CopyColumn = ArrayLike<unknown> | DictionaryColumn;

/** Many rows as one item: a column is an array of as many values. A row group of `parquet()` is one. */
export interface ColumnBatch<Row extends object = Readonly<Record<string, unknown>>> {
  readonly rowCount: number;
  readonly columns: { readonly [Name in keyof Row]: CopyColumn };
}

/** Whether a column is a dictionary. */
export function isDictionary(column: CopyColumn): column is DictionaryColumn {
  return 'indexes' in column;
}

/** Gives the columns of a batch in the order of the COPY; throws where one is missing, or has another length. */
export function columnsOf(table: string, batch: unknown, wanted: readonly Column[]): CopyColumn[] {
  const { rowCount, columns } = checkBatch(table, batch);
  return wanted.map(({ name }) => {
    const column: unknown = Object.hasOwn(columns, name) ? columns[name] : undefined;
    const length = lengthOf(column);
    if (length === rowCount) return column as CopyColumn;
    const what = length === undefined ? 'is not there' : `has ${length} values`;
    const why = `column "${name}" ${what} (must be an array of ${rowCount} values, or their indexes and values)`;
    throw new DatabaseError('ERR_POSTGRES_VALUE', `${place(table)}: ${why}`, { table, column: name });
  });
}

/** Refuses what is no batch of columns. */
export function checkBatch(table: string, batch: unknown): ColumnBatch {
  const { rowCount, columns } = (batch ?? {}) as Partial<ColumnBatch>;
  if (Number.isSafeInteger(rowCount) && (rowCount as number) >= 0 && typeof columns === 'object' && columns !== null) {
    return batch as ColumnBatch;
  }
  const why = 'it is something else than columns (must be an object with rowCount and columns)';
  throw new DatabaseError('ERR_POSTGRES_VALUE', `${place(table)}: ${why}`, { table });
}

function lengthOf(column: unknown): number | undefined {
  if (typeof column !== 'object' || column === null) return undefined;
  if (!isDictionary(column as CopyColumn)) return (column as { length?: number }).length;
  const { indexes, values } = column as Partial<DictionaryColumn>;
  return values?.length === undefined ? undefined : indexes?.length;
}

function place(table: string): string {
  return `Cannot write the batch to table "${table}"`;
}
