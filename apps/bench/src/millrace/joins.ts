import { flatten, from, map, merge, partitionBy, runAll, scan } from '@millrace/core';

/** Adds up the items of several sources as they arrive. */
export async function mergedTotal(inputs: readonly AsyncIterable<number>[]): Promise<number> {
  let total = 0;
  await merge(...inputs.map((input) => from(input))).forEach((value) => {
    total += value;
  });
  return total;
}

/** The same, of sources that give arrays. */
export async function mergedTotalOfArrays(inputs: readonly AsyncIterable<readonly number[]>[]): Promise<number> {
  let total = 0;
  const numbers = merge(...inputs.map((input) => from(input))).pipeThrough(flatten());
  await numbers.forEach((value) => {
    total += value;
  });
  return total;
}

/** Converts each item in each of four ways, and adds up each. */
export async function broadcastTotals(
  input: readonly number[],
  ways: ReadonlyArray<(value: number) => number>,
): Promise<number[]> {
  const totals = ways.map(() => 0);
  const branches = from(input).broadcast(ways.length);
  const ends = branches.map((branch, at) =>
    branch.pipeThrough(map(ways[at] as (value: number) => number)).into((value) => {
      (totals[at] as number) += value;
    }),
  );
  await runAll(...ends).finished;
  return totals;
}

/** A value of one of many keys. */
export interface Keyed {
  readonly key: number;
  readonly value: number;
}

/** Keeps a total for each key, and adds up what every total has been. */
export async function partitionedTotal(input: readonly Keyed[], maxKeys: number): Promise<number> {
  const totals = partitionBy(
    ({ key }: Keyed) => key,
    { maxKeys },
    (branch) =>
      branch.pipeThrough(map(({ value }) => value * 2)).pipeThrough(scan((total: number, value) => total + value, 0)),
  );
  let sum = 0;
  await from(input)
    .pipeThrough(totals)
    .forEach((total) => {
      sum += total;
    });
  return sum;
}
