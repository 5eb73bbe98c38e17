import { bufferCount, filter, from, lastValueFrom, map, type OperatorFunction, reduce, take } from 'rxjs';
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
  return lastValueFrom(
    from(readings).pipe(
      filter(isPlausible),
      map(toFahrenheit),
      map(judge),
      filter(isWanted),
      bufferCount<Judged>(BATCH),
      reduce(addTemps, 0),
    ),
  );
}

export function eight(readings: readonly Reading[]): Promise<number> {
  // In two parts, since the types of pipe() end at nine operators.
  const wanted = from(readings).pipe(filter(isPlausible), map(toFahrenheit), map(judge), filter(isWanted));
  const coded = wanted.pipe(map(calibrate), filter(isMild), map(grade), map(encode));
  return lastValueFrom(coded.pipe(bufferCount<Coded>(BATCH), reduce(addCodes, 0)));
}

export function run({ items, steps }: Mixed): Promise<number> {
  const operators = steps.map((step): OperatorFunction<never, unknown> => {
    if (step.kind === 'take') return take(step.count);
    return step.kind === 'map' ? map(step.fn) : filter(step.fn);
  });
  const piped = operators.reduce((source, operator) => operator(source as never), from(items as unknown[]));
  return lastValueFrom(
    piped.pipe(
      bufferCount(7),
      reduce((count, batch) => count + batch.length, 0),
    ),
  );
}
