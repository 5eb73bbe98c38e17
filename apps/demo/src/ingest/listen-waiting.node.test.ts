import { connect } from 'node:net';
import { expect, test, vi } from 'vitest';
import { listen } from './listen.js';
import { AIRPORTS, answerOf, counts, flood, lines, MEGABYTE, open, place, send, settled } from './listen-place.js';

/** A busy machine is never the reason. */
const PATIENCE_MS = 30_000;

vi.setConfig({ testTimeout: 60_000 });

test('listen() lets a client wait for a pipeline that waits', async () => {
  const here = await place(undefined, false);
  const { socket, sentBytes } = flood(here.url);
  await vi.waitFor(() => expect(counts(here).made).toBe(1), PATIENCE_MS);
  const stalled = await settled(sentBytes);
  // What the system keeps in its buffers, and no more.
  expect(stalled).toBeLessThan(64 * MEGABYTE);
  // The group of flights that is being unfolded, and the flight that the sink waits for.
  expect([here.run.inFlight, here.flights.length]).toEqual([2, 0]);
  here.openGate();
  await vi.waitFor(() => expect(sentBytes()).toBeGreaterThan(stalled + MEGABYTE), PATIENCE_MS);
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
  }, PATIENCE_MS);
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
  await vi.waitFor(() => expect(here.flights).toHaveLength(5), PATIENCE_MS);
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
  await vi.waitFor(() => expect(counts(here).made).toBe(1), PATIENCE_MS);
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
  await vi.waitFor(() => expect(counts(here).made).toBeGreaterThan(0), PATIENCE_MS);
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
