import type { SinkContext, SinkWriter } from '@millrace/core';
import { spend, whenMyTurn } from '@millrace/core/authoring';
import { Attempt } from '../connection/attempt.js';
import { CLOSED, Client, type SqlClient } from '../connection/client.js';
import { DatabaseError, messageOf } from '../errors.js';
import { CHUNK_BYTES, RowWriter } from './row-writer.js';
import { readTarget, type Target } from './table.js';

/** SPEC: PostgreSQL, COPY, binary format: signature, flags, length of the extension. */
const HEADER: Buffer = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');

/** What names of columns and values must not go through. */
const PLAIN = { transform: { undefined: undefined, column: {}, value: {}, row: {} } };

type Row = Readonly<Record<string, unknown>>;

interface CopyStream {
  write(chunk: Buffer, done: (error?: Error | null) => void): boolean;
  end(): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  once(event: 'finish', listener: () => void): unknown;
}

/** What a {@link CopyWriter} is made with. */
export interface CopySettings {
  readonly sql: SqlClient;
  readonly table: string;
  readonly columns: readonly string[] | undefined;
  readonly timeoutMs: number;
  readonly stored: (rows: number) => void;
}

/** Stores each burst by one COPY in one transaction, on a connection of its own. */
export class CopyWriter implements SinkWriter<unknown> {
  readonly #settings: CopySettings;
  readonly #context: SinkContext;
  readonly #writer = new RowWriter();
  #client: Client | undefined;
  #attempt: Attempt | undefined;
  #target: Target | undefined;
  #isCommitting = false;

  constructor(settings: CopySettings, context: SinkContext) {
    this.#settings = settings;
    this.#context = context;
  }

  async write(items: readonly unknown[]): Promise<void> {
    const batches = items.every((item) => Array.isArray(item)) ? (items as Row[][]) : [items as Row[]];
    const rows = batches.length === 1 ? (batches[0] as Row[]) : batches.flat();
    if (rows.length === 0) return;
    const client = this.#connection();
    const { timeoutMs } = this.#settings;
    const attempt = new Attempt(this.#context.clock, timeoutMs, () => silence(timeoutMs));
    this.#attempt = attempt;
    this.#isCommitting = false;
    client.onLost = () => attempt.fail(CLOSED);
    try {
      await this.#store(client, attempt, rows);
      this.#settings.stored(rows.length);
    } catch (error) {
      const problem = this.#errorOf(error, client, rows.length);
      client.drop();
      throw problem;
    }
  }

  async close(): Promise<void> {
    await this.#client?.end();
  }

  abort(): void {
    this.#attempt?.abandon();
    this.#client?.drop();
  }

  #connection(): Client {
    if (this.#client?.isUsable !== true) {
      this.#client = new Client(this.#settings.sql, `millrace ${this.#context.name}`, PLAIN);
    }
    return this.#client;
  }

  async #store(client: Client, attempt: Attempt, rows: readonly Row[]): Promise<void> {
    const { table, columns = Object.keys(rows[0] ?? {}) } = this.#settings;
    this.#target ??= await attempt.step(readTarget(client.sql, table, columns));
    client.answered();
    const query = client.sql.unsafe(this.#target.copy);
    const isHeard = hearErrors(query, attempt);
    const stream = (await attempt.step(query.writable())) as unknown as CopyStream;
    stream.on('error', (error) => attempt.fail(error));
    await this.#send(stream, attempt, this.#target, rows);
    const finished = new Promise<void>((resolve) => stream.once('finish', resolve));
    stream.end();
    // The commit waits, so that a connection that breaks before it leaves no doubt.
    if (isHeard) await attempt.step(finished);
    // Only then has postgres.js let go of the stream, and takes the next query.
    await attempt.step(new Promise((go) => setImmediate(go)));
    this.#isCommitting = true;
    // INVARIANT: a failed COPY is never taken for stored. In a transaction that failed, `commit` answers ROLLBACK.
    const { command } = await attempt.step(client.sql.unsafe('commit'));
    if (command !== 'COMMIT') throw this.#refused(rows.length, 'the server rolled the transaction back');
  }

