import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { flatMap, type Run } from '@millrace/core';
import { afterEach, expect, vi } from 'vitest';
import { flightsOf } from '../flights.js';
import type { Airport } from '../night/airports.js';
import type { Flight } from '../night/flight.js';
import type { RejectedRecord } from '../reject-archive.js';
import { type Ingest, listen } from './listen.js';
import type { Receipt } from './receipt.js';

// What the tests of listen() have in common: a place that takes flights, and clients of it.

export const AIRPORTS: ReadonlyMap<string, Airport> = new Map(['ATL', 'IAD'].map((code) => [code, airport(code)]));
export const NDJSON = { 'content-type': 'application/x-ndjson' };
export const CBOR = { 'content-type': 'application/cbor-seq' };
export const MEGABYTE = 1_048_576;

export function airport(code: string): Airport {
  return { code, name: code, city: code, state: code, latitude: 0, longitude: 0, zone: 'UTC' };
}

export interface Record {
  readonly date: string;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

export function record(number: number): Record {
  const time = `${String(Math.floor(number / 60) % 24).padStart(2, '0')}:${String(number % 60).padStart(2, '0')}`;
  return { date: `2001-01-14T${time}`, delay: number, distance: 533, origin: 'ATL', destination: 'IAD' };
}

export function lines(count: number, first = 0): string {
  return Array.from({ length: count }, (_, at) => `${JSON.stringify(record(first + at))}\n`).join('');
}

/** What takes flights, and a run that collects them while its gate is open. */
export interface Place extends Omit<Ingest, 'rows'> {
  readonly run: Run;
  readonly flights: Flight[];
  readonly archive: RejectedRecord[];
  /** Lets the run go on; it waits before the first flight where `isOpen` was `false`. */
  openGate(): void;
}

const places: Place[] = [];

afterEach(async () => {
  for (const { run, close } of places.splice(0)) {
    run.abort();
    await run.finished.catch(() => {});
    await close();
  }
});

export async function place(limit?: number, isOpen = true): Promise<Place> {
  const ingest = await listen({ port: 0, limit, airports: AIRPORTS });
  const flights: Flight[] = [];
  let openGate = (): void => {};
  const gate = isOpen ? undefined : new Promise<void>((resolve) => (openGate = resolve));
  const archive: RejectedRecord[] = [];
  const keep = async (reject: RejectedRecord): Promise<void> => void archive.push(reject);
  const run = ingest
    .rows({ keep })
    .pipeThrough(flatMap(flightsOf, { name: 'flights', highWaterMark: 0 }))
    .run(async ({ departureWallMs, delayMinutes, distanceMiles, origin, destination }) => {
      await gate;
      flights.push({ departureWallMs, delayMinutes, distanceMiles, origin, destination });
    });
  run.finished.catch(() => {});
  const made = { ...ingest, run, flights, archive, openGate };
  places.push(made);
  return made;
}

export async function send(
  url: string,
  body: BodyInit | undefined,
  headers: HeadersInit = NDJSON,
  method = 'POST',
): Promise<{ status: number; headers: Headers; receipt: Receipt }> {
  const response = await fetch(url, { method, headers, ...(body !== undefined && { body }) });
  return { status: response.status, headers: response.headers, receipt: (await response.json()) as Receipt };
}

/** A request whose body the test writes bit by bit. */
export function open(url: string, headers: { readonly [name: string]: string } = NDJSON): ClientRequest {
  const sending = request(url, { method: 'PUT', headers });
  // Where the server hangs up the answer says why.
  sending.on('error', () => {});
  return sending;
}

export async function answerOf(sending: ClientRequest): Promise<{ status: number | undefined; receipt: Receipt }> {
  const [response] = (await once(sending, 'response')) as [IncomingMessage];
  response.setEncoding('utf8');
  let text = '';
  for await (const part of response) text += part;
  return { status: response.statusCode, receipt: JSON.parse(text) };
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function counts({ run }: Place): { made: number; deadLettered: number } {
  const { made = 0, deadLettered = 0 } = run.counts()[0] ?? {};
  return { made, deadLettered };
}

/** Sends the head of a request and then lines without end; tells how many bytes it has tried to send. */
export function flood(url: string): { readonly socket: Socket; sentBytes(): number } {
  const { port } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.write('PUT /ingest HTTP/1.1\r\nHost: here\r\nContent-Length: 1000000000\r\n\r\n');
  const many = Buffer.from(lines(1_000));
  let sentBytes = 0;
  const goOn = (error?: Error | null): void => {
    if (error) return;
    socket.write(many, goOn);
    sentBytes += many.length;
  };
  socket.on('error', () => {});
  goOn();
  return { socket, sentBytes: () => sentBytes };
}

/** Waits until a number has been the same for a while. */
export async function settled(value: () => number): Promise<number> {
  let last = Number.NaN;
  let times = 0;
  await vi.waitFor(
    () => {
      times = value() === last ? times + 1 : 0;
      last = value();
      expect(times).toBe(20);
    },
    { timeout: 15_000, interval: 10 },
  );
  return last;
}
