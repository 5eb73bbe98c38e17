import { UsageError } from './usage-error.js';

/** What the command line asks for. */
export interface Arguments {
  /** `suite` or `suite/case`; all where it is empty. */
  readonly selectors: readonly string[];
  readonly isList: boolean;
  /** Whether rows are written as JSON: to standard output, or appended to `file`. */
  readonly json: { readonly file: string | undefined } | undefined;
  readonly runtime: string;
  readonly seed: number;
  readonly runs: number;
}

const OPTIONS = ['--list', '--json', '--runtime', '--seed', '--runs'];

/** Reads the command line; `suites` tells a suite from the file of `--json`. */
export function parseArguments(args: readonly string[], suites: readonly string[]): Arguments {
  const selectors: string[] = [];
  const rest = args.flatMap(splitAtEquals);
  let isList = false;
  let json: { file: string | undefined } | undefined;
  let runtime = 'node';
  let seed = 1;
  let runs = 5;
  for (let at = 0; at < rest.length; at++) {
    const arg = rest[at] as string;
    if (arg === '--') continue;
    if (arg === '--list') isList = true;
    else if (arg === '--json') json = { file: isFile(rest[at + 1], suites) ? rest[++at] : undefined };
    else if (arg === '--runtime') runtime = textOf(arg, rest[++at]);
    else if (arg === '--seed') seed = wholeNumber(arg, rest[++at], 0);
    else if (arg === '--runs') runs = wholeNumber(arg, rest[++at], 1);
    else if (arg.startsWith('-')) {
      throw new UsageError(`Cannot run the benchmarks: unknown option '${arg}' (must be one of ${OPTIONS.join(', ')})`);
    } else selectors.push(arg);
  }
  return { selectors, isList, json, runtime, seed, runs };
}

function splitAtEquals(arg: string): string[] {
  const at = arg.startsWith('--') ? arg.indexOf('=') : -1;
  return at < 0 ? [arg] : [arg.slice(0, at), arg.slice(at + 1)];
}

/** A file's name has a dot or a slash, so that a suite that is spelled wrong is not taken for one. */
function isFile(arg: string | undefined, suites: readonly string[]): boolean {
  if (arg === undefined || arg.startsWith('-') || !/[./\\]/.test(arg)) return false;
  return !suites.includes(arg.split('/')[0] as string);
}

function textOf(option: string, value: string | undefined): string {
  if (value === undefined || value === '' || value.startsWith('--')) {
    throw new UsageError(`Cannot use option '${option}': its value is missing`);
  }
  return value;
}

function wholeNumber(option: string, text: string | undefined, least: number): number {
  const value = Number(textOf(option, text));
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new UsageError(`Cannot use option '${option}': it is '${text}' (must be a whole number of ${least} or more)`);
}
