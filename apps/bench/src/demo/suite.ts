import type { ProgramCase, Row } from '../model.js';
import { ownRow, ratioRow } from '../rows.js';
import { runFirstBatch } from './first-batch.js';
import { STAGES } from './flights-job.js';
import { runByHand, runDemo, runSetUp, runStageAlone } from './programs.js';

const FLIGHTS = 1_000_000;
const OPTIONS = '1,000,000 flights, --database';

const SET_UP = 'set-up';

/** The demo against the job by hand and the sum of its stages, over as many flights into the same table. */
async function compareEndToEnd(runs: number): Promise<readonly Row[]> {
  const own = { cpu: [] as number[], wall: [] as number[] };
  const hand = { cpu: [] as number[], wall: [] as number[] };
  const alone = new Map<string, number[]>([...STAGES, SET_UP].map((stage) => [stage, []]));
  for (let round = 0; round < runs; round++) {
    const demo = await runDemo(FLIGHTS);
    const byHand = await runByHand(FLIGHTS);
    if (byHand.digest !== demo.digest) {
      throw new Error(`Cannot compare with the hand job: it stored ${byHand.digest} (must be ${demo.digest})`);
    }
    for (const metric of ['cpu', 'wall'] as const) {
      own[metric].push(demo[metric]);
      hand[metric].push(byHand[metric]);
    }
    for (const stage of STAGES) alone.get(stage)?.push(await runStageAlone(stage, FLIGHTS));
    alone.get(SET_UP)?.push(await runSetUp());
  }
  const sums = own.cpu.map((_, round) => [...alone.values()].reduce((sum, costs) => sum + (costs[round] as number), 0));
  const of = { suite: 'demo', name: 'end-to-end', metric: 'cpu', options: OPTIONS } as const;
  return [
    ratioRow(of, 'hand job', hand.cpu, own.cpu),
    ratioRow({ ...of, metric: 'wall' }, 'hand job', hand.wall, own.wall),
    ratioRow(of, 'sum of the stages alone', sums, own.cpu),
    ownRow(of, own.cpu),
    ownRow({ ...of, metric: 'wall' }, own.wall),
    ...[...alone].map(([stage, costs]) => ownRow({ ...of, options: `${stage} alone` }, costs)),
  ];
}

/** How much memory the demo takes at most, and that three times as many flights take no more. */
async function compareMemory(runs: number): Promise<readonly Row[]> {
  const third: number[] = [];
  const all: number[] = [];
  for (let round = 0; round < runs; round++) {
    third.push((await runDemo(FLIGHTS)).peakRssBytes);
    all.push((await runDemo(undefined)).peakRssBytes);
  }
  const of = { suite: 'demo', name: 'memory', metric: 'rss' } as const;
  return [
    ownRow({ ...of, options: OPTIONS }, third),
    ownRow({ ...of, options: '3,000,000 flights, --database' }, all),
    ratioRow({ ...of, options: '3,000,000 flights, --database' }, '1,000,000 flights', third, all),
  ];
}

async function measureFirstBatch(runs: number): Promise<readonly Row[]> {
  const times: number[] = [];
  for (let round = 0; round < runs; round++) times.push(await runFirstBatch());
  return [ownRow({ suite: 'demo', name: 'first-batch', metric: 'ms', options: 'npm run demo, warm' }, times)];
}

/** The suite `demo`: the demo as people run it. */
export const DEMO: readonly ProgramCase[] = [
  {
    ...programCase('end-to-end', OPTIONS),
    against: [{ name: 'hand job' }, { name: 'sum of the stages alone' }],
    compare: compareEndToEnd,
  },
  { ...programCase('memory', '1,000,000 and 3,000,000 flights, --database'), compare: compareMemory },
  { ...programCase('first-batch', 'npm run demo, warm'), compare: measureFirstBatch },
];

function programCase(name: string, options: string): Omit<ProgramCase, 'compare'> {
  return { suite: 'demo', name, condition: 'clean', options, against: [] };
}
