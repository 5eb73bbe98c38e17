import { wrongType } from '@millrace/core/authoring';
import type { Sql } from 'postgres';

/** What items are looked up by; `null` and `undefined` are missing without being asked for. */
export type LookupKey = string | number | bigint | null | undefined;

/** How the rows of many keys are asked for, and which key a row belongs to. */
export interface KeyQuery<Row> {
  /**
   * Asks for the rows of all keys at once.
   *
   * @param sql - A connection of the stage's own, with the options of the user's.
   * @param keys - The keys as the text of an array, for `= any(${keys})`; give it a cast (`::int[]`) where the server
   *   can't see the type.
   */
  rows(sql: Sql, keys: string): PromiseLike<readonly Row[]>;
  /** The key of a row; as texts it and the item's are the same. */
  keyOf(row: Row): LookupKey;
}

/**
 * Makes the query for rows of one table by one column.
 *
 * @typeParam Row - What a row has.
 * @param table - The table, with its schema where needed, written as in the catalog: case counts.
 * @param key - The column to look up by; should have a unique index. Where rows share a key, any one of them is taken.
 * @param columns - The columns to read, beside the key. Default: all.
 * @returns The query, for `enrich()`.
 * @throws TypeError `ERR_CORE_ARGUMENT` when an argument is wrong.
 *
 * @example Say once how airports are found
 * ```ts
 * const airportsByCode = selectBy<{ code: string; city: string }>('airport', 'code', ['city']);
 * assert.equal(airportsByCode.keyOf({ code: 'SFO', city: 'San Francisco' }), 'SFO');
 * ```
 */
export function selectBy<Row extends object>(
  table: string,
  key: keyof Row & string,
  columns?: readonly (keyof Row & string)[],
): KeyQuery<Row> {
  for (const [name, value] of Object.entries({ table, key })) {
    if (typeof value !== 'string' || value === '') throw wrongType('selectBy()', name, value, 'a name');
  }
  if (columns !== undefined && !Array.isArray(columns))
    throw wrongType('selectBy()', 'columns', columns, 'an array of names');
  const list: string[] | undefined = columns === undefined ? undefined : [...new Set<string>([key, ...columns])];
  return {
    rows: (sql, keys) => {
      const what = list === undefined ? sql`*` : sql(list);
      const where = sql`where ${sql(key as string)} = any(${keys})`;
      return sql`select ${what} from ${sql(table)} ${where}` as unknown as PromiseLike<Row[]>;
    },
    keyOf: (row) => row[key] as LookupKey,
  };
}
