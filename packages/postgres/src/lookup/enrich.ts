import type { ErrorPolicy, FailedItem, RetryOptions, Stage } from '@millrace/core';
import {
  checkBoolean,
  checkCount,
  checkFunction,
  checkMs,
  checkOptions,
  edgeMark,
  itemPolicy,
  openRejects,
  operator,
  outOfRange,
  type Puller,
  type RetryPolicy,
  roomFor,
  wrongType,
} from '@millrace/core/authoring';
import { isSqlClient, type SqlClient } from '../connection/client.js';
import { DatabaseError } from '../errors.js';
import { carried, type EnrichFunctions, EnrichStage } from './enrich-stage.js';
import { CACHE, type CacheInternals, type RowCache, rememberOf } from './row-cache.js';
import type { KeyQuery, LookupKey } from './select-by.js';

/** What is looked up, and how. */
export interface EnrichOptions<I, Row, O> {
  /** The key of an item. `null` and `undefined` count as missing. */
  readonly key: (item: I) => LookupKey;
  /** How rows are found: {@link selectBy}, or a query of your own. */
  readonly query: KeyQuery<Row>;
  /** What goes out, of the item and its row; `undefined` where there is none. */
  readonly into: (item: I, row: Row | undefined) => O;
  /** The most keys in one query. Default: 500. */
  readonly maxBatch?: number;
  /** The most queries at once, each on a connection of its own. Default: 4. */
  readonly inFlight?: number;
  /** How long a query may take, in milliseconds. Default: 5,000. */
  readonly timeoutMs?: number;
  /**
   * Tries a query again that failed, with all its keys, which nobody else asks for meanwhile; their items keep their room, and
   * their places. `when` is told the {@link DatabaseError}, the index of the first of these items and the try; by default only
   * what is about the connection is worth another: the server can't be reached, has too many connections, starts or stops, or
   * ended the session. Not a password that is refused, not a query that is wrong, and not one that took longer than
   * `timeoutMs`, which holds for each try. Default: never.
   */
  readonly retry?: RetryOptions;
  /** How many keys are remembered, with their rows; 0 for none. Default: 10,000. */
  readonly maxEntries?: number;
  /** How long a row is used, in milliseconds from its arrival. Default: 60,000. */
  readonly ttlMs?: number;
  /** How long a key without a row is not asked for again, in milliseconds. Default: 5,000, or `ttlMs` where that is less. */
  readonly missingTtlMs?: number;
  /**
   * What {@link rowCache} made, in place of `maxEntries`, `ttlMs` and `missingTtlMs`, which are its own then. Default: each
   * run has a cache of its own, empty at first.
   */
  readonly cache?: RowCache<NoInfer<Row>>;
  /** Whether items keep their order; if not, each goes as soon as its row is there. Default: `true`. */
  readonly ordered?: boolean;
  /**
   * What happens to an item whose lookup fails or takes too long, where nothing stands in for its row, and to one on which
   * `key`, `into` or the option `fallback` throws: `'fail'`, `'skip'`, `deadLetter(writable)`, or core's `fallback(fn)`, which
   * gives what goes out in place of what `into` should have given. Default: `'fail'`.
   */
  readonly onError?: ErrorPolicy<NoInfer<I>, NoInfer<O> | PromiseLike<NoInfer<O>>>;
  /** How many items may wait before the stage. Default: 256; behind a batch, as many as have 256 members. */
  readonly highWaterMark?: number | QueuingStrategy<NoInfer<I>>;
  /** What an item weighs, as in core's `EdgeOptions`: makes `highWaterMark` one of bytes. Default: every item counts as one. */
  readonly size?: (item: NoInfer<I>) => number;
  /** What the stage is called in errors, plans and figures. Default: `'enrich'`. */
  readonly name?: string;
}

/** What is looked up, and what takes the place of a row that is not there. */
export interface EnrichFallbackOptions<I, Row, O, F = Row> extends Omit<EnrichOptions<I, Row, O>, 'into'> {
  /** What goes out, of the item and its row, or what `fallback` gave for it. */
  readonly into: (item: I, row: Row | F) => O;
  /**
   * Stands in for a row: without an error where there is none, with it where the lookup failed or took too long. The context
   * says which item it is, and how often its key was looked up.
   */
  readonly fallback: (item: I, error: unknown, context: FailedItem) => F;
}

