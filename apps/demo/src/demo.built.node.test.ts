import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type EmbeddedPostgres, startPostgres } from '@millrace/postgres/embedded';
import { parquetWriteBuffer } from 'hyparquet-writer';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

const APP = fileURLToPath(new URL('..', import.meta.url));
const PROGRAM = join(APP, 'dist/main.js');
const AIRPORTS = fileURLToPath(new URL('../data/airports.csv', import.meta.resolve('vega-datasets')));
const SUMMARY_KEYS = [
  ...['read', 'emitted', 'filtered', 'deduped', 'deadLettered', 'dropped', 'abandoned', 'rowsInDatabase'],
  ...['seconds', 'itemsPerSecond', 'inFlightBound', 'inFlightMax', 'peakRssBytes', 'balanced'],
];
const FULL_DEVICE = '/dev/full';

// A machine under load takes its time to start processes; nothing here waits for less than what it checks.
vi.setConfig({ testTimeout: 60_000 });

// Runs for longer than anybody waits, in row groups so small that it stops at once.
const ENDLESS = ['--repeat', '1000000', '--explain', '--json'];

let folder: string;
let endless: string;
let server: EmbeddedPostgres;
let url: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-demo-test-'));
  endless = installed('endless', fiveFlights());
  server = await startPostgres({ port: 0 });
  url = server.url as string;
}, 60_000);

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

interface How {
  readonly program?: string;
  readonly database?: string | undefined;
  /** Whether it leads a group of processes, as one that a terminal starts. */
  readonly detached?: boolean;
  /** What Node is to load before the program. */
  readonly preload?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Is given also what was written to standard error so far. */
  readonly act?: (child: ChildProcess, written: () => string) => void;
}

/** Runs the built program on the server of this file; `act` may do something to it once it has written something. */
function demo(args: readonly string[], how: How = {}): Promise<Outcome> {
  const { program = PROGRAM, database = url, detached = false, preload, env, act } = how;
  const withDatabase = 'database' in how && how.database === undefined ? [] : ['--database', database];
  const loaded = preload === undefined ? [program] : ['--import', preload, program];
  const child = spawn(process.execPath, [...loaded, ...withDatabase, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached,
    env: { ...process.env, ...env },
  });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (out === '') act?.(child, () => err);
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}

/** The program as if it were installed with other data: a copy, with links to all packages but that of the data. */
function installed(name: string, flights?: Uint8Array): string {
  const root = join(folder, name);
  const modules = join(root, 'node_modules');
  cpSync(join(APP, 'dist'), join(root, 'dist'), { recursive: true });
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  mkdirSync(modules);
  for (const entry of readdirSync(join(APP, 'node_modules')).filter((each) => !/^\.|^vega-datasets$/.test(each))) {
    symlinkSync(join(APP, 'node_modules', entry), join(modules, entry));
  }
  if (flights !== undefined) {
    const data = join(modules, 'vega-datasets/data');
    mkdirSync(data, { recursive: true });
    writeFileSync(join(data, '../package.json'), '{"type":"module","exports":"./build/index.js"}');
    mkdirSync(join(data, '../build'));
    writeFileSync(join(data, '../build/index.js'), '');
    cpSync(AIRPORTS, join(data, 'airports.csv'));
    writeFileSync(join(data, 'flights-3m.parquet'), flights);
  }
  return join(root, 'dist/main.js');
}

/** Five flights in row groups of two: one impossible, one a repeat. */
function fiveFlights(origin = 'ATL'): Uint8Array {
  const date = [0, 1, 1, 2, 3].map((hour) => new Date(Date.UTC(2001, 0, 15, 18 + hour)));
  const buffer = parquetWriteBuffer({
    columnData: [
      { name: 'date', data: date, type: 'TIMESTAMP' },
      { name: 'delay', data: [0, 5, 5, -1_116, 7], type: 'INT32' },
      { name: 'distance', data: [533, 533, 533, 533, 533], type: 'INT32' },
      { name: 'origin', data: ['ATL', 'ATL', 'ATL', 'ATL', origin], type: 'STRING' },
      { name: 'destination', data: ['IAD', 'IAD', 'IAD', 'IAD', 'IAD'], type: 'STRING' },
    ],
    rowGroupSize: 2,
  });
  return new Uint8Array(buffer);
}

