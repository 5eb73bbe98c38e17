import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { coreChaos } from './core.js';

const USAGE = 'Usage: pnpm chaos [core] [--rounds N] [--seed N] [--json [FILE]]';

/** Says what is wrong with the command line, and ends. */
function refuse(what: string): never {
  console.error(`Cannot run chaos: ${what}\n${USAGE}`);
  process.exit(2);
}

function read() {
  try {
    // `--json` may have a file behind it, or nothing.
    const options = { rounds: { type: 'string' }, seed: { type: 'string' }, json: { type: 'boolean' } } as const;
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

const { values, positionals } = read();
const [file] = positionals.filter((name) => name !== 'core');
if (file !== undefined && !values.json) refuse(`there is no suite "${file}" (must be core)`);
const rounds = Number(values.rounds ?? 20);
if (!Number.isInteger(rounds) || rounds < 1)
  refuse(`--rounds is "${values.rounds}" (must be a whole number of 1 or more)`);
const seed = Number(values.seed ?? 20261122);

/** Numbers from 0 to 1 that the seed decides (mulberry32). */
let state = seed >>> 0;
function random(): number {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
}

const outcome = { suite: 'core', ...(await coreChaos(rounds, random)) };
if (values.json) {
  const line = `${JSON.stringify(outcome)}\n`;
  process.stdout.write(line);
  if (file !== undefined) await writeFile(file, line);
} else console.table([outcome]);
process.exitCode = outcome.lost + outcome.doubledOutsideWindow + outcome.hung + outcome.leaked > 0 ? 1 : 0;
