import { from, type IterableX, reduce } from 'ix/iterable';
import { buffer, filter, map, take } from 'ix/iterable/operators';
import type { Mixed } from '../pollution.js';
import {
  addCodes,
  addTemps,
  BATCH,
  calibrate,
  encode,
  grade,
  isMild,
  isPlausible,
  isWanted,
  judge,
  type Reading,
  toFahrenheit,
} from '../readings.js';

export function four(readings: readonly Reading[]): number {
  const batches = from(readings).pipe(
    filter(isPlausible),
    map(toFahrenheit),
    map(judge),
    filter(isWanted),
    buffer(BATCH),
  );
  return reduce(batches, { callback: addTemps, seed: 0 });
}

export function eight(readings: readonly Reading[]): number {
  const graded = from(readings).pipe(
    filter(isPlausible),
    map(toFahrenheit),
    map(judge),
    filter(isWanted),
    map(calibrate),
    filter(isMild),
    map(grade),
    map(encode),
  );
  return reduce(graded.pipe(buffer(BATCH)), { callback: addCodes, seed: 0 });
}

export function run({ items, steps }: Mixed): number {
  let source = from(items) as IterableX<unknown>;
  for (const step of steps) {
    if (step.kind === 'take') source = source.pipe(take(step.count));
    else source = step.kind === 'map' ? source.pipe(map(step.fn as never)) : source.pipe(filter(step.fn as never));
  }
  const batches = source.pipe(buffer(7));
  return reduce(batches, { callback: (count: number, batch: unknown[]) => count + batch.length, seed: 0 });
}
