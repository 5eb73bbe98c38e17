import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { cbor } from '@millrace/codecs';
import { from } from '@millrace/core';
import { type EmbeddedPostgres, startPostgres } from '@millrace/postgres/embedded';
import postgres, { type Sql } from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));
const NDJSON = { 'content-type': 'application/x-ndjson' };

// A machine under load takes its time to start processes; nothing here waits for less than what it checks.
vi.setConfig({ testTimeout: 60_000 });

let folder: string;
let server: EmbeddedPostgres;
let sql: Sql;
const children: ChildProcess[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'demo-listen-test-'));
  server = await startPostgres({ port: 0 });
  sql = postgres(server.url as string, { onnotice: () => {} });
}, 60_000);

// What an earlier run stored is not to be taken for what this one did.
beforeEach(() => sql`drop table if exists flight`);

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

afterAll(async () => {
  await sql.end();
  await server.stop();
  rmSync(folder, { recursive: true });
});

interface Ended {
  readonly code: number | null;
  readonly err: string;
  readonly summary: Readonly<Record<string, number | boolean>>;
}

/** The demo while it listens. */
interface Listening {
  readonly child: ChildProcess;
  readonly url: string;
  readonly ended: Promise<Ended>;
}

/** Starts the built demo on the server of this file, and waits until it says where it listens. */
async function listening(...args: readonly string[]): Promise<Listening> {
  const rejects = join(folder, 'rejects.cborseq');
  const all = ['--listen', '0', '--json', '--rejects', rejects, '--database', server.url as string, ...args];
  const child = spawn(process.execPath, [join(DIST, 'main.js'), ...all], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const ended = once(child, 'close').then(([code]) => ({
    code: code as number | null,
    err,
    summary: JSON.parse(out.trimEnd().split('\n').at(-1) || '{}') as Ended['summary'],
  }));
  const url = await vi.waitFor(() => {
    const [, found] = /^flights are taken at (\S+)$/m.exec(err) ?? [];
    if (found === undefined) throw new Error(`no address yet: ${err}`);
    return found;
  }, 30_000);
  return { child, url, ended };
}

function flights(count: number, first = 0): object[] {
  return Array.from({ length: count }, (_, at) => {
    const date = new Date(Date.UTC(2001, 0, 1, 0, first + at)).toISOString().slice(0, 16);
    return { date, delay: 5, distance: 533, origin: 'ATL', destination: 'IAD' };
  });
}

function lines(count: number, first = 0): string {
  return flights(count, first)
    .map((flight) => `${JSON.stringify(flight)}\n`)
    .join('');
}

async function send(url: string, body: BodyInit, headers: HeadersInit = NDJSON): Promise<[number, object]> {
  const response = await fetch(url, { method: 'PUT', headers, body });
  return [response.status, (await response.json()) as object];
}

function open(url: string): ClientRequest {
  return request(url, { method: 'POST', headers: NDJSON }).on('error', () => {});
}

async function answerOf(sending: ClientRequest): Promise<[number | undefined, object]> {
  const [response] = (await once(sending, 'response')) as [IncomingMessage];
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += part;
  return [response.statusCode, JSON.parse(text) as object];
}

/** Waits until the table has a number of flights. */
async function stored(count: number): Promise<void> {
  await vi.waitFor(
    async () => {
      const [row] = await sql<{ count: number }[]>`select count(*)::int from flight`;
      expect(row?.count).toBe(count);
    },
    { timeout: 30_000 },
  );
}

function expectBalanced(summary: Ended['summary']): void {
  const { read, emitted, filtered, deduped, deadLettered, dropped, abandoned } = summary as Record<string, number>;
  expect([emitted, filtered, deduped, deadLettered, dropped, abandoned].reduce((sum, n = 0) => (sum ?? 0) + n, 0)).toBe(
    read,
  );
  expect(summary).toMatchObject({ balanced: true, rowsInDatabase: emitted });
  expect(summary['inFlightMax']).toBeLessThanOrEqual(summary['inFlightBound'] as number);
}

test('demo --listen stores flights of NDJSON, CBOR and gzip soon, and sums up at Ctrl-C', async () => {
  const { child, url, ended } = await listening();
  expect(await send(url, lines(3))).toEqual([202, { accepted: 3, rejected: 0, rejections: [] }]);
  await stored(3);
  const items = Buffer.concat(await from(flights(4, 3)).pipeThrough(cbor.encode()).toArray());
  expect(await send(url, items, { 'content-type': 'application/cbor-seq' })).toMatchObject([202, { accepted: 4 }]);
  const packed = { ...NDJSON, 'content-encoding': 'gzip' };
  expect(await send(url, gzipSync(lines(5, 7)), packed)).toMatchObject([202, { accepted: 5 }]);
  await stored(12);
  const impossible = JSON.stringify({ ...flights(1, 12)[0], delay: -1_116 });
  const [status, receipt] = await send(url, `${lines(1, 11)}{"date":"yesterday"}\n${impossible}\n`);
  expect([status, receipt]).toMatchObject([202, { accepted: 2, rejected: 1, rejections: [{ index: 1 }] }]);
  child.kill('SIGINT');
  const { code, err, summary } = await ended;
  expect([code, err.split('\n').length]).toEqual([130, 2]);
  expect(summary).toMatchObject({ read: 15, emitted: 12, deduped: 1, deadLettered: 2, abandoned: 0 });
  expectBalanced(summary);
  const archive = from([readFileSync(join(folder, 'rejects.cborseq'))]).pipeThrough(cbor.decode());
  expect(await archive.toArray()).toMatchObject([
    {
      fault: expect.stringContaining('"date" must be'),
      index: 1,
      record: new TextEncoder().encode('{"date":"yesterday"}'),
    },
    { fault: 'delay', delayMinutes: -1_116 },
  ]);
});

test('demo --listen goes on where a client leaves in the middle of a record, or sends one without end', async () => {
  const { child, url, ended } = await listening();
  const leaving = open(url);
  leaving.write(`${lines(2)}{"date":"2001`);
  await stored(2);
  leaving.destroy();
  const endless = open(url);
  const more = Buffer.alloc(65_536, 'a');
  const goOn = (error?: Error | null): void => void (error || endless.write(more, goOn));
  goOn();
  expect(await answerOf(endless)).toMatchObject([413, { accepted: 0, rejected: 1 }]);
  expect(await send(url, lines(2, 2))).toMatchObject([202, { accepted: 2 }]);
  await stored(4);
  child.kill('SIGTERM');
  const { code, summary } = await ended;
  expect(code).toBe(143);
  expect(summary).toMatchObject({ read: 6, emitted: 4, deadLettered: 2 });
  expectBalanced(summary);
});

test('demo --listen lets clients wait for a slow database, and stops in their middle with all that they handed over', async () => {
  const { child, url, ended } = await listening('--slow-database-ms', '200');
  let sentBytes = 0;
  const clients = [0, 1, 2].map(() => {
    const client = open(url);
    const many = Buffer.from(lines(1_000));
    const goOn = (error?: Error | null): void => {
      if (error) return;
      sentBytes += many.length;
      client.write(many, goOn);
    };
    goOn();
    return client;
  });
  const stopped = open(url);
  stopped.flushHeaders();
  await vi.waitFor(
    async () => {
      const [row] = await sql<{ count: number }[]>`select count(*)::int from flight`;
      expect(row?.count).toBeGreaterThan(0);
    },
    { timeout: 30_000 },
  );
  const answers = [...clients, stopped].map(answerOf);
  child.kill('SIGINT');
  const receipts = await Promise.all(answers);
  const { code, summary } = await ended;
  expect(code).toBe(130);
  expectBalanced(summary);
  expect(receipts.map(([status]) => status)).toEqual([503, 503, 503, 503]);
  const accepted = receipts.map(([, receipt]) => (receipt as { accepted: number }).accepted);
  expect(accepted.slice(0, 3).every((count) => count > 0)).toBe(true);
  // What a client was told that it handed over is what was read; nothing of it was lost.
  expect(accepted.reduce((sum, count) => sum + count)).toBe(summary['read']);
  expect(summary['abandoned']).toBe(0);
  expect(sentBytes).toBeLessThan(3 * 64 * 1_048_576);
});

test('demo --listen --limit ends when it has taken that many, and the file can be sent as it is', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(DIST, 'export.js'), '--limit', '3000']);
  const { url, ended } = await listening('--limit', '2500');
  const [status, receipt] = await send(url, stdout);
  expect([status, receipt]).toMatchObject([503, { accepted: 2_500, rejected: 0 }]);
  const { code, summary } = await ended;
  expect([code, summary['read'], summary['emitted']]).toEqual([0, 2_500, 2_500]);
  expectBalanced(summary);
});

test('demo --listen says in one line that the port is taken', async () => {
  const { child, url, ended } = await listening();
  const second = spawn(process.execPath, [join(DIST, 'main.js'), `--listen=${new URL(url).port}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let err = '';
  for await (const text of second.stderr.setEncoding('utf8')) err += text;
  expect(err).toMatch(/^Cannot take flights on 127\.0\.0\.1:\d+: the port is taken \(.+\)\n$/);
  if (second.exitCode === null) await once(second, 'close');
  expect(second.exitCode).toBe(1);
  child.kill('SIGTERM');
  await ended;
});
