import { type EmbeddedPostgres, startPostgres } from '@millrace/postgres/embedded';
import postgres, { type Sql } from 'postgres';
import { DataError } from './data.js';

/** The database that the demo stores into and asks. */
export interface Database {
  readonly sql: Sql;
  /** For the output: what it is, without the password. */
  readonly name: string;
  /** Gives up what is under way. */
  drop(): void;
  /** Says goodbye, and stops the server where it is the demo's own. */
  close(): Promise<void>;
}

/** The settings of the demo's own server: what is gone with the process needs neither cleaning nor a copy for others. */
export const SERVER_SETTINGS: Readonly<Record<string, string | number | boolean>> = {
  autovacuum: false,
  wal_level: 'minimal',
  max_wal_senders: 0,
  shared_buffers: '64MB',
  max_wal_size: '512MB',
};
const CONNECT_TIMEOUT_S = 10;

/**
 * Connects to a database, or starts one that ends with this process.
 *
 * @param url - An existing PostgreSQL; `undefined` for one of the demo's own.
 * @throws DataError when it cannot be reached, or lets nobody in.
 */
export async function openDatabase(url: string | undefined): Promise<Database> {
  const server = url === undefined ? await startPostgres({ settings: SERVER_SETTINGS }) : undefined;
  const sql = connect(server, url);
  const database: Database = {
    sql,
    name: server === undefined ? `${hostOf(sql)}/${sql.options.database}` : 'a PostgreSQL of its own',
    drop() {
      sql.end({ timeout: 0 }).catch(() => {});
    },
    async close() {
      await sql.end({ timeout: 1 });
      await server?.stop();
    },
  };
  try {
    await sql`select 1`;
    return database;
  } catch (error) {
    await database.close();
    throw databaseProblem(`use the database at ${hostOf(sql)}`, error, 'it must be there, and let this user in');
  }
}

/** Makes one readable line of what a database said. */
export function databaseProblem(action: string, cause: unknown, must: string): DataError {
  // Node reports several refused addresses as an error without a message.
  const first = (cause as AggregateError).errors?.[0] ?? cause;
  const what = first instanceof Error ? first.message : String(first);
  return new DataError(`Cannot ${action}: ${what.split('\n')[0]} (${must})`, { cause });
}

function connect(server: EmbeddedPostgres | undefined, url: string | undefined): Sql {
  const options = { max: 2, onnotice: () => {}, connect_timeout: CONNECT_TIMEOUT_S };
  if (server !== undefined) return postgres({ ...server.connection, ...options });
  try {
    if (!/^postgres(ql)?:\/\//.test(url as string)) throw new TypeError('it is no address of a PostgreSQL');
    return postgres(url as string, options);
  } catch (error) {
    throw databaseProblem('use the database', error, 'it must look like postgres://user:password@host:5432/name');
  }
}

function hostOf({ options }: Sql): string {
  return `${options.host[0]}:${options.port[0]}`;
}
