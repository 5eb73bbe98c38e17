import type { ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, readFileSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { failedStart } from './folder.js';
import { stopServer } from './sweep.js';

/** What to give `postgres()` of postgres.js; `pg` takes the same names. */
export interface EmbeddedConnection {
  /** The folder of the unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** A PostgreSQL server that lives as long as this process, or until it is stopped. */
export interface EmbeddedPostgres extends AsyncDisposable {
  /** The options to connect with, over the unix socket. */
  readonly connection: EmbeddedConnection;
  /** The URL over TCP; `undefined` without a `port`. */
  readonly url: string | undefined;
  /** Where the data are. */
  readonly dataDirectory: string;
  /** The folder of the programs that run. */
  readonly binDirectory: string;
  /** Reads what the server has logged. */
  log(): string;
  /** Stops the server, and removes its folder where it is temporary; the second call waits for the first. */
  stop(): Promise<void>;
}

/** How often the start is looked at. */
const POLL_MS = 10;

/** What a started server is known by. */
interface Started {
  readonly folder: string;
  readonly data: string;
  readonly binDirectory: string;
  readonly password: string;
  readonly port: number | undefined;
  /** The descriptor of the file that it logs to. */
  readonly log: number;
}

/** A server behind its guard. */
export class Server implements EmbeddedPostgres {
  readonly connection: EmbeddedConnection;
  readonly url: string | undefined;
  readonly dataDirectory: string;
  readonly binDirectory: string;
  readonly #guard: ChildProcess;
  readonly #folder: string;
  readonly #exited: Promise<unknown>;
  #stopping: Promise<void> | undefined;
  #log: number | undefined;
  #lastLog = '';

  constructor(guard: ChildProcess, started: Started) {
    const { folder, data, binDirectory, password, port, log } = started;
    this.#guard = guard;
    this.#folder = folder;
    this.#log = log;
    this.#exited = new Promise((done) => {
      guard.once('error', done);
      guard.once('exit', done);
    });
    this.#exited.then(() => guard.stdin?.destroy());
    this.dataDirectory = data;
    this.binDirectory = binDirectory;
    this.connection = { host: folder, port: port ?? 5432, user: 'postgres', password, database: 'postgres' };
    this.url = port === undefined ? undefined : `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  }

  /** Waits until the server says in its pid file that it is ready, as `pg_ctl` does. */
  async ready(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!this.#isReady()) {
      const ended = await Promise.race([this.#exited.then(() => true), new Promise((go) => setTimeout(go, POLL_MS))]);
      const isLate = performance.now() > deadline;
      if (ended !== true && !isLate) continue;
      await this.stop();
      const log = this.log().trim();
      const why = isLate ? `it is not ready after ${timeoutMs} ms` : 'its programs ended';
      throw failedStart(`${why}. What they printed:\n${log}`);
    }
  }

  log(): string {
    if (this.#log !== undefined) {
      const bytes = Buffer.alloc(fstatSync(this.#log).size);
      this.#lastLog = bytes.toString('utf8', 0, readSync(this.#log, bytes, 0, bytes.length, 0));
    }
    return this.#lastLog;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    this.#guard.ref();
    this.#guard.stdin?.end();
    await this.#exited;
    // Where the guard was killed, the server is stopped here.
    stopServer(this.#folder, this.dataDirectory);
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    this.log();
    closeSync(this.#log as number);
    this.#log = undefined;
  }

  #isReady(): boolean {
    try {
      return readFileSync(join(this.dataDirectory, 'postmaster.pid'), 'utf8').split('\n')[7]?.trim() === 'ready';
    } catch {
      return false;
    }
  }
}
