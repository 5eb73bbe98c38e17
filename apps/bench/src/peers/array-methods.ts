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

function batches<T>(items: readonly T[], size: number): T[][] {
  const all: T[][] = [];
  for (let at = 0; at < items.length; at += size) all.push(items.slice(at, at + size));
  return all;
}

export function four(readings: readonly Reading[]): number {
  const judged: Judged[] = readings.filter(isPlausible).map(toFahrenheit).map(judge).filter(isWanted);
  return batches(judged, BATCH).reduce(addTemps, 0);
}

export function eight(readings: readonly Reading[]): number {
  const judged = readings.filter(isPlausible).map(toFahrenheit).map(judge).filter(isWanted);
  const coded: Coded[] = judged.map(calibrate).filter(isMild).map(grade).map(encode);
  return batches(coded, BATCH).reduce(addCodes, 0);
}

export function run({ items, steps }: Mixed): number {
  let source = items as readonly never[];
  for (const step of steps) {
    if (step.kind === 'take') source = source.slice(0, step.count);
    else source = step.kind === 'map' ? (source.map(step.fn) as never[]) : source.filter(step.fn);
  }
  return batches(source, 7).reduce((count, batch) => count + batch.length, 0);
}
