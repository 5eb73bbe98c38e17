import { Retries, type RetryPolicy, type StageContext } from '@millrace/core/authoring';
import { Attempt } from '../connection/attempt.js';
import { CLOSED, Client, type SqlClient } from '../connection/client.js';
import { DatabaseError, messageOf, sqlStateOf } from '../errors.js';
import { arrayLiteral, canBeStored } from './array-literal.js';
import { ClockCache } from './clock-cache.js';
import type { KeyQuery, LookupKey } from './select-by.js';

/** What became of a key. */
export class Entry {
  readonly key: string;
  /** The item that asked for it first, as long as it is asked for, and how many items came before that. */
  item: unknown;
  readonly index: number;
  /** `fatal` is an error that nothing may stand in for. */
  state: 'asked' | 'found' | 'missing' | 'failed' | 'fatal' = 'asked';
  /** How often it was looked up. */
  attempts: number = 1;
  row: unknown = undefined;
  error: unknown = undefined;
  expiresMs: number = 0;
  wasUsed: boolean = false;
  /** How many items wait for it. */
  items: number = 0;

  constructor(key: string, item?: unknown, index: number = 0) {
    this.key = key;
    this.item = item;
    this.index = index;
  }
}

/** Keys that are looked up together, for the how manieth time: what failed together is tried again together. */
interface Batch {
  readonly entries: readonly Entry[];
  readonly attempt: number;
}

/** A key that no row can have. */
function never(): Entry {
  const entry = new Entry('');
  entry.state = 'missing';
  return entry;
}

/** How keys are looked up. */
export interface LookupSettings {
  readonly sql: SqlClient;
  readonly query: KeyQuery<unknown>;
  readonly maxBatch: number;
  readonly inFlight: number;
  readonly timeoutMs: number;
  readonly retry: RetryPolicy | undefined;
  /** What is remembered; `undefined` for a cache of each run's own. */
  readonly cache: EntryCache | undefined;
  readonly remember: Remember;
}

/** How much is remembered, and how long. */
export interface Remember {
  readonly maxEntries: number;
  readonly ttlMs: number;
  readonly missingTtlMs: number;
}

/** Entries that are `found` or `missing`. */
export type EntryCache = ClockCache<Entry>;

/** One connection, with at most one query under way. */
interface Lane {
  client: Client | undefined;
  attempt: Attempt | undefined;
}

/** Looks keys up in batches: each key once at a time, on connections of its own, and keeps what it found for a while. */
export class Lookups {
  readonly #settings: LookupSettings;
  readonly #context: StageContext;
  readonly #settled: (entries: readonly Entry[]) => void;
  readonly #cache: EntryCache;
  readonly #asked = new Map<string, Entry>();
  readonly #lanes: Lane[];
  /** What no query has been sent for. */
  #waiting: Entry[] = [];
  /** Parts of batches with a key that the server could not read, and batches whose time to be tried again has come. */
  readonly #parts: Batch[] = [];
  readonly #retries: Retries | undefined;

  /** @param settled - Is told of entries that are no longer `asked`. */
  constructor(settings: LookupSettings, context: StageContext, settled: (entries: readonly Entry[]) => void) {
    this.#settings = settings;
    this.#context = context;
    this.#settled = settled;
    if (settings.retry !== undefined) this.#retries = new Retries(settings.retry, context);
    this.#cache = settings.cache ?? new ClockCache(settings.remember.maxEntries);
    this.#lanes = Array.from({ length: settings.inFlight }, () => ({ client: undefined, attempt: undefined }));
  }

  /** The entry of an item's key: kept, being asked for, or to be asked for at the next `send()`. */
  of(key: LookupKey, nowMs: number, item: unknown, index: number): Entry {
    if (key === null || key === undefined) return never();
    const text = typeof key === 'string' ? key : textOf(key);
    const known = this.#cache.get(text, nowMs) ?? this.#asked.get(text);
    if (known !== undefined) return known;
    if (!canBeStored(text)) return never();
    const entry = new Entry(text, item, index);
    this.#asked.set(text, entry);
    this.#waiting.push(entry);
    return entry;
  }

  /** Sends what waits, as far as lanes are free; the first lane first, so that a trickle opens one connection. */
  send(): void {
    for (const lane of this.#lanes) {
      if (lane.attempt !== undefined) continue;
      const batch = this.#nextBatch();
      if (batch === undefined) return;
      void this.#ask(lane, batch);
    }
  }