function summaryOf({ out }: Outcome): Record<string, number | boolean> {
  return JSON.parse(out.trimEnd().split('\n').at(-1) as string);
}

function expectBalanced(summary: Record<string, number | boolean>): void {
  const { read, emitted, filtered, deduped, deadLettered, dropped, abandoned } = summary as Record<string, number>;
  expect([emitted, filtered, deduped, deadLettered, dropped, abandoned].reduce((sum, n = 0) => (sum ?? 0) + n, 0)).toBe(
    read,
  );
  expect(summary['balanced']).toBe(true);
  expect(summary['inFlightMax']).toBeLessThanOrEqual(summary['inFlightBound'] as number);
}

test('demo --limit --json reads that many flights and prints the summary as one object', async () => {
  const outcome = await demo(['--limit', '2000', '--json', '--no-dashboard']);
  expect([outcome.code, outcome.err, outcome.out.split('\n').length]).toEqual([0, '', 2]);
  const summary = summaryOf(outcome);
  expect(Object.keys(summary)).toEqual(SUMMARY_KEYS);
  expect(summary).toMatchObject({ read: 2_000, emitted: 2_000, rowsInDatabase: 2_000 });
  expectBalanced(summary);
});

test('demo prints the table, its assumptions and the summary', async () => {
  const { code, out, err } = await demo(['--limit', '2000']);
  expect([code, err]).toEqual([0, '']);
  expect(out).toMatch(/^Miles flown in the dark: \d+\.\d % of [\d,]+ miles on 2,000 flights$/m);
  expect(out.indexOf('Assumptions')).toBeGreaterThan(0);
  expect(out).toMatch(
    /^- 20 airports are left out of the database on purpose: the file stood in for [1-9]\d* of them/m,
  );
  expect(out.indexOf('2,000 flights read: 2,000 in the table')).toBeGreaterThan(out.indexOf('Assumptions'));
});

test('demo --explain prints the plan and its bound first', async () => {
  const { code, out } = await demo(['--limit', '10', '--explain', '--json']);
  expect(code).toBe(0);
  expect(out).toMatch(/^at most [\d,]+ items inside\n.*reject impossible → drop repeats → batch.*\n.*darkness/s);
  expect(out).toMatch(/\n\{"read":10,.*\}\n$/);
});

test('demo --help prints the options', async () => {
  const { code, out, err } = await demo(['--help']);
  expect([code, err]).toEqual([0, '']);
  for (const option of [
    '--limit N',
    '--repeat N',
    '--database URL',
    '--rejects FILE',
    '--slow-database-ms N',
    '--port N',
    '--log',
    '--json',
    '--explain',
    '--no-dashboard',
    '--help',
  ]) {
    expect(out).toContain(option);
  }
});

test.each([[['--ports', '8080']], [['--limit', 'many']], [['flights.parquet']]])(
  'demo refuses %j with one line and exit code 2',
  async (args) => {
    const { code, out, err } = await demo(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^Cannot run the demo: .+ \(.+\)\n$/);
  },
);

test('demo --repeat reads the file that many times over, and rejects and drops in it', async () => {
  const program = installed('five', fiveFlights());
  const summary = summaryOf(await demo(['--repeat', '3', '--json'], { program }));
  expect(summary).toMatchObject({ read: 15, emitted: 9, filtered: 0, deadLettered: 3, deduped: 3, abandoned: 0 });
  expectBalanced(summary);
  const limited = summaryOf(await demo(['--repeat', '3', '--limit', '7', '--json'], { program }));
  expect(limited).toMatchObject({ read: 7, emitted: 5, deadLettered: 1, deduped: 1 });
});

