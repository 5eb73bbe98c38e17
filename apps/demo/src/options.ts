import { parseArgs } from 'node:util';

/** What the demo was asked to do. */
export interface DemoOptions {
  /** Flights to read; `undefined` for all. */
  readonly limit: number | undefined;
  /** How many times over the file is read. */
  readonly repeat: number;
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
  --json           print the summary only, as one JSON object on the last line
  --explain        print the plan of the pipeline, and the most items that can be inside, before it runs
  --no-dashboard   run without the dashboard
  --help           print this

Ctrl-C stops reading, finishes what is inside and prints the summary; a second one stops at once.
`;

const FLAGS = ['json', 'explain', 'no-dashboard', 'help'] as const;
const COUNTS = ['limit', 'repeat'] as const;
const NAMES = [...COUNTS, ...FLAGS];

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
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') throw usage(`"${token.value}" is not an option`, known());
    const { name, rawName, value } = token;
    if (isOneOf(COUNTS, name)) counts.set(name, countOf(rawName, value));
    else if (!isOneOf(FLAGS, name)) throw usage(`there is no option "${rawName}"`, known());
    else if (value !== undefined) throw usage(`"${rawName}" has the value "${value}"`, 'it takes none');
    else flags.add(name);
  }
  return {
    limit: counts.get('limit'),
    repeat: counts.get('repeat') ?? 1,
    json: flags.has('json'),
    explain: flags.has('explain'),
    help: flags.has('help'),
  };
}

function optionTypes(): Record<string, { type: 'string' | 'boolean' }> {
  return Object.fromEntries(NAMES.map((name) => [name, { type: isOneOf(COUNTS, name) ? 'string' : 'boolean' }]));
}

function countOf(name: string, value: string | undefined): number {
  const count = /^\d+$/.test(value ?? '') ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(count) && count >= 1) return count;
  const what = value === undefined ? `"${name}" has no value` : `"${name}" is "${value}"`;
  throw usage(what, 'it must be a whole number of 1 or more');
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