  /** Gives up what is under way, and closes the connections. */
  async close(): Promise<void> {
    this.#waiting = [];
    this.#retries?.close();
    const ends = this.#lanes.map(({ client, attempt }) => {
      if (attempt === undefined) return client?.end();
      attempt.abandon();
      return client?.drop();
    });
    await Promise.all(ends);
  }

  #nextBatch(): Batch | undefined {
    const part = this.#parts.pop();
    if (part !== undefined) return part;
    if (this.#waiting.length === 0) return undefined;
    const { maxBatch } = this.#settings;
    if (this.#waiting.length > maxBatch) return { entries: this.#waiting.splice(0, maxBatch), attempt: 1 };
    const entries = this.#waiting;
    this.#waiting = [];
    return { entries, attempt: 1 };
  }

  async #ask(lane: Lane, batch: Batch): Promise<void> {
    const { sql, query, timeoutMs } = this.#settings;
    const { entries } = batch;
    const began = this.#context.began();
    if (lane.client?.isUsable !== true) lane.client = new Client(sql, `millrace ${this.#context.name}`);
    const { client } = lane;
    const attempt = new Attempt(this.#context.clock, timeoutMs, () => late(entries.length, timeoutMs));
    lane.attempt = attempt;
    client.onLost = () => attempt.fail(CLOSED);
    try {
      const keys = arrayLiteral(entries.map(({ key }) => key));
      const rows = await attempt.step(Promise.resolve(query.rows(client.sql, keys)));
      client.answered();
      this.#take(batch, rows);
    } catch (cause) {
      this.#fail(batch, cause, client);
    }
    lane.attempt = undefined;
    const done = entries.filter(({ state }) => state !== 'asked');
    let items = 0;
    for (const entry of done) items += entry.items;
    this.#context.served(items, began);
    this.send();
    if (done.length > 0) this.#settled(done);
  }

  #take({ entries, attempt }: Batch, rows: readonly unknown[]): void {
    const { query, remember } = this.#settings;
    refuseIncomplete(rows);
    const nowMs = this.#context.clock.now();
    for (const row of rows) {
      const key = query.keyOf(row);
      // Otherwise a column of another name would look like rows that are all missing.
      if (key === null || key === undefined) throw new Error(`keyOf() gave ${key} for a row (${KEY_OF_ROW})`);
      const entry = this.#asked.get(typeof key === 'string' ? key : String(key));
      // The first row of a key counts; one that nobody asked for does not.
      if (entry !== undefined && entry.row === undefined) entry.row = row;
    }
    for (const entry of entries) {
      this.#settle(entry, entry.row === undefined ? 'missing' : 'found', attempt);
      entry.expiresMs = nowMs + (entry.row === undefined ? remember.missingTtlMs : remember.ttlMs);
      this.#cache.set(entry);
    }
  }

  #fail({ entries, attempt }: Batch, cause: unknown, client: Client): void {
    const { length } = entries;
    const lost = cause instanceof DatabaseError ? cause : client.connectionError(cause);
    if (lost === undefined && sqlStateOf(cause)?.startsWith('22') === true && length > 1) {
      // One key that is no value of the column's type must not cost the others their rows.
      const middle = length >> 1;
      const halves = [entries.slice(middle), entries.slice(0, middle)];
      for (const half of halves) this.#parts.push({ entries: half, attempt });
      return;
    }
    if (lost !== undefined) client.drop();
    const why = `Cannot look up ${length === 1 ? '1 key' : `${length} keys`}: ${messageOf(cause)}`;
    const error = lost ?? new DatabaseError('ERR_POSTGRES_LOOKUP', why, { cause });
    let ended: unknown = error;
    let state: 'failed' | 'fatal' = 'failed';
    try {
      if (this.#again({ entries, attempt }, error)) return;
    } catch (problem) {
      // `when` threw: that is what ends the run.
      this.#context.alsoFailed(error);
      ended = problem;
      state = 'fatal';
    }
    for (const entry of entries) {
      this.#settle(entry, state, attempt);
      entry.error = ended;
    }
  }

  /** Has a batch wait for another try, if it is worth one: its keys stay asked for. */
  #again({ entries, attempt }: Batch, error: DatabaseError): boolean {
    const { index, item } = entries[0] as Entry;
    const again = (): void => {
      this.#parts.push({ entries, attempt: attempt + 1 });
      this.send();
    };
    return this.#retries?.again(error, index, attempt, item, again) === true;
  }

  #settle(entry: Entry, state: Entry['state'], attempts: number): void {
    entry.state = state;
    entry.attempts = attempts;
    entry.item = undefined;
    this.#asked.delete(entry.key);
  }
}

function late(keys: number, timeoutMs: number): DatabaseError {
  const why = `the server has not answered for ${timeoutMs} ms (must within timeoutMs)`;
  return new DatabaseError('ERR_POSTGRES_TIMEOUT', `Cannot look up ${keys} keys: ${why}`);
}

const KEY_OF_ROW = 'must give the key that the row was asked for by: is the column selected, under this name?';

function textOf(key: unknown): string {
  if (typeof key === 'number' || typeof key === 'bigint') return String(key);
  // As a text, an object would be a key that no row has.
  const why = `it is of type "${typeof key}" (must be a string, a number, a bigint, null or undefined)`;
  throw new DatabaseError('ERR_POSTGRES_LOOKUP', `Cannot look up a key: ${why}`);
}

/** After an error among rows, postgres.js can give the next query a result with holes. */
function refuseIncomplete(rows: readonly unknown[]): void {
  if (!Array.isArray(rows)) throw new Error('rows() gave no rows (must give an array of them)');
  const { count } = rows as { count?: unknown };
  if (typeof count !== 'number' || count === rows.length) return;
  throw new Error(`the result is incomplete: it has ${rows.length} of ${count} rows`);
}