const WHERE = 'enrich()';
const OPTIONS = ['key', 'query', 'into', 'fallback', 'maxBatch', 'inFlight', 'timeoutMs', 'maxEntries', 'ttlMs'];
const MORE_OPTIONS = ['missingTtlMs', 'cache', 'ordered', 'highWaterMark', 'size', 'name', 'onError', 'retry'];

/**
 * Adds to each item its row from a database, with one query for many items.
 *
 * Contract
 * - Order: kept, or that in which rows arrive with `ordered: false`.
 * - Holds: at most `maxBatch × inFlight` items in service and `maxEntries` rows.
 * - Backpressure: takes items while it has room for them in service.
 * - Failure: a lookup that fails or takes longer than `timeoutMs`, behind the tries of `retry`, is answered by `fallback`;
 *   without one, and where `key`, `into` or `fallback` throws, the pipeline fails at the item, or `onError` says what
 *   becomes of it.
 * - Cancel: ends the waits between tries, closes its connections, whatever is under way on them, and cancels upstream with the same reason.
 *
 * The keys that wait go into one query, at most `maxBatch`: under load batches grow, and a single item never waits for
 * one to fill. A key that is being looked up is not asked for again; rows, and that there is none, are remembered for
 * `ttlMs` and `missingTtlMs`, by the run or, with {@link rowCache}, by all that share it. A key that is no value of the
 * column's type fails alone. Opens up to `inFlight` connections of its own, with the options of `sql`, so that slow
 * queries elsewhere don't hold it up and a connection that hangs can be closed without harm to others. A column of an
 * array type arrives as text: select `to_json(…)` of it.
 *
 * @typeParam I - What comes in.
 * @typeParam Row - A row.
 * @typeParam O - What goes out.
 * @param sql - What `postgres()` returned.
 * @param options - `key`, `query`, `into`, and how, with `retry` (default: none) and `onError` (default `'fail'`): see {@link EnrichOptions}; with `fallback`, see {@link EnrichFallbackOptions}.
 * @returns A stage from `I` to `O`.
 * @throws TypeError or RangeError `ERR_CORE_ARGUMENT` when an argument is wrong.
 * @remarks Elsewhere: RxJS –; Rust –; Akka `Slick.flowWithPassThrough`; Node –.
 *
 * @example Add the city of each flight's origin
 * ```ts
 * import { from } from '@millrace/core';
 * import { startPostgres } from '@millrace/postgres/embedded';
 * import postgres from 'postgres';
 * const server = await startPostgres();
 * const sql = postgres(server.connection);
 * await sql`create table airport as select * from (values ('SFO', 'San Francisco'), ('BOS', 'Boston')) as a (code, city)`;
 * const airportsByCode = selectBy<{ code: string; city: string }>('airport', 'code');
 * const flights = [{ origin: 'BOS' }, { origin: 'XXX' }, { origin: 'SFO' }];
 * const cities = await from(flights)
 *   .pipeThrough(enrich(sql, { key: (f) => f.origin, query: airportsByCode, into: (f, airport) => airport?.city ?? f.origin }))
 *   .toArray();
 * assert.deepEqual(cities, ['Boston', 'XXX', 'San Francisco']);
 * await sql.end();
 * await server.stop();
 * ```
 *
 * @example Three tries of a query when the connection fails, then the item as it is
 * ```ts
 * import { fallback, from } from '@millrace/core';
 * import postgres from 'postgres';
 * const sql = postgres({ host: '127.0.0.1', port: 9 }); // nobody is there
 * const stage = enrich(sql, {
 *   key: (code: string) => code,
 *   query: selectBy<{ code: string; city: string }>('airport', 'code'),
 *   into: (code, airport) => airport?.city ?? code,
 *   retry: { attempts: 3, backoffMs: 1 },
 *   onError: fallback((_error, code: string, { attempts }) => `${code} after ${attempts} tries`),
 * });
 * assert.deepEqual(await from(['BOS']).pipeThrough(stage).toArray(), ['BOS after 3 tries']);
 * ```
 */
