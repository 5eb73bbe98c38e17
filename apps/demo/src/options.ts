import { parseArgs } from 'node:util';

/** What the demo was asked to do. */
export interface DemoOptions {
  /** Flights to read; `undefined` for all. */
  readonly limit: number | undefined;
  /** How many times over the file is read. */
  readonly repeat: number;
  /** The address of an existing PostgreSQL; `undefined` for one of the demo's own. */
  readonly database: string | undefined;
  /** Where flights are taken over HTTP instead, 0 for any free port of 127.0.0.1; `undefined` for nowhere. */
  readonly listen: number | undefined;
  /** The file that takes the impossible flights; `undefined` for the one beside the program. */
  readonly rejects: string | undefined;
  /** How long each batch waits before it is stored, in milliseconds. */
  readonly slowDatabaseMs: number;
  /** Where the figures are served on 127.0.0.1, 0 for any free port; `undefined` for nowhere. */
  readonly port: number | undefined;
  /** Whether what happens to the run is logged on standard error. */
  readonly log: boolean;
  readonly json: boolean;
  readonly explain: boolean;
  readonly help: boolean;
}

/** The command line is wrong; the message says how. */
export class UsageError extends Error {
  override name = 'UsageError';
}

export const HELP = `Night miles: how much of the flying is done in the dark, from 3,000,000 real flights.

Usage: npm run demo -- [options]

  --limit N        read at most N flights (default: all)
  --repeat N       read the file N times over (default: 1)
  --listen [PORT]  take flights over HTTP instead of replaying the file: POST or PUT /ingest on this port of 127.0.0.1
                   (default: any that is free), NDJSON or CBOR; standard error names the address
  --database URL   store into an existing PostgreSQL: its tables "flight" and "airport" are made, and emptied
                   (default: one of its own, of which nothing is left)
  --rejects FILE   write the flights that cannot have happened to this file, as a sequence of CBOR items
                   (default: apps/demo/rejects.cborseq; overwritten)
  --slow-database-ms N
                   let each batch wait for N milliseconds, as if the database were slow
  --port N         serve figures for Prometheus on this port of 127.0.0.1; 0 for any that is free
  --log            log what happens to the run on standard error, one JSON object a line
  --json           print the summary only, as one JSON object on the last line
  --explain        print the plan of the pipeline, and the most items that can be inside, before it runs
  --no-dashboard   run without the dashboard
  --help           print this

Ctrl-C stops reading, finishes what is inside and prints the summary; a second one stops at once.
`;

const MAX_PORT = 65_535;
const ANY_PORT = 0;
// `listen` is one that may have a port behind it.
const FLAGS = ['listen', 'json', 'log', 'explain', 'no-dashboard', 'help'] as const;
const COUNTS = ['limit', 'repeat', 'slow-database-ms'] as const;
const TEXTS = ['database', 'rejects'] as const;
const PORTS = ['port'] as const;
const NAMES = [...COUNTS, ...PORTS, ...TEXTS, ...FLAGS];

/**
 * Reads the command line.
 *
 * @param args - The arguments behind the name of the program.
 * @throws UsageError when there is no such option, or its value is not a whole number of 1 or more.
 */
export function parseOptions(args: readonly string[]): DemoOptions {
  const { tokens } = parseArgs({ args: [...args], strict: false, tokens: true, options: optionTypes() });
  const flags = new Set<string>();
  const counts = new Map<string, number>();
  const texts = new Map<string, string>();
  let before: string | undefined;
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      // A port behind `--listen` without an equals sign.
      if (before !== 'listen' || !/^\d+$/.test(token.value)) throw usage(`"${token.value}" is not an option`, known());
      counts.set('listen', portOf('--listen', token.value));
      before = undefined;
      continue;
    }
    const { name, rawName, value } = token;
    before = value === undefined ? name : undefined;
    if (isOneOf(COUNTS, name)) counts.set(name, countOf(rawName, value));
    else if (name === 'listen') counts.set(name, value === undefined ? ANY_PORT : portOf(rawName, value));
    else if (isOneOf(PORTS, name)) counts.set(name, portOf(rawName, value));
    else if (isOneOf(TEXTS, name)) texts.set(name, textOf(rawName, value));
    else if (!isOneOf(FLAGS, name)) throw usage(`there is no option "${rawName}"`, known());
    else if (value !== undefined) throw usage(`"${rawName}" has the value "${value}"`, 'it takes none');
    else flags.add(name);
  }
  if (counts.has('listen') && counts.has('repeat')) {
    throw usage('"--repeat" is given with "--listen"', 'it must be left out: flights come from clients');
  }
  return {
    limit: counts.get('limit'),
    repeat: counts.get('repeat') ?? 1,
    listen: counts.get('listen'),
    database: texts.get('database'),
    rejects: texts.get('rejects'),
    slowDatabaseMs: counts.get('slow-database-ms') ?? 0,
    port: counts.get('port'),
    log: flags.has('log'),
    json: flags.has('json'),
    explain: flags.has('explain'),
    help: flags.has('help'),
  };
}

function optionTypes(): Record<string, { type: 'string' | 'boolean' }> {
  return Object.fromEntries(NAMES.map((name) => [name, { type: isOneOf(FLAGS, name) ? 'boolean' : 'string' }]));
}

function countOf(name: string, value: string | undefined): number {
  const count = /^\d+$/.test(value ?? '') ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(count) && count >= 1) return count;
  const what = value === undefined ? `"${name}" has no value` : `"${name}" is "${value}"`;
  throw usage(what, 'it must be a whole number of 1 or more');
}

function portOf(name: string, value: string | undefined): number {
  const port = /^\d{1,5}$/.test(value ?? '') ? Number(value) : Number.NaN;
  if (port <= MAX_PORT) return port;
  const what = value === undefined ? `"${name}" has no value` : `"${name}" is "${value}"`;
  throw usage(what, `it must be a port from 0 to ${MAX_PORT}`);
}

function textOf(name: string, value: string | undefined): string {
  if (value === undefined || value === '') throw usage(`"${name}" has no value`, 'it must have one');
  return value;
}

function known(): string {
  return `the options are ${NAMES.map((name) => `--${name}`).join(', ')}`;
}

function usage(what: string, must: string): UsageError {
  return new UsageError(`Cannot run the demo: ${what} (${must})`);
}

function isOneOf(names: readonly string[], name: string): boolean {
  return names.includes(name);
}
