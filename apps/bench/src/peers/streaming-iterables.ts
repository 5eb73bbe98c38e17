import { type AnyIterable, batch, filter, map, parallelMap, pipeline, reduce, take } from 'streaming-iterables';
import type { Mixed } from '../pollution.js';
import {
  addCodes,
  addTemps,
  BATCH,
  type Coded,
  calibrate,
  encode,
  grade,
  isMild,
  isPlausible,
  isWanted,
  type Judged,
  judge,
  type Reading,
  toFahrenheit,
} from '../readings.js';

export function four(readings: readonly Reading[]): Promise<number> {
  return pipeline(
    () => readings,
    filter(isPlausible),
    map(toFahrenheit),
    map(judge),
    filter<Judged>(isWanted),
    (items: AsyncIterable<Judged>) => batch<Judged, AsyncIterable<Judged>>(BATCH, items),
    reduce(addTemps, 0),
  );
}

export function eight(readings: readonly Reading[]): Promise<number> {
  const wanted = pipeline(() => readings, filter(isPlausible), map(toFahrenheit), map(judge), filter<Judged>(isWanted));
  return pipeline(
    () => wanted as AsyncIterable<Judged>,
    map(calibrate),
    filter<Judged>(isMild),
    map(grade),
    map(encode),
    (items: AsyncIterable<Coded>) => batch<Coded, AsyncIterable<Coded>>(BATCH, items),
    reduce(addCodes, 0),
  );
}

export function run({ items, steps }: Mixed): Promise<number> {
  let source: AnyIterable<unknown> = items;
  for (const step of steps) {
    if (step.kind === 'take') source = take(step.count, source as AsyncIterable<unknown>);
    else source = step.kind === 'map' ? map(step.fn, source as never) : filter(step.fn, source as never);
  }
  const batches = batch<unknown, AsyncIterable<unknown>>(7, source as AsyncIterable<unknown>);
  return reduce((count: number, each: unknown[]) => count + each.length, 0, batches);
}

/** A function on numbers, 100 at a time. */
export function mapConcurrently(numbers: readonly number[], fn: (value: number) => Promise<number>): Promise<number> {
  return pipeline(
    () => numbers,
    parallelMap(100, fn),
    reduce((total: number, value: number) => total + value, 0),
  );
}
