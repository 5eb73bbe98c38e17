import { digest } from './digest.js';
import type { Case, Figure, Program } from './model.js';
import { randomOf } from './random.js';

// A run is the whole work once; a repetition is as many runs as take long enough to be measured.
const WARM_UP_RUNS = 3;
const WARM_UP_US = 150_000;
const REPETITIONS = 5;
const FEWEST_REPETITIONS = 3;
const REPETITION_US = 25_000;
const ENOUGH_US = 500_000;

/** Runs a program in this process and gives the median of what its repetitions cost for one run. */
export async function measure(program: Program, of: Case, items: number, seed: number): Promise<Figure> {
  const run = program.prepare(items, randomOf(seed));
  if (of.metric === 'ms') {
    const value = (await run()) as number;
    return { cost: value, digest: '', runtime: runtimeName() };
  }
  if (of.condition === 'polluted') await program.pollute?.();
  const first = digest(await run());
  const runs = await warmUp(run);
  const costs: number[] = [];
  let result: unknown;
  let spent = 0;
  while (costs.length < REPETITIONS && !(spent > ENOUGH_US && costs.length >= FEWEST_REPETITIONS)) {
    result = undefined;
    const before = process.cpuUsage();
    for (let count = 0; count < runs; count++) result = await run();
    const cost = since(before);
    spent += cost;
    costs.push(cost / runs);
  }
  const last = digest(result);
  if (last !== first) throw new Error(`Cannot compare: the program's first result is ${first}, its last ${last}`);
  return { cost: median(costs), digest: last, runtime: runtimeName() };
}

/** Gives the middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** Runs until the program is hot; gives how many runs a repetition takes. */
async function warmUp(run: () => unknown): Promise<number> {
  let runs = 0;
  let last = 0;
  const began = process.cpuUsage();
  while (runs < WARM_UP_RUNS || (since(began) < WARM_UP_US && runs < 1000)) {
    const before = process.cpuUsage();
    await run();
    last = since(before);
    runs++;
  }
  return Math.max(1, Math.ceil(REPETITION_US / Math.max(1, last)));
}

function since(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function runtimeName(): string {
  const { bun, deno, node } = process.versions;
  if (bun !== undefined) return `bun ${bun}`;
  return deno === undefined ? `node ${node}` : `deno ${deno}`;
}
