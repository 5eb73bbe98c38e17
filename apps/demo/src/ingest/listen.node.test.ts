import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { cbor, gzip, ndjson } from '@millrace/codecs';
import { flatMap, from, type Run } from '@millrace/core';
import { afterEach, expect, test, vi } from 'vitest';
import { flightsOf } from '../flights.js';
import type { Airport } from '../night/airports.js';
import type { Flight } from '../night/flight.js';
import type { RejectedRecord } from '../reject-archive.js';
import { type Ingest, listen } from './listen.js';
import type { Receipt } from './receipt.js';

vi.setConfig({ testTimeout: 20_000 });

const AIRPORTS = new Map(['ATL', 'IAD'].map((code) => [code, airport(code)]));
const NDJSON = { 'content-type': 'application/x-ndjson' };
const CBOR = { 'content-type': 'application/cbor-seq' };
const MEGABYTE = 1_048_576;

function airport(code: string): Airport {
  return { code, name: code, city: code, state: code, latitude: 0, longitude: 0, zone: 'UTC' };
}

interface Record {
  readonly date: string;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

function record(number: number): Record {
  const time = `${String(Math.floor(number / 60) % 24).padStart(2, '0')}:${String(number % 60).padStart(2, '0')}`;
  return { date: `2001-01-14T${time}`, delay: number, distance: 533, origin: 'ATL', destination: 'IAD' };
}

function lines(count: number, first = 0): string {
  return Array.from({ length: count }, (_, at) => `${JSON.stringify(record(first + at))}\n`).join('');
}

/** What takes flights, and a run that collects them while its gate is open. */
interface Place extends Omit<Ingest, 'rows'> {
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

async function place(limit?: number, isOpen = true): Promise<Place> {
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

async function send(
  url: string,
  body: BodyInit | undefined,
  headers: HeadersInit = NDJSON,
  method = 'POST',
): Promise<{ status: number; headers: Headers; receipt: Receipt }> {
  const response = await fetch(url, { method, headers, ...(body !== undefined && { body }) });
  return { status: response.status, headers: response.headers, receipt: (await response.json()) as Receipt };
}

/** A request whose body the test writes bit by bit. */
function open(url: string, headers: { readonly [name: string]: string } = NDJSON): ClientRequest {
  const sending = request(url, { method: 'PUT', headers });
  // Where the server hangs up the answer says why.
  sending.on('error', () => {});
  return sending;
}

async function answerOf(sending: ClientRequest): Promise<{ status: number | undefined; receipt: Receipt }> {
  const [response] = (await once(sending, 'response')) as [IncomingMessage];
  response.setEncoding('utf8');
  let text = '';
  for await (const part of response) text += part;
  return { status: response.statusCode, receipt: JSON.parse(text) };
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function counts({ run }: Place): { made: number; deadLettered: number } {
  const { made = 0, deadLettered = 0 } = run.counts()[0] ?? {};
  return { made, deadLettered };
}

test('listen() takes flights as NDJSON and as CBOR, by POST and PUT, compressed or not', async () => {
  const { url, flights } = await place();
  const first = await send(url, lines(3));
  expect([first.status, first.receipt]).toEqual([202, { accepted: 3, rejected: 0, rejections: [] }]);
  expect(flights[1]).toEqual({
    departureWallMs: Date.UTC(2001, 0, 14, 0, 1),
    delayMinutes: 1,
    distanceMiles: 533,
    origin: 'ATL',
    destination: 'IAD',
  });
  const records = [3, 4, 5].map(record);
  const items = Buffer.concat(await from(records).pipeThrough(cbor.encode()).toArray());
  expect((await send(url, items, CBOR, 'PUT')).receipt.accepted).toBe(3);
  const packed = Buffer.concat(await from(records).pipeThrough(ndjson.encode()).pipeThrough(gzip()).toArray());
  expect((await send(url, packed, { ...NDJSON, 'content-encoding': 'gzip' })).receipt.accepted).toBe(3);
  expect((await send(url, gzipSync(items), { ...CBOR, 'content-encoding': 'gzip' })).receipt.accepted).toBe(3);
  expect(flights.map(({ delayMinutes }) => delayMinutes)).toEqual([0, 1, 2, 3, 4, 5, 3, 4, 5, 3, 4, 5]);
});

test('listen() takes dates as the data has them: a date of CBOR, or text with a Z that says nothing', async () => {
  const { url, flights } = await place();
  const dates = [
    new Date(Date.UTC(2001, 5, 1, 12)),
    '2001-06-01T12:00:00.000Z',
    '2001-06-01 12:00',
    '2001-06-01T12:00:00',
  ];
  const records = dates.map((date) => ({ ...record(0), date, airline: 'ignored' }));
  const items = Buffer.concat(await from(records).pipeThrough(cbor.encode()).toArray());
  expect((await send(url, items, CBOR)).receipt).toMatchObject({ accepted: 4, rejected: 0 });
  expect(new Set(flights.map(({ departureWallMs }) => departureWallMs))).toEqual(new Set([Date.UTC(2001, 5, 1, 12)]));
});

test('listen() rejects what is no flight, alone, with its place and why', async () => {
  const here = await place();
  const wrong: readonly (readonly [unknown, string])[] = [
    [null, 'it must be an object'],
    [[], '"date" must be'],
    [{}, '"date" must be'],
    [{ ...record(0), date: '2001-02-29T00:00' }, '"date"'],
    [{ ...record(0), date: '2000-12-31T23:59' }, '"date"'],
    [{ ...record(0), date: '2001-01-14T18:05:30' }, '"date"'],
    [{ ...record(0), date: '2001-01-14T18:05+01:00' }, '"date"'],
    [{ ...record(0), date: 979_495_500_000 }, '"date"'],
    [{ ...record(0), delay: '5' }, '"delay" must be a whole number'],
    [{ ...record(0), delay: null }, '"delay"'],
    [{ ...record(0), delay: 0.5 }, '"delay"'],
    [{ ...record(0), distance: 2 ** 31 }, '"distance" must be a whole number'],
    [{ ...record(0), origin: 'XXX' }, '"origin" must be the code of an airport'],
    [{ ...record(0), origin: { toString: 'ATL' } }, '"origin"'],
    [{ ...record(0), destination: 'constructor' }, '"destination" must be the code of an airport'],
  ];
  for (const [value, why] of wrong) {
    const { status, receipt } = await send(here.url, `${lines(1)}${JSON.stringify(value)}\n${lines(1)}`);
    expect([status, receipt.accepted, receipt.rejected]).toEqual([202, 2, 1]);
    const place = { index: 1, byteOffset: lines(1).length, code: 'ERR_CODECS_SCHEMA' };
    expect(receipt.rejections).toEqual([{ ...place, reason: expect.stringContaining(why) }]);
  }
  expect(here.archive).toHaveLength(wrong.length);
  expect(here.archive[0]).toMatchObject({ index: 1, byteOffset: lines(1).length, record: utf8('null') });
  const nan = Buffer.concat(
    await from([Number.NaN, 2n ** 60n].map((delay) => ({ ...record(0), delay })))
      .pipeThrough(cbor.encode())
      .toArray(),
  );
  expect((await send(here.url, nan, CBOR)).receipt).toMatchObject({ accepted: 0, rejected: 2 });
  expect(counts(here).deadLettered).toBe(wrong.length + 2);
});

test('listen() names the first rejections, and counts all of them', async () => {
  const here = await place();
  const { status, receipt } = await send(here.url, `${'no flight\n'.repeat(25)}${lines(1)}{"date":"2001-0`);
  expect([status, receipt.accepted, receipt.rejected]).toEqual([202, 1, 26]);
  expect(receipt.rejections.map(({ index, byteOffset }) => [index, byteOffset])).toEqual(
    Array.from({ length: 10 }, (_, at) => [at, at * 10]),
  );
  expect(receipt.rejections[0]?.code).toBe('ERR_CODECS_JSON');
  expect(counts(here).deadLettered).toBe(26);
});

test('listen() takes lines where the client does not say what it sends, as curl -T does', async () => {
  const { url } = await place();
  const sending = open(url, {});
  sending.end(lines(2));
  expect(await answerOf(sending)).toMatchObject({ status: 202, receipt: { accepted: 2 } });
});

test.each([
  ['GET', '/', {}, 404, {}],
  ['POST', '/ingest/flights.ndjson', NDJSON, 404, {}],
  ['GET', '/ingest', {}, 405, { allow: 'POST, PUT' }],
  ['DELETE', '/ingest', {}, 405, { allow: 'POST, PUT' }],
  [
    'POST',
    '/ingest',
    { 'content-type': 'application/json' },
    415,
    { 'accept-post': /x-ndjson, application\/cbor-seq/ },
  ],
  ['POST', '/ingest', { ...NDJSON, 'content-encoding': 'br' }, 415, { 'accept-encoding': 'gzip' }],
])('listen() refuses %s %s with %j: %i', async (method, path, headers, status, answer) => {
  const { url } = await place();
  const body = method === 'POST' ? lines(1) : undefined;
  const refused = await send(new URL(path, url).href, body, headers, method);
  expect([refused.status, refused.receipt.error]).toEqual([status, expect.stringMatching(/^Cannot .+ \(.+\)$/)]);
  for (const [name, value] of Object.entries(answer)) expect(refused.headers.get(name)).toMatch(value);
  expect((await send(`${url}?from=somewhere`, lines(1))).status).toBe(202);
});

test('listen() asks a client that waits for it to go on, but not one that it refuses', async () => {
  const { url } = await place();
  const expecting = { ...NDJSON, expect: '100-continue' };
  const welcome = open(url, expecting);
  welcome.flushHeaders();
  await once(welcome, 'continue');
  welcome.end(lines(1));
  expect((await answerOf(welcome)).status).toBe(202);
  const unwelcome = open(`${url}s`, expecting);
  const onContinue = vi.fn();
  unwelcome.on('continue', onContinue).flushHeaders();
  expect((await answerOf(unwelcome)).status).toBe(404);
  expect(onContinue).not.toHaveBeenCalled();
});

test.each([
  ['NDJSON', NDJSON, Buffer.from('{"date":"'), 413, 'ERR_CODECS_SIZE'],
  ['CBOR', CBOR, Buffer.from([0x7a, 0x7f, 0xff, 0xff, 0xff]), 413, 'ERR_CODECS_SIZE'],
  ['bytes that are no CBOR', CBOR, Buffer.from([0x1c]), 400, 'ERR_CODECS_CBOR'],
])('listen() hangs up on a body without end: %s', async (_what, headers, start, status, code) => {
  const here = await place();
  const sending = open(here.url, { ...headers, 'transfer-encoding': 'chunked' });
  sending.write(start);
  const more = Buffer.alloc(65_536, 'a');
  const goOn = (): boolean => sending.write(more);
  sending.on('drain', goOn);
  goOn();
  const answer = await answerOf(sending);
  expect(answer).toMatchObject({ status, receipt: { accepted: 0, rejected: 1, error: expect.any(String) } });
  expect(answer.receipt.rejections).toMatchObject([{ index: 0, byteOffset: 0, code }]);
  if (!sending.closed) await once(sending, 'close');
  expect(counts(here).deadLettered).toBe(1);
  expect((await send(here.url, lines(1))).status).toBe(202);
});

test('listen() says that a body is not gzip, or is cut short', async () => {
  const { url } = await place();
  const headers = { ...NDJSON, 'content-encoding': 'gzip' };
  const packed = gzipSync(lines(50));
  for (const body of [Buffer.from(lines(1)), packed.subarray(0, packed.length - 9)]) {
    const { status, receipt } = await send(url, body, headers);
    expect([status, receipt.error]).toEqual([400, expect.stringMatching(/^Cannot read the body: ./)]);
  }
});

test('listen() keeps what came before a client left, counts the half record, and goes on', async () => {
  const here = await place();
  const sending = open(here.url);
  sending.write(`${lines(2)}{"date":"2001-01-14T`);
  await vi.waitFor(() => expect(here.flights).toHaveLength(2));
  sending.destroy();
  await vi.waitFor(() => expect(counts(here).deadLettered).toBe(1));
  expect((await send(here.url, lines(3))).receipt.accepted).toBe(3);
  expect(here.flights).toHaveLength(5);
});

/** Sends the head of a request and then lines without end; tells how many bytes it has tried to send. */
function flood(url: string): { readonly socket: Socket; sentBytes(): number } {
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
async function settled(value: () => number): Promise<number> {
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

test('listen() lets a client wait for a pipeline that waits', async () => {
  const here = await place(undefined, false);
  const { socket, sentBytes } = flood(here.url);
  await vi.waitFor(() => expect(counts(here).made).toBe(1));
  const stalled = await settled(sentBytes);
  // What the system keeps in its buffers, and no more.
  expect(stalled).toBeLessThan(64 * MEGABYTE);
  // The group of flights that is being unfolded, and the flight that the sink waits for.
  expect([here.run.inFlight, here.flights.length]).toEqual([2, 0]);
  here.openGate();
  await vi.waitFor(() => expect(sentBytes()).toBeGreaterThan(stalled + MEGABYTE));
  socket.destroy();
});

test('listen() lets clients take turns, and starves none', async () => {
  const here = await place(undefined, false);
  const clients = [flood(here.url), flood(here.url), flood(here.url)];
  for (const { sentBytes } of clients) await settled(sentBytes);
  const small = send(here.url, lines(1));
  here.openGate();
  // The others never end.
  expect((await small).receipt.accepted).toBe(1);
  const sent = clients.map(({ sentBytes }) => sentBytes());
  await vi.waitFor(() => {
    for (const [at, { sentBytes }] of clients.entries())
      expect(sentBytes()).toBeGreaterThan((sent[at] as number) + MEGABYTE);
  });
  for (const { socket } of clients) socket.destroy();
});

test('listen() takes no more flights than the limit, and tells clients how far it came', async () => {
  const here = await place(1_500);
  expect((await send(here.url, lines(700))).receipt.accepted).toBe(700);
  const over = await send(here.url, `no flight\n${lines(5_000)}`);
  expect([over.status, over.receipt.accepted, over.receipt.rejected]).toEqual([503, 800, 1]);
  expect(over.receipt.error).toContain('no more flights are taken');
  const summary = await here.run.finished;
  expect([here.flights.length, summary.balanced]).toEqual([1_500, true]);
  expect((await send(here.url, lines(1))).status).toBe(503);
});

test('listen() ends a run at a limit that a body reaches with its last flight', async () => {
  const here = await place(3);
  const { status, receipt } = await send(here.url, lines(3));
  expect([status, receipt.accepted]).toEqual([202, 3]);
  await here.run.finished;
});

test('listen() answers clients in the middle of their bodies when the run drains, and lets go of them', async () => {
  const here = await place();
  const silent = open(here.url);
  silent.flushHeaders();
  const sending = open(here.url);
  sending.write(lines(5));
  await vi.waitFor(() => expect(here.flights).toHaveLength(5));
  const answers = [answerOf(sending), answerOf(silent)];
  const summary = await here.run.drain();
  expect([summary.balanced, summary.leftOpen]).toEqual([true, []]);
  const [answer, none] = await Promise.all(answers);
  expect(answer).toMatchObject({ status: 503, receipt: { accepted: 5, rejected: 0, error: expect.any(String) } });
  expect(none).toMatchObject({ status: 503, receipt: { accepted: 0 } });
  await here.close();
  await expect(fetch(here.url, { method: 'POST', body: '' })).rejects.toThrow();
});

test('listen() closes under clients that neither send nor read', async () => {
  const here = await place(undefined, false);
  const { socket } = flood(here.url);
  const half = connect(Number(new URL(here.url).port), '127.0.0.1');
  half.on('error', () => {}).write('PUT /ingest HTTP/1.1\r\nHost');
  await vi.waitFor(() => expect(counts(here).made).toBe(1));
  here.run.abort();
  await here.run.finished.catch(() => {});
  const closed = [socket, half].map((each) => new Promise((resolve) => each.on('close', resolve)));
  socket.resume();
  half.resume();
  await Promise.all([here.close(), here.close(), ...closed]);
});

test('listen() tells a client that was waiting for a turn, when the run is aborted, that it had none', async () => {
  const here = await place(undefined, false);
  const first = open(here.url);
  first.end(lines(1_024));
  await vi.waitFor(() => expect(counts(here).made).toBeGreaterThan(0));
  const waiting = send(here.url, lines(10));
  const { made } = counts(here);
  here.run.abort();
  const { status, receipt } = await waiting;
  expect(counts(here).made).toBe(made);
  expect([status, receipt.accepted]).toEqual([503, 0]);
});

test('listen() fails the run where what is rejected cannot be kept', async () => {
  const ingest = await listen({ port: 0, limit: undefined, airports: AIRPORTS });
  const keep = (): Promise<never> => Promise.reject(new Error('the disk is full'));
  const run = ingest.rows({ keep }).run(() => {});
  const failed = expect(run.finished).rejects.toThrow('in stage "ingest": the disk is full');
  await send(ingest.url, 'no flight');
  await failed;
  await ingest.close();
});

test('listen() says that the port is taken', async () => {
  const { url } = await place();
  const port = Number(new URL(url).port);
  await expect(listen({ port, limit: undefined, airports: AIRPORTS })).rejects.toThrow(
    `Cannot take flights on 127.0.0.1:${port}: the port is taken (it must be a free port of this machine, or 0 for any)`,
  );
});
