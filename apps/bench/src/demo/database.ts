import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SERVER_SETTINGS } from '@millrace/demo/parts';
import { startPostgres } from '@millrace/postgres/embedded';
import postgres from 'postgres';

/** A PostgreSQL as the demo starts it for itself, so that its CPU time and its rows can be looked at. */
export interface Database {
  /** The number of its first process. */
  readonly pid: number;
  /** What tells programs where it is, as variables of their environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Says in a short text which rows are in table `flight`, in whatever order. */
  digest(): Promise<string>;
  stop(): Promise<void>;
}

/** Starts it. */
export async function startDatabase(): Promise<Database> {
  const server = await startPostgres({ settings: SERVER_SETTINGS });
  const { host, port, user, password } = server.connection;
  const [pid] = readFileSync(join(server.dataDirectory, 'postmaster.pid'), 'utf8').split('\n');
  return {
    pid: Number(pid),
    env: { PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password },
    async digest() {
      const sql = postgres({ ...server.connection, max: 1 });
      try {
        const [row] = await sql<{ digest: string }[]>`
          select count(*) || ' rows ' || coalesce(sum(hash_record_extended(flight, 0)), 0) as digest from flight`;
        return row?.digest ?? '';
      } finally {
        await sql.end();
      }
    },
    stop: () => server.stop(),
  };
}
