import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { cbor, gzip, ndjson } from '@millrace/codecs';
import { from } from '@millrace/core';
import { expect, test, vi } from 'vitest';
import { answerOf, CBOR, counts, lines, NDJSON, open, place, record, send, utf8 } from './listen-place.js';

/** A busy machine is never the reason. */
const PATIENCE_MS = 30_000;

vi.setConfig({ testTimeout: 60_000 });

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
  await vi.waitFor(() => expect(here.flights).toHaveLength(2), PATIENCE_MS);
  sending.destroy();
  await vi.waitFor(() => expect(counts(here).deadLettered).toBe(1), PATIENCE_MS);
  expect((await send(here.url, lines(3))).receipt.accepted).toBe(3);
  expect(here.flights).toHaveLength(5);
});
