import type { SinkContext, SinkWriter } from '@millrace/core';
import { spend, whenMyTurn } from '@millrace/core/authoring';
import { Attempt } from '../connection/attempt.js';
import { CLOSED, Client, type SqlClient } from '../connection/client.js';
import { DatabaseError, messageOf } from '../errors.js';
import type { BatchEncoder } from './batch-encoder.js';
import { checkBatch } from './column-batch.js';
import { ColumnEncoder } from './column-encoder.js';
import { type Row, RowEncoder } from './row-encoder.js';
import { CHUNK_BYTES, RowWriter } from './row-writer.js';
import { readTarget, type Target } from './table.js';

/** SPEC: PostgreSQL, COPY, binary format: signature, flags, length of the extension. */
const HEADER: Buffer = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');

/** What names of columns and values must not go through. */
const PLAIN = { transform: { undefined: undefined, column: {}, value: {}, row: {} } };

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
  readonly layout: 'rows' | 'columns';
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
    const { table, layout, timeoutMs } = this.#settings;
    const batches = layout === 'columns' ? items.map((item) => columnBatch(table, item)) : [rowBatch(items)];
    const rows = batches.reduce((sum, batch) => sum + batch.rowCount, 0);
    if (rows === 0) return;
    const client = this.#connection();
    const attempt = new Attempt(this.#context.clock, timeoutMs, () => silence(timeoutMs));
    this.#attempt = attempt;
    this.#isCommitting = false;
    client.onLost = () => attempt.fail(CLOSED);
    try {
      await this.#store(client, attempt, batches, rows);
      this.#settings.stored(rows);
    } catch (error) {
      const problem = this.#errorOf(error, client, rows);
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

  async #store(client: Client, attempt: Attempt, batches: readonly Batch[], rows: number): Promise<void> {
    const { table, columns = batches[0]?.columns() ?? [] } = this.#settings;
    this.#target ??= await attempt.step(readTarget(client.sql, table, columns));
    client.answered();
    const query = client.sql.unsafe(this.#target.copy);
    const isHeard = hearErrors(query, attempt);
    const stream = (await attempt.step(query.writable())) as unknown as CopyStream;
    stream.on('error', (error) => attempt.fail(error));
    await this.#send(stream, attempt, this.#target, batches);
    const finished = new Promise<void>((resolve) => stream.once('finish', resolve));
    stream.end();
    // The commit waits, so that a connection that breaks before it leaves no doubt.
    if (isHeard) await attempt.step(finished);
    // Only then has postgres.js let go of the stream, and takes the next query.
    await attempt.step(new Promise((go) => setImmediate(go)));
    this.#isCommitting = true;
    // INVARIANT: a failed COPY is never taken for stored. In a transaction that failed, `commit` answers ROLLBACK.
    const { command } = await attempt.step(client.sql.unsafe('commit'));
    if (command !== 'COMMIT') throw this.#refused(rows, 'the server rolled the transaction back');
  }

  async #send(stream: CopyStream, attempt: Attempt, target: Target, batches: readonly Batch[]): Promise<void> {
    const writer = this.#writer;
    writer.clear();
    writer.reserve(HEADER.length);
    for (const byte of HEADER) writer.uint8(byte);
    for (const batch of batches) {
      const encoder = batch.encoder(target);
      for (let row = 0; row < encoder.rowCount; ) {
        const next = encoder.encode(writer, row);
        if (spend(next - row)) await attempt.step(new Promise<void>(whenMyTurn));
        row = next;
        if (writer.at < CHUNK_BYTES) continue;
        await attempt.step(sent(stream, writer.written()));
        writer.clear();
      }
    }
    writer.reserve(2);
    writer.int16(-1);
    await attempt.step(sent(stream, writer.written()));
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

/** What is stored together: the names of its columns are known before their types, and these before it is encoded. */
interface Batch {
  readonly rowCount: number;
  columns(): readonly string[];
  encoder(target: Target): BatchEncoder;
}

function rowBatch(items: readonly unknown[]): Batch {
  const batches = items.every((item) => Array.isArray(item)) ? (items as Row[][]) : [items as Row[]];
  const rows = batches.length === 1 ? (batches[0] as Row[]) : batches.flat();
  return {
    rowCount: rows.length,
    columns: () => Object.keys(rows[0] ?? {}),
    encoder: (target) => new RowEncoder(target, rows),
  };
}

function columnBatch(table: string, item: unknown): Batch {
  const batch = checkBatch(table, item);
  return {
    rowCount: batch.rowCount,
    columns: () => Object.keys(batch.columns),
    encoder: (target) => new ColumnEncoder(target, batch),
  };
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