export function enrich<I, Row, O, F = Row>(sql: SqlClient, options: EnrichFallbackOptions<I, Row, O, F>): Stage<I, O>;
export function enrich<I, Row, O>(sql: SqlClient, options: EnrichOptions<I, Row, O>): Stage<I, O>;
export function enrich<I, Row, O>(
  sql: SqlClient,
  options: EnrichOptions<I, Row, O> | EnrichFallbackOptions<I, Row, O, unknown>,
): Stage<I, O> {
  if (!isSqlClient(sql)) throw wrongType(WHERE, 'sql', sql, 'what postgres() returned');
  checkOptions(WHERE, options, [...OPTIONS, ...MORE_OPTIONS]);
  const { key, into, fallback } = options as unknown as EnrichFunctions;
  for (const [name, value] of Object.entries({ key, into })) checkFunction(WHERE, name, value);
  if (fallback !== undefined) checkFunction(WHERE, 'fallback', fallback);
  const query = options.query as unknown as KeyQuery<unknown>;
  if (typeof query?.rows !== 'function' || typeof query.keyOf !== 'function')
    throw wrongType(WHERE, 'query', query, 'what selectBy() returns, or an object with the functions rows and keyOf');
  const { maxBatch = 500, inFlight = 4, timeoutMs = 5000 } = options;
  const { ordered = true, name = 'enrich' } = options;
  const { highWaterMark, size } = edgeMark(WHERE, options) ?? { highWaterMark: roomFor(256), size: undefined };
  const { onError, retry } = policies(options);
  for (const [what, value] of Object.entries({ maxBatch, inFlight })) checkCount(WHERE, what, value, 1);
  checkMs(WHERE, 'timeoutMs', timeoutMs, 1);
  checkBoolean(WHERE, 'ordered', ordered);
  const functions = { key, into, fallback };
  const { cache, remember } = remembering(options, query);
  const settings = { sql, query, maxBatch, inFlight, timeoutMs, retry, cache, remember };
  return operator<unknown, unknown>({
    name,
    highWaterMark,
    size,
    keepsOrder: ordered,
    inService: maxBatch * inFlight,
    detail: `in ${inFlight} queries of ${maxBatch}`,
    carries: true,
    open(upstream: Puller<unknown>, context) {
      const own = context.carries ? carried(functions) : functions;
      return new EnrichStage(own, ordered, settings, upstream, context, openRejects(onError, context));
    },
  }) as unknown as Stage<I, O>;
}

/** What becomes of failures: as the options say, but for `when`. */
function policies({ onError = 'fail', retry }: { onError?: ErrorPolicy<never, unknown>; retry?: RetryOptions }): {
  readonly onError: ErrorPolicy<unknown, unknown>;
  readonly retry: RetryPolicy | undefined;
} {
  const policy = itemPolicy(WHERE, retry === undefined ? { onError } : { onError, retry });
  if (policy?.retry === undefined) return { onError: policy?.onError ?? 'fail', retry: undefined };
  return { onError: policy.onError, retry: { ...policy.retry, when: policy.retry.when ?? isOfConnection } };
}

/** Whether an error is about the connection, and may be over the next time. */
function isOfConnection(error: unknown): boolean {
  if (!(error instanceof DatabaseError)) return false;
  if (error.code === 'ERR_POSTGRES_LOST') return true;
  // What is not refused by the server for good: who may not come in, and to which database.
  return error.code === 'ERR_POSTGRES_CONNECT' && !/^(28|3D)/.test(error.sqlState ?? '');
}

/** What is remembered: as the options say, or as the cache that was given does. */
function remembering(options: object, query: KeyQuery<unknown>): CacheInternals {
  const { cache, ...others } = options as { readonly cache?: RowCache<unknown> };
  if (cache === undefined) return { cache: undefined, remember: rememberOf(WHERE, options) };
  const internals: CacheInternals | undefined = cache?.[CACHE];
  if (internals === undefined) throw wrongType(WHERE, 'cache', cache, 'what rowCache() returned');
  for (const name of ['maxEntries', 'ttlMs', 'missingTtlMs'] as const) {
    const value = (others as Readonly<Record<string, unknown>>)[name];
    if (value !== undefined) throw outOfRange(WHERE, name, value, 'given to rowCache(), where there is a cache');
  }
  internals.query ??= query;
  if (internals.query !== query) throw outOfRange(WHERE, 'query', query, 'the one whose rows the cache has');
  return internals;
}
