import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { coreChaos } from './core.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string' }, seed: { type: 'string' }, json: { type: 'boolean' } },
  // `--json` may have a file behind it, or nothing.
  strict: true,
});

const [file] = positionals.filter((name) => name !== 'core');
if (file !== undefined && !values.json)
  throw new RangeError(`Cannot run chaos: there is no suite "${file}" (must be core)`);
const rounds = Number(values.rounds ?? 20);
if (!Number.isInteger(rounds) || rounds < 1)
  throw new RangeError(`Cannot run chaos: --rounds is ${values.rounds} (must be a whole number of 1 or more)`);
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