test('demo says in one line that its data is not there, or is not what it must be', async () => {
  const whole = fiveFlights();
  const programs = [
    [installed('no-package'), ''],
    [installed('empty', new Uint8Array()), '0 bytes'],
    [installed('cut', whole.subarray(0, whole.length - 9)), 'PAR1'],
  ] as const;
  for (const [program, what] of programs) {
    const { code, out, err } = await demo([], { program });
    expect(code).toBe(1);
    expect(err).toMatch(/^Cannot .+\n$/);
    expect(err).toContain(what);
    expect(out).not.toContain('Miles flown');
  }
  const noFile = installed('no-file', whole);
  rmSync(join(noFile, '../../node_modules/vega-datasets/data/flights-3m.parquet'));
  const { code, err } = await demo([], { program: noFile });
  expect(code).toBe(1);
  expect(err).toMatch(/^Cannot .*flights-3m\.parquet.*\n$/);
});

test('demo counts what it had read where the data breaks off in the middle', async () => {
  const broken = fiveFlights();
  // Where this file begins to differ from one with another last origin is in the last of its three row groups.
  const last = fiveFlights('XXX').findIndex((byte, at) => byte !== broken[at]);
  broken.fill(0xff, last - 20, last + 20);
  const outcome = await demo(['--json'], { program: installed('broken', broken) });
  expect(outcome.code).toBe(1);
  expect(outcome.err).toMatch(/^Cannot .*"parquet".*\n$/);
  expect(summaryOf(outcome)).toMatchObject({ read: 4, emitted: 0, deadLettered: 1, deduped: 1, abandoned: 2 });
  expectBalanced(summaryOf(outcome));
});

test('demo names an airport that it does not know, and counts the flight as abandoned', async () => {
  const outcome = await demo(['--json'], { program: installed('unknown', fiveFlights('XXX')) });
  expect(outcome.code).toBe(1);
  expect(outcome.err).toMatch(/^Cannot process item \d in stage "airports": .*airport "XXX" is unknown.*\n$/);
  expect(summaryOf(outcome)).toMatchObject({ read: 5, emitted: 0, deadLettered: 1, deduped: 1, abandoned: 3 });
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('demo drains at %s, prints the summary and exits with %i', async (signal, exitCode) => {
  const outcome = await demo(ENDLESS, {
    program: endless,
    act(child) {
      // The echo that a terminal and npm make of one Ctrl-C.
      child.kill(signal);
      child.kill(signal);
    },
  });
  expect([outcome.code, outcome.err]).toEqual([exitCode, '']);
  const summary = summaryOf(outcome);
  expect(summary).toMatchObject({ abandoned: 0, filtered: 0, dropped: 0 });
  expectBalanced(summary);
});

test('demo drains where the npm that started it is killed', async () => {
  const command = `"${process.execPath}" "${endless}" --database "${url}" ${ENDLESS.join(' ')} & wait`;
  const env = { ...process.env, npm_lifecycle_event: 'demo' };
  const npm = spawn('/bin/sh', ['-c', command], { stdio: ['ignore', 'pipe', 'ignore'], env });
  let out = '';
  npm.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (out === '') npm.kill('SIGKILL');
    out += text;
  });
  // The pipe closes with the last process that holds it: the demo.
  await new Promise((resolve) => npm.on('close', resolve));
  expectBalanced(summaryOf({ code: null, out, err: '' }));
});

test('demo ends quietly where its reader has seen enough', async () => {
  const { code, err } = await demo(['--limit', '200000', '--explain'], { act: (child) => child.stdout?.destroy() });
  expect([code, err]).toEqual([0, '']);
});

test.runIf(existsSync(FULL_DEVICE))('demo says that the disk is full, with exit code 1', async () => {
  const { code, err } = await new Promise<Outcome>((resolve) => {
    const command = `exec "${process.execPath}" "${PROGRAM}" --database "${url}" --limit 10 > ${FULL_DEVICE}`;
    const child = spawn('/bin/sh', ['-c', command], { stdio: ['ignore', 'ignore', 'pipe'] });
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.on('close', (code) => resolve({ code, out: '', err }));
  });
  expect(code).toBe(1);
  expect(err).toMatch(/^Cannot write the result: ENOSPC.*\n$/);
});

