import { median } from './measure.js';
import type { Case, Figure, Job, Row, Side } from './model.js';

/** Runs one job in a fresh process; gives nothing where the runtime lacks what the side needs. */
export type RunJob = (job: Job) => Promise<Figure | undefined>;

interface Pair {
  readonly against: Side;
  readonly items: number;
  readonly ratios: number[];
}

/**
 * Compares the sides of a case: in each round Millrace and every other side take turns, each in a fresh process, and
 * each other side is held against the run of Millrace that came before it over as many items.
 */
export async function compare(of: Case, runs: number, seed: number, run: RunJob): Promise<Row[]> {
  const costs: number[] = [];
  const pairs: Pair[] = of.against.map((against) => ({ against, items: against.items ?? of.items, ratios: [] }));
  let runtime = '';
  for (let round = 0; round < runs; round++) {
    for (const items of new Set([of.items, ...pairs.map((pair) => pair.items)])) {
      const own = await run(jobOf(of, of.millrace, items, seed));
      if (own === undefined) throw new Error(`Cannot run ${of.millrace.name}: the runtime lacks what it needs`);
      runtime = own.runtime;
      if (items === of.items) costs.push(own.cost);
      for (const { against, ratios } of pairs.filter((pair) => pair.items === items)) {
        const other = await run(jobOf(of, against, items, seed));
        if (other === undefined) continue;
        if (other.digest !== own.digest) {
          throw new Error(`Cannot compare with ${against.name}: its result is ${other.digest} (must be ${own.digest})`);
        }
        ratios.push(other.cost / own.cost);
      }
    }
  }
  if (pairs.length === 0)
    return [{ ...spread(costs), ...common(of, '', runs, runtime), speed: null, value: median(costs) }];
  const compared = pairs.filter(({ ratios }) => ratios.length > 0);
  return compared.map(({ against, ratios }) => ({
    ...spread(ratios),
    ...common(of, against.name, runs, runtime),
    speed: median(ratios),
  }));
}

function jobOf(of: Case, side: Side, items: number, seed: number): Job {
  const { suite, name, condition, options } = of;
  return { suite, case: name, condition, options, side: side.name, items, seed };
}

function spread(values: readonly number[]): { low: number; high: number } {
  return { low: Math.min(...values), high: Math.max(...values) };
}

function common({ suite, name, condition, metric, options }: Case, against: string, runs: number, runtime: string) {
  return { suite, case: name, condition, against, metric, runs, runtime, options };
}
