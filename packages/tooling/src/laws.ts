import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from './workspace.js';

// The laws of the engine as property tests, at length: `pnpm laws [--runs N] [--seed N] [--family NAME] [--path PATH]`.

const { values } = parseArgs({
  args: process.argv.slice(2).filter((arg) => arg !== '--'),
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 0x7fff_ffff)) },
    family: { type: 'string' },
    path: { type: 'string' },
  },
});
for (const what of ['runs', 'seed'] as const) {
  if (!/^\d+$/.test(values[what])) {
    console.error(`Cannot try the laws: --${what} is "${values[what]}" (must be a whole number)`);
    process.exit(2);
  }
}
const isOne = values.path !== undefined;
const env = {
  ...process.env,
  MILLRACE_LAWS_RUNS: values.runs,
  MILLRACE_LAWS_SEED: values.seed,
  ...(values.family === undefined ? {} : { MILLRACE_LAWS_FAMILY: values.family }),
  ...(values.path === undefined ? {} : { MILLRACE_LAWS_PATH: values.path }),
};
const args = [
  'run',
  '--project',
  'sources',
  'packages/core/test/laws',
  '--reporter=./packages/tooling/src/laws-table.ts',
];
const vitest = join(ROOT, 'node_modules/.bin/vitest');
const filter = isOne ? ['--testNamePattern', 'the laws hold'] : [];
const child = spawn(vitest, [...args, ...filter], { cwd: ROOT, env, stdio: 'inherit' });
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => child.kill(name));
child.on('close', (code) => {
  process.exitCode = code ?? 1;
});
