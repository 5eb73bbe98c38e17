import { Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
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
  judge,
  type Reading,
  toFahrenheit,
} from '../readings.js';

function mapping<I, O>(fn: (item: I) => O): Transform {
  return new Transform({
    objectMode: true,
    transform(item: I, _encoding, callback) {
      callback(null, fn(item));
    },
  });
}

function filtering<T>(fn: (item: T) => boolean): Transform {
  return new Transform({
    objectMode: true,
    transform(item: T, _encoding, callback) {
      if (fn(item)) callback(null, item);
      else callback();
    },
  });
}

function taking(count: number): Transform {
  let taken = 0;
  return filtering(() => taken++ < count);
}

function batching<T>(size: number): Transform {
  let batch: T[] = [];
  return new Transform({
    objectMode: true,
    transform(item: T, _encoding, callback) {
      batch.push(item);
      if (batch.length < size) return callback();
      const full = batch;
      batch = [];
      callback(null, full);
    },
    flush(callback) {
      if (batch.length > 0) callback(null, batch);
      else callback();
    },
  });
}

async function through<B>(
  items: readonly unknown[],
  transforms: readonly Transform[],
  add: (total: number, batch: readonly B[]) => number,
): Promise<number> {
  let total = 0;
  const adding = new Writable({
    objectMode: true,
    write(batch: readonly B[], _encoding, callback) {
      total = add(total, batch);
      callback();
    },
  });
  await pipeline([Readable.from(items), ...transforms, adding]);
  return total;
}

export function four(readings: readonly Reading[]): Promise<number> {
  return through(
    readings,
    [filtering(isPlausible), mapping(toFahrenheit), mapping(judge), filtering(isWanted), batching(BATCH)],
    addTemps,
  );
}

export function eight(readings: readonly Reading[]): Promise<number> {
  const wanted = [filtering(isPlausible), mapping(toFahrenheit), mapping(judge), filtering(isWanted)];
  const coded = [mapping(calibrate), filtering(isMild), mapping(grade), mapping(encode)];
  return through<Coded>(readings, [...wanted, ...coded, batching(BATCH)], addCodes);
}

export function run({ items, steps }: Mixed): Promise<number> {
  const transforms = steps.map((step) => {
    if (step.kind === 'take') return taking(step.count);
    return step.kind === 'map' ? mapping(step.fn) : filtering(step.fn);
  });
  return through(items, [...transforms, batching(7)], (count, batch) => count + batch.length);
}
