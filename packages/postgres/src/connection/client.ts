import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import postgres, { type Sql } from 'postgres';
import { DatabaseError, messageOf, sqlStateOf } from '../errors.js';

/** What `postgres()` returned: its options are used, for connections of the stage's own. */
export interface SqlClient {
  readonly options: object;
}

interface ParsedOptions {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path: string | false | undefined;
  readonly user: string;
  readonly database: string;
  readonly connect_timeout: number;
  readonly connection: object;
  readonly shared: { readonly typeArrayMap: object };
  readonly parsers: Readonly<Record<string, { readonly array?: boolean }>>;
  readonly socket?: (options: object) => Socket | Promise<Socket>;
}

/** Whether a value is what `postgres()` returns; a transaction or a reserved connection is not. */
export function isSqlClient(value: unknown): value is SqlClient {
  const options = (value as Partial<SqlClient> | null | undefined)?.options as Partial<ParsedOptions> | undefined;
  return typeof value === 'function' && Array.isArray(options?.host) && Array.isArray(options.port);
}

/**
 * One connection, once: it is never opened again, and closing its socket settles what is under way on it.
 *
 * INVARIANT: a statement can't reach another session than the one before it, so a `commit` never lands in a new one.
 * The reconnecting of postgres.js is what makes several of its queries hang or report the wrong thing.
 */
export class Client {
  readonly sql: Sql;
  /** Called once when the connection is gone. */
  onLost: (() => void) | undefined;
  readonly #options: ParsedOptions;
  #socket: Socket | undefined;
  #isOpened = false;
  #isUsed = false;
  #isLost = false;

  /**
   * @param client - Whose options to use.
   * @param application - What `pg_stat_activity` shows.
   * @param overrides - Options that differ.
   */
  constructor({ options }: SqlClient, application: string, overrides: object = {}) {
    this.#options = options as ParsedOptions;
    const own = {
      ...options,
      // With several hosts postgres.js waits for a retry that a socket of ours does not make.
      host: [this.#options.host[0]],
      port: [this.#options.port[0]],
      max: 1,
      idle_timeout: null,
      max_lifetime: null,
      no_subscribe: true,
      // A connection that breaks while postgres.js asks for them is an unhandled rejection.
      fetch_types: false,
      parsers: withoutArrays(this.#options.parsers),
      connection: { ...this.#options.connection, application_name: application },
      onclose: undefined,
      shared: { retries: 0, typeArrayMap: this.#options.shared.typeArrayMap },
      ...overrides,
      socket: () => this.#open(),
    };
    this.sql = postgres(own as unknown as postgres.Options<Record<string, never>>) as unknown as Sql;
  }

  /** Whether it is good for another query. */
  get isUsable(): boolean {
    return !this.#isLost;
  }

  /** Notes that the server has answered: what goes wrong from now on is not about connecting. */
  answered(): void {
    this.#isUsed = true;
  }

  /** Gives the connection up at once. The server rolls back what is not committed. */
  drop(): void {
    // Without an error: with one, postgres.js leaves the next query hanging.
    this.#socket?.destroy();
    this.#lose();
    this.sql.end({ timeout: 0 }).catch(() => {
      // Nobody waits for what was under way.
    });
  }

  /** Says goodbye to the server, and waits for it for a second. */
  async end(): Promise<void> {
    await this.sql.end({ timeout: 1 });
    this.#socket?.destroy();
  }

  /** What to report of an error that is about the connection and not about the query; `undefined` for others. */
  connectionError(cause: unknown): DatabaseError | undefined {
    const state = sqlStateOf(cause);
    const place = this.#options.path || `${this.#options.host[0]}:${this.#options.port[0]}`;
    const who = `user "${this.#options.user}", database "${this.#options.database}"`;
    if (!this.#isUsed && (state === undefined ? isSystemCode(cause) : REFUSED.test(state))) {
      const why = `${messageOf(cause)} (there must be a server, and it must let ${who} in)`;
      return new DatabaseError('ERR_POSTGRES_CONNECT', `Cannot connect to PostgreSQL at ${place}: ${why}`, { cause });
    }
    if (state === undefined ? !isSystemCode(cause) : !ENDED.test(state)) return undefined;
    return new DatabaseError(
      'ERR_POSTGRES_LOST',
      `Cannot reach PostgreSQL at ${place} any longer: ${messageOf(cause)}`,
      {
        cause,
      },
    );
  }

  async #open(): Promise<Socket> {
    if (this.#isOpened || this.#isLost) return dying(CLOSED);
    this.#isOpened = true;
    try {
      const socket = await this.#connect();
      // Without it a COPY over TCP waits for acknowledgements: 63–87 ms instead of 0.5–8.
      socket.setNoDelay(true);
      socket.once('close', () => this.#lose());
      return socket;
    } catch (error) {
      return dying(error as Error);
    }
  }

  async #connect(): Promise<Socket> {
    const { host, port, path, socket: make, connect_timeout: seconds } = this.#options;
    if (make !== undefined) {
      this.#socket = await make(this.#options);
      return this.#socket;
    }
    let problem: unknown;
    for (let at = 0; at < host.length; at++) {
      const socket = path ? connect(path) : connect(port[at] as number, host[at]);
      this.#socket = socket;
      const timer = setTimeout(() => socket.destroy(silence(seconds)), (seconds || 30) * 1000);
      try {
        await Promise.race([once(socket, 'connect'), once(socket, 'close').then(() => Promise.reject(CLOSED))]);
        // postgres.js checks the certificate against it.
        return Object.assign(socket, { host: host[at], port: port[at] });
      } catch (error) {
        problem = error;
      } finally {
        clearTimeout(timer);
      }
    }
    throw problem;
  }

  #lose(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.onLost?.();
  }
}

/** Stands for the end of a connection that nobody gave a reason for. */
export const CLOSED: Error = Object.assign(new Error('the connection was closed'), { code: 'CONNECTION_CLOSED' });

function silence(seconds: number): Error {
  return Object.assign(new Error(`there was no answer within ${seconds} s`), { code: 'CONNECT_TIMEOUT' });
}

/** No such user, password or database; too many connections; starting or stopping. */
const REFUSED: RegExp = /^(28|3D000|53300|57P0[123])/;
/** The session was ended by the server. */
const ENDED: RegExp = /^(08|57P0[1235])/;

/** Whether an error is of the system, of TLS or of postgres.js, and not of the user's or this package's code. */
function isSystemCode(cause: unknown): boolean {
  const code = (cause as { code?: unknown } | null)?.code;
  return (
    typeof code === 'string' && !/^ERR_(?!TLS|SSL)/.test(code) && sqlStateOf(cause) === undefined && !GENERIC.test(code)
  );
}

/** What postgres.js itself refuses about a query. */
const GENERIC: RegExp =
  /^(UNDEFINED_VALUE|NOT_TAGGED_CALL|MAX_PARAMETERS_EXCEEDED|UNSAFE_TRANSACTION|COPY_IN_PROGRESS)$/;

/**
 * A socket that fails as soon as postgres.js listens to it. PERF is no concern; a factory that throws is: postgres.js
 * then leaves the connection in a state in which the next query hangs.
 */
function dying(error: Error): Socket {
  const socket = new Socket();
  setImmediate(() => socket.destroy(error));
  return socket;
}

/** Arrays come as text, whether or not the user's client has learned their types by now. */
function withoutArrays(parsers: ParsedOptions['parsers']): ParsedOptions['parsers'] {
  return Object.fromEntries(Object.entries(parsers).filter(([, parser]) => parser.array !== true));
}
