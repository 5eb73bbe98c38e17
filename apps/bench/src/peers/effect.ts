import { Effect, Stream } from 'effect';
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

export function four(readings: readonly Reading[]): Promise<number> {
  return Effect.runPromise(
    Stream.fromArray(readings).pipe(
      Stream.filter(isPlausible),
      Stream.map(toFahrenheit),
      Stream.map(judge),
      Stream.filter(isWanted),
      Stream.grouped(BATCH),
      Stream.runFold(() => 0, addTemps),
    ),
  );
}

export function eight(readings: readonly Reading[]): Promise<number> {
  return Effect.runPromise(
    Stream.fromArray(readings).pipe(
      Stream.filter(isPlausible),
      Stream.map(toFahrenheit),
      Stream.map(judge),
      Stream.filter(isWanted),
      Stream.map(calibrate),
      Stream.filter(isMild),
      Stream.map(grade),
      Stream.map(encode),
      Stream.grouped(BATCH),
      Stream.runFold(() => 0, addCodes),
    ),
  );
}

export function run({ items, steps }: Mixed): Promise<number> {
  let stream = Stream.fromArray(items as readonly never[]);
  for (const step of steps) {
    if (step.kind === 'take') stream = Stream.take(stream, step.count);
    else if (step.kind === 'map') stream = Stream.map(stream, step.fn) as typeof stream;
    else stream = Stream.filter(stream, step.fn) as typeof stream;
  }
  return Effect.runPromise(
    stream.pipe(
      Stream.grouped(7),
      Stream.runFold(
        () => 0,
        (count, batch) => count + batch.length,
      ),
    ),
  );
}

/** A function on numbers, 100 at a time. */
export function mapConcurrently(numbers: readonly number[], fn: (value: number) => Promise<number>): Promise<number> {
  return Effect.runPromise(
    Stream.fromArray(numbers).pipe(
      Stream.mapEffect((value) => Effect.promise(() => fn(value)), { concurrency: 100 }),
      Stream.runFold(
        () => 0,
        (total, value) => total + value,
      ),
    ),
  );
}