  async #send(stream: CopyStream, attempt: Attempt, { columns }: Target, rows: readonly Row[]): Promise<void> {
    const writer = this.#writer;
    writer.clear();
    writer.reserve(HEADER.length);
    for (const byte of HEADER) writer.uint8(byte);
    let from = 0;
    for (let at = 0; at < rows.length; at++) {
      this.#encode(columns, rows[at] as Row, at);
      if (writer.at < CHUNK_BYTES) continue;
      await attempt.step(sent(stream, writer.written()));
      writer.clear();
      if (spend(at + 1 - from)) await attempt.step(new Promise<void>(whenMyTurn));
      from = at + 1;
    }
    writer.reserve(2);
    writer.int16(-1);
    await attempt.step(sent(stream, writer.written()));
  }

  #encode(columns: Target['columns'], row: Row, at: number): void {
    const writer = this.#writer;
    if (typeof row !== 'object' || row === null) throw this.#misfit(at, 'it is not an object (must be a row)');
    writer.reserve(2 + 4 * columns.length);
    writer.int16(columns.length);
    for (const { name, encode } of columns) {
      const value = row[name];
      if (value === null) {
        writer.reserve(4);
        writer.int32(-1);
        continue;
      }
      const problem = value === undefined ? 'undefined (must be a value, or null)' : encode(writer, value);
      if (problem === undefined) continue;
      throw this.#misfit(at, `column "${name}" is ${problem}`, name);
    }
  }

  #misfit(row: number, why: string, column?: string): DatabaseError {
    const { table } = this.#settings;
    const message = `Cannot write row ${row} of the batch to table "${table}": ${why}`;
    return new DatabaseError('ERR_POSTGRES_VALUE', message, { table, row, ...(column !== undefined && { column }) });
  }

  #errorOf(cause: unknown, client: Client, rows: number): DatabaseError {
    const { table } = this.#settings;
    const isTimeout = cause instanceof DatabaseError && cause.code === 'ERR_POSTGRES_TIMEOUT';
    const lost = isTimeout ? cause : client.connectionError(cause);
    if (lost !== undefined && this.#isCommitting) {
      const why = `the server did not answer the commit of ${rows} rows: ${messageOf(cause)}`;
      const look = 'they are stored, all or none: the table must be looked at';
      const message = `Cannot say what is in table "${table}": ${why} (${look})`;
      return new DatabaseError('ERR_POSTGRES_IN_DOUBT', message, { cause, table });
    }
    if (cause instanceof DatabaseError) return cause;
    return lost ?? this.#refused(rows, messageOf(cause), cause);
  }

  #refused(rows: number, why: string, cause?: unknown): DatabaseError {
    const { table } = this.#settings;
    const { where = '', column_name: column } = (cause ?? {}) as { where?: string; column_name?: string };
    const line = /^COPY .*?, line (\d+)(?:, column (\w+))?/.exec(where);
    return new DatabaseError('ERR_POSTGRES_COPY', `Cannot write ${rows} rows to table "${table}": ${why}`, {
      ...(cause !== undefined && { cause }),
      table,
      ...definedOnly(column ?? line?.[2], line?.[1]),
    });
  }
}

function definedOnly(column: string | undefined, line: string | undefined): { column?: string; row?: number } {
  return { ...(column !== undefined && { column }), ...(line !== undefined && { row: Number(line) - 1 }) };
}

function silence(timeoutMs: number): DatabaseError {
  const why = `the server has not answered for ${timeoutMs} ms (must within timeoutMs)`;
  return new DatabaseError('ERR_POSTGRES_TIMEOUT', `Cannot finish the batch: ${why}`);
}

/**
 * Hears the error of a COPY also when all data were sent: postgres.js tells then nobody but its own query, whose promise
 * was settled with the stream long ago.
 *
 * @returns Whether it can: without it, only the commit tells.
 */
function hearErrors(query: object, attempt: Attempt): boolean {
  const internals = query as { reject?: (error: unknown) => void };
  const reject = internals.reject;
  if (typeof reject !== 'function') return false;
  internals.reject = (error) => {
    attempt.fail(error);
    reject(error);
  };
  return true;
}

function sent(stream: CopyStream, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}
