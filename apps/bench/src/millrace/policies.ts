import { batch, filter, from, map, mapAsync } from '@millrace/core';
import { addTemps, BATCH, isPlausible, isWanted, judge, type Reading, toFahrenheit } from '../readings.js';

/** What the functions of a pipeline are given for the items on which they fail; `{}` for nothing. */
export interface Policies {
  readonly onError?: 'skip';
  readonly retry?: { readonly attempts: number; readonly backoffMs: number };
  readonly timeoutMs?: number;
}

const add = (total: number, value: number): number => total + value;

/** The 4 steps of core/sync-fused. */
export function steps(readings: readonly Reading[], { onError }: Policies): Promise<number> {
  const policy = onError === undefined ? {} : { onError };
  return from(readings)
    .pipeThrough(filter(isPlausible, policy))
    .pipeThrough(map(toFahrenheit, policy))
    .pipeThrough(map(judge, policy))
    .pipeThrough(filter(isWanted, policy))
    .pipeThrough(batch({ maxItems: BATCH }))
    .reduce(addTemps, 0);
}

/** A function on one number after the other. */
export function oneByOne(
  numbers: readonly number[],
  fn: (value: number) => number | Promise<number>,
  policies: Policies,
): Promise<number> {
  return from(numbers)
    .pipeThrough(mapAsync((value) => fn(value), policies))
    .reduce(add, 0);
}

/** A function on numbers, 100 at a time. */
export function mapConcurrently(
  numbers: readonly number[],
  fn: (value: number) => number | Promise<number>,
  policies: Policies,
): Promise<number> {
  return from(numbers)
    .pipeThrough(mapAsync((value) => fn(value), { concurrency: 100, ...policies }))
    .reduce(add, 0);
}