test('demo stores every flight as it was read, and tells the same from its table as from the flights', async () => {
  const outcome = await demo(['--json'], { program: installed('stored', fiveFlights()) });
  expect(summaryOf(outcome)).toMatchObject({ emitted: 3, rowsInDatabase: 3 });
  const sql = postgres(url);
  const rows = await sql`
    select departure::text, delay, distance, origin, destination, night_miles from flight order by 1`;
  expect(rows.map((row) => Object.values(row))).toEqual([
    ['2001-01-15 18:00:00', 0, 533, 'ATL', 'IAD', expect.any(Number)],
    ['2001-01-15 19:00:00', 5, 533, 'ATL', 'IAD', 533],
    ['2001-01-15 21:00:00', 7, 533, 'ATL', 'IAD', 533],
  ]);
  await sql.end();
});

test('demo says in one line that the database cannot be used, with exit code 1', async () => {
  const wrongTable = postgres(url);
  await wrongTable`create database other`;
  const other = url.replace(/\/postgres$/, '/other');
  const sql = postgres(other);
  await sql`create table flight (id integer)`;
  await sql`insert into flight values (7)`;
  const unusable = [
    ['postgres://postgres@127.0.0.1:1/postgres', /^Cannot use the database at 127\.0\.0\.1:1: .*ECONNREFUSED/],
    [url.replace(/:[^:@]+@/, ':wrong@'), /^Cannot use the database at .*: password authentication failed/],
    [url.replace(/\/postgres$/, '/nowhere'), /^Cannot use the database at .*: database "nowhere" does not exist/],
    ['nonsense', /^Cannot use the database: it is no address of a PostgreSQL/],
    [other, /^Cannot use table "flight" of the database: its columns are id integer \(they must be departure /],
  ] as const;
  for (const [database, message] of unusable) {
    const { code, out, err } = await demo(['--limit', '10'], { database });
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(message);
    expect(err).toMatch(/^.+ \(.+\)\n$/);
  }
  expect([...(await sql`select id from flight`)]).toEqual([{ id: 7 }]);
  await Promise.all([sql.end(), wrongTable.end()]);
});

test('demo --rejects keeps the impossible flights in a file, and says where they are', async () => {
  const program = installed('rejects', fiveFlights());
  const own = await demo([], { program });
  const byDefault = join(program, '../../rejects.cborseq');
  expect([own.code, own.out]).toEqual([0, expect.stringContaining(`What is impossible is in ${byDefault}`)]);
  const rejects = join(folder, 'rejects.cborseq');
  expect((await demo(['--json', '--rejects', rejects], { program })).code).toBe(0);
  const text = readFileSync(rejects, 'latin1');
  expect(text).toContain('fault');
  expect(text).toBe(readFileSync(byDefault, 'latin1'));
  const { code, out, err } = await demo(['--rejects', join(folder, 'no/such/file')]);
  expect([code, out]).toEqual([1, '']);
  expect(err).toMatch(/^Cannot write the rejected flights to ".+": ENOENT.+\n$/);
});

test.runIf(existsSync(FULL_DEVICE))('demo fails where the impossible flights cannot be kept', async () => {
  const { code, err } = await demo(['--json', '--rejects', FULL_DEVICE], { program: installed('full', fiveFlights()) });
  expect(code).toBe(1);
  expect(err).toMatch(/^Cannot .*ENOSPC.*\n$/);
});

test.each([
  ['is missing', undefined],
  ['cannot be parsed', 'export function darkness( {'],
  ['has no such function', 'export function light() {}'],
])('demo says in one line that the module of its workers %s, and leaves nothing running', async (what, text) => {
  const program = installed(`worker-${what.replaceAll(' ', '-')}`, fiveFlights());
  const worker = join(program, '../night-worker.js');
  if (text === undefined) rmSync(worker);
  else writeFileSync(worker, text);
  const outcome = await demo(['--json'], { program });
  expect(outcome.code).toBe(1);
  expect(outcome.err).toMatch(/^Cannot .*night-worker\.js.*\n$/);
  expect(summaryOf(outcome)).toMatchObject({ emitted: 0, deadLettered: 1, deduped: 1, abandoned: 3 });
  expectBalanced(summaryOf(outcome));
});

test('demo says that the database went away, counts what was lost, and ends with exit code 1', async () => {
  const own = await startPostgres({ port: 0 });
  const { code, out, err } = await demo(ENDLESS, { database: own.url, act: () => void own.stop() });
  expect(code).toBe(1);
  expect(err).toMatch(/^Cannot process item \d+ in stage "(airports|copyInto)": .+\n/);
  const { read, deadLettered, deduped, emitted, abandoned } = summaryOf({ code, out, err }) as Record<string, number>;
  expect([deadLettered, deduped, emitted, abandoned].reduce((sum, n = 0) => (sum ?? 0) + n, 0)).toBe(read);
});

test.each([
  ['SIGKILL', false],
  ['SIGINT', false],
  ['SIGKILL', true],
] as const)('demo leaves no server and no folder behind after %s (to its whole group: %s)', async (signal, isGroup) => {
  // A folder of its own for what is temporary: others may start servers meanwhile. The server's account must get in.
  const temporary = mkdtempSync(join(folder, 'tmp-'));
  for (const each of [folder, temporary]) chmodSync(each, 0o777);
  let own: readonly string[] = [];
  await demo(ENDLESS, {
    program: endless,
    database: undefined,
    detached: isGroup,
    env: { TMPDIR: temporary },
    act(child) {
      own = readdirSync(temporary);
      process.kill(isGroup ? -(child.pid as number) : (child.pid as number), signal);
    },
  });
  expect(own.length).toBeGreaterThan(0);
  await vi.waitFor(() => expect(readdirSync(temporary)).toEqual([]), 20_000);
});

test('demo --port serves figures while it runs, and says in one line that a port is taken', async () => {
  let metrics = '';
  let taken: Outcome | undefined;
  async function look(written: () => string): Promise<void> {
    const [, url = '', port = ''] = await vi.waitFor(() => {
      const found = /(http:\/\/127\.0\.0\.1:(\d+)\/metrics)/.exec(written());
      if (found === null) throw new Error('no address yet');
      return found;
    }, 20_000);
    metrics = await (await fetch(url)).text();
    taken = await demo(['--limit', '10', '--port', port]);
  }
  let watched: Promise<void> | undefined;
  const { code, err } = await demo([...ENDLESS, '--port', '0'], {
    program: endless,
    act(child, written) {
      watched = look(written).finally(() => child.kill('SIGTERM'));
    },
  });
  await watched;
  expect([code, err.split('\n').length]).toEqual([143, 2]);
  expect(metrics).toContain('pipeline_runs_started_total{pipeline="night miles"}');
  expect([taken?.code, taken?.out]).toEqual([1, '']);
  expect(taken?.err).toMatch(/^Cannot serve metrics on 127\.0\.0\.1:\d+: the port is taken .*\n$/);
});

test('demo --log tells start and end, one JSON object a line', async () => {
  const { code, err } = await demo(['--limit', '10', '--json', '--log']);
  const messages = err
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).message);
  expect([code, messages.at(0), messages.at(-1)]).toEqual([0, 'run started', 'run done']);
});

test('demo makes a span of each batch that it stores, where there is a tracer', async () => {
  const preload = join(folder, 'tracer.mjs');
  writeFileSync(
    preload,
    `import { createRequire } from 'node:module';
    const { trace } = createRequire('${import.meta.resolve('@millrace/observability')}')('@opentelemetry/api');
    const context = { traceId: '1'.repeat(32), spanId: '1'.repeat(16), traceFlags: 1 };
    const startSpan = (name) => ({
      spanContext: () => context,
      isRecording: () => true,
      setAttribute(key, value) { this[key] = value; },
      end() { process.stderr.write(JSON.stringify([name, this['pipeline.batch.size']]) + '\\n'); },
    });
    trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan }) });`,
  );
  const { code, err } = await demo(['--limit', '12000', '--json'], { preload: pathToFileURL(preload).href });
  const spans = err
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect([code, spans]).toEqual([0, [5_000, 5_000, 2_000].map((flights) => ['store flights', flights])]);
});
