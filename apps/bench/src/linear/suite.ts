import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { LinearJob } from '../linear-side.js';
import { EVERY_STAGE } from '../millrace/every-stage.js';
import type { ProgramCase, Row } from '../model.js';
import { ratioRow } from '../rows.js';

const SIDE = fileURLToPath(new URL('./linear-side.js', import.meta.url));
const FEW = 1_000_000;
const MANY = 10_000_000;
const OPTIONS = '10,000,000 items';
const TIMEOUT_MS = 600_000;

interface Cost {
  readonly cpu: number;
  readonly bytes: number;
}

const run = promisify(execFile);

async function costOf(job: LinearJob): Promise<Cost> {
  const { stdout } = await run(process.execPath, ['--expose-gc', SIDE, JSON.stringify(job)], { timeout: TIMEOUT_MS });
  return JSON.parse(stdout) as Cost;
}

/** One stage over 1 million items and over 10 million: the time of an item, and what is alive at nine tenths, are the same. */
async function compare(stage: string, runs: number): Promise<readonly Row[]> {
  const few: Cost[] = [];
  const many: Cost[] = [];
  for (let round = 0; round < runs; round++) {
    few.push(await costOf({ stage, items: FEW }));
    many.push(await costOf({ stage, items: MANY }));
  }
  const of = { suite: 'linear', name: stage, options: OPTIONS } as const;
  const perItem = (costs: readonly Cost[], items: number): number[] => costs.map(({ cpu }) => cpu / items);
  const alive = (costs: readonly Cost[]): number[] => costs.map(({ bytes }) => bytes);
  return [
    ratioRow({ ...of, metric: 'cpu' }, '1,000,000 items: time of an item', perItem(few, FEW), perItem(many, MANY)),
    ratioRow({ ...of, metric: 'bytes' }, '1,000,000 items: live heap', alive(few), alive(many)),
  ];
}

/** The suite `linear`: ten times as many items take ten times as long, and no more memory. */
export const LINEAR: readonly ProgramCase[] = Object.keys(EVERY_STAGE).map((stage) => ({
  suite: 'linear',
  name: stage,
  condition: 'clean',
  options: OPTIONS,
  against: [{ name: '1,000,000 items' }],
  compare: (runs) => compare(stage, runs),
}));
