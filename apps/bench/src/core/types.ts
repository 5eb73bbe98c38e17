import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ProgramCase } from '../model.js';
import { PACKAGE } from '../package.js';
import { ownRow } from '../rows.js';

const TSC = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', PACKAGE));
const PIPE = fileURLToPath(new URL('src/millrace/thirty-stages.ts', PACKAGE));
const FLAGS = [
  '--ignoreConfig',
  '--noEmit',
  '--strict',
  '--skipLibCheck',
  '--module',
  'nodenext',
  '--target',
  'es2022',
];

const run = promisify(execFile);

/** Milliseconds of the whole command, on the declarations that are published, with the TypeScript of the repository. */
async function typeCheck(): Promise<number> {
  const beganMs = performance.now();
  await run(process.execPath, [TSC, ...FLAGS, PIPE]);
  return performance.now() - beganMs;
}

const WORK = { suite: 'core', name: 'types', options: 'a pipe of 30 stages' } as const;

/** How long the type checker takes over a long pipe. */
export const TYPES: ProgramCase = {
  ...WORK,
  condition: 'clean',
  against: [],
  async compare(runs) {
    const times: number[] = [];
    for (let round = 0; round < runs; round++) times.push(await typeCheck());
    return [ownRow({ ...WORK, metric: 'ms' }, times)];
  },
};
