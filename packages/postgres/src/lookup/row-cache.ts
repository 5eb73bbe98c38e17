import { checkCount, checkMs, checkOptions } from '@millrace/core/authoring';
import { ClockCache } from './clock-cache.js';
import type { EntryCache, Remember } from './lookups.js';
import type { KeyQuery, LookupKey } from './select-by.js';

/** Where `enrich()` finds what a cache is made of. */
export const CACHE: unique symbol = Symbol('millrace.rowCache');

declare const ROW: unique symbol;

/** How much is remembered, and how long. */
export interface RowCacheOptions {
  /** How many keys are remembered, with their rows; 0 for none. Default: 10,000. */
  readonly maxEntries?: number;
  /** How long a row is used, in milliseconds from its arrival. Default: 60,000. */
  readonly ttlMs?: number;
  /** How long a key without a row is not asked for again, in milliseconds. Default: 5,000, or `ttlMs` where that is less. */
  readonly missingTtlMs?: number;
}

/**
 * Rows that outlive a run. Made by {@link rowCache}.
 *
 * @typeParam Row - A row.
 */
export interface RowCache<Row> {
  /** How many keys it remembers, those included whose time is over and that nobody has asked for since. */
  readonly size: number;
  /** Forgets a key: its row has changed. A lookup that is under way is not affected. */
  delete(key: LookupKey): void;
  /** Forgets all. */
  clear(): void;
  /** @internal */
  readonly [CACHE]: CacheInternals;
  /** @internal */
  readonly [ROW]?: Row;
}

/** What a cache is made of. */
export interface CacheInternals {
  readonly cache: EntryCache | undefined;
  readonly remember: Remember;
  /** The query whose rows it has, once a stage uses it. */
  query?: KeyQuery<unknown>;
}

/**
 * Makes a cache for `enrich()` that lives as long as you keep it: for many short runs, or several stages of one query.
 *
 * It has the rows of one query and one database; a stage with another query is refused. Rows are remembered for `ttlMs`,
 * missing ones for `missingTtlMs`, failed lookups never. Beyond `maxEntries` goes what was not used for long. Times are
 * those of the clock of the runs, which must be the same one for all. Runs side by side may look the same key up at once.
 *
 * @typeParam Row - A row.
 * @param options - `maxEntries` (default 10,000), `ttlMs` (default 60,000), `missingTtlMs` (default 5,000 or `ttlMs`).
 * @returns The cache, for the option `cache`.
 * @throws TypeError or RangeError `ERR_CORE_ARGUMENT` when an option is wrong.
 *
 * @example One cache for every request
 * ```ts
 * import { from } from '@millrace/core';
 * import { startPostgres } from '@millrace/postgres/embedded';
 * import postgres from 'postgres';
 * const server = await startPostgres();
 * const sql = postgres(server.connection);
 * await sql`create table airport as select * from (values ('SFO', 'San Francisco'), ('BOS', 'Boston')) as a (code, city)`;
 * const query = selectBy<{ code: string; city: string }>('airport', 'code');
 * const cache = rowCache<{ code: string; city: string }>({ ttlMs: 600_000 });
 * const city = enrich(sql, { key: (code: string) => code, query, into: (_, airport) => airport?.city, cache });
 * assert.deepEqual(await from(['BOS', 'SFO']).pipeThrough(city).toArray(), ['Boston', 'San Francisco']);
 * await sql`drop table airport`;
 * assert.deepEqual(await from(['SFO']).pipeThrough(city).toArray(), ['San Francisco']);
 * await sql.end();
 * await server.stop();
 * ```
 */
export function rowCache<Row>(options: RowCacheOptions = {}): RowCache<Row> {
  checkOptions('rowCache()', options, ['maxEntries', 'ttlMs', 'missingTtlMs']);
  const remember = rememberOf('rowCache()', options);
  const cache: EntryCache = new ClockCache(remember.maxEntries);
  return {
    get size() {
      return cache.size;
    },
    delete: (key) => cache.delete(String(key)),
    clear: () => cache.clear(),
    [CACHE]: { cache, remember },
  };
}

/** Checks what is to be remembered, and puts defaults in. */
export function rememberOf(where: string, options: RowCacheOptions): Remember {
  const { maxEntries = 10_000, ttlMs = 60_000 } = options;
  const { missingTtlMs = Math.min(5000, ttlMs) } = options;
  checkCount(where, 'maxEntries', maxEntries, 0);
  for (const [what, value] of Object.entries({ ttlMs, missingTtlMs })) checkMs(where, what, value, 0);
  return { maxEntries, ttlMs, missingTtlMs };
}
