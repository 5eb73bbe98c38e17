import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { finished } from 'node:stream/promises';
import type { Pipeline } from '@millrace/core';
import { DataError } from '../data.js';
import type { FlightRows } from '../flights.js';
import type { Airport } from '../night/airports.js';
import type { RejectArchive } from '../reject-archive.js';
import { chunksOf } from './body.js';
import { flightSchema } from './flight-schema.js';
import { receive } from './receive.js';
import { isRefusal, type Refusal, routeOf } from './route.js';
import { Turns } from './turns.js';

/** What takes flights over HTTP. */
export interface Ingest {
  /** Where: `http://127.0.0.1:8080/ingest`. */
  readonly url: string;
  /** The flights as they come; for one run, which ends with the ingest. */
  readonly rows: (archive: Pick<RejectArchive, 'keep'>) => Pipeline<FlightRows>;
  /** Takes nothing more, answers who is still sending, and lets go of the port. */
  close(): Promise<void>;
}

/** Where flights are taken, and which. */
export interface ListenOptions {
  /** A port of 127.0.0.1; 0 for any that is free. */
  readonly port: number;
  /** Flights to take; `undefined` for no end. */
  readonly limit: number | undefined;
  /** By code: those that flights may name. */
  readonly airports: ReadonlyMap<string, Airport>;
}

const HOST = '127.0.0.1';
/** Each client holds a chunk, a record and a group at most; who comes when there are so many is turned away. */
const MOST_CLIENTS = 256;
const KEEP_ALIVE_PROBE_MS = 30_000;
/** How long a client may go on sending what nobody reads, until it has seen the answer. */
const LINGER_MS = 1_000;

/**
 * Takes flights over HTTP: `POST` or `PUT /ingest`, with back-pressure to the sockets of the clients. They are read when
 * the run begins.
 *
 * @throws DataError when the port cannot be had.
 */
export async function listen({ port, limit, airports }: ListenOptions): Promise<Ingest> {
  const turns = new Turns(limit);
  const schema = flightSchema(airports);
  const open = new Set<Promise<void>>();
  const server = createServer({ keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS });
  server.maxConnections = MOST_CLIENTS;
  // A body takes as long as the pipeline lets it take.
  server.requestTimeout = 0;

  async function exchange(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const route = routeOf(request);
    if (isRefusal(route)) return refuse(request, response, route);
    await turns.opened;
    if (!isSending(request) && !turns.closed.aborted) {
      response.writeContinue();
      // It is asked for now.
      delete request.headers.expect;
    }
    const { status, receipt } = await receive(chunksOf(request, turns.closed), route, schema, turns);
    await answer(request, response, status, receipt, turns.closed.aborted ? { connection: 'close' } : {});
  }

  function onRequest(request: IncomingMessage, response: ServerResponse): void {
    // A client that leaves is seen where its body ends.
    request.on('error', () => {});
    response.on('error', () => {});
    const done = exchange(request, response).finally(() => open.delete(done));
    open.add(done);
  }
  server.on('request', onRequest).on('checkContinue', onRequest);
  await listening(server, port);
  let closed: Promise<void> | undefined;
  return {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}/ingest`,
    rows: (archive) => turns.rows(archive),
    close() {
      turns.close();
      closed ??= closing(server, open);
      return closed;
    },
  };
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    // Stays on: what goes wrong later, such as too many open files, concerns clients that are not let in.
    server.on('error', (cause: NodeJS.ErrnoException) => {
      const problem = cause.code === 'EADDRINUSE' ? 'the port is taken' : (cause.code ?? cause.message);
      const must = 'it must be a free port of this machine, or 0 for any';
      reject(new DataError(`Cannot take flights on ${HOST}:${port}: ${problem} (${must})`, { cause }));
    });
    server.listen(port, HOST, resolve);
  });
}

/** Waits for the answers that are on their way, and no longer than clients may linger. */
async function closing(server: Server, open: ReadonlySet<Promise<void>>): Promise<void> {
  const isClosed = new Promise<void>((resolve) => server.close(() => resolve()));
  await inTime(Promise.allSettled(open));
  server.closeAllConnections();
  await isClosed;
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { status, error, headers }: Refusal,
): Promise<void> {
  return answer(request, response, status, { error }, headers);
}

/**
 * Answers, and hangs up where the body goes on. It is read and thrown away until the client has seen the answer: hanging
 * up on what is unread would reset the connection, and the answer might be lost.
 */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  content: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  if (response.destroyed) return;
  const isUnread = hasBody(request) && !request.complete;
  const text = `${JSON.stringify(content)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
    ...(isUnread && { connection: 'close' }),
  });
  response.write(text);
  if (isUnread && isSending(request)) {
    request.resume();
    await inTime(finished(request));
  }
  response.end();
  await inTime(finished(response));
  if (isUnread) request.destroy();
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Whether the client sends its body without having been asked to. */
function isSending({ headers }: IncomingMessage): boolean {
  return headers.expect === undefined;
}

/** Waits for something to end, well or not, but not for long. */
async function inTime(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LINGER_MS);
  });
  await Promise.race([work.catch(() => {}), late]);
  clearTimeout(timer);
}
