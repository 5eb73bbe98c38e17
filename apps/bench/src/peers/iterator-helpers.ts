import type { FusedPeer } from '../core/programs.js';
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
  type Judged,
  judge,
  type Reading,
  toFahrenheit,
} from '../readings.js';

/** What the iterators of newer runtimes have besides `next`. */
interface Helpers<T> extends Iterable<T> {
  map<O>(fn: (item: T) => O): Helpers<O>;
  filter(fn: (item: T) => boolean): Helpers<T>;
  take(limit: number): Helpers<T>;
  reduce<R>(fn: (total: R, item: T) => R, start: R): R;
}

const helpersOf = <T>(items: Iterable<T>): Helpers<T> => items[Symbol.iterator]() as unknown as Helpers<T>;

/** There is no helper that makes batches. */
function* batching<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length === size) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

const judged = (readings: readonly Reading[]): Helpers<Judged> =>
  helpersOf(readings).filter(isPlausible).map(toFahrenheit).map(judge).filter(isWanted);

function four(readings: readonly Reading[]): number {
  return helpersOf(batching(judged(readings), BATCH)).reduce(addTemps, 0);
}

function eight(readings: readonly Reading[]): number {
  const coded = judged(readings).map(calibrate).filter(isMild).map(grade).map(encode);
  return helpersOf(batching(coded, BATCH)).reduce(addCodes, 0);
}

function run({ items, steps }: Mixed): number {
  let source = helpersOf(items) as Helpers<never>;
  for (const step of steps) {
    if (step.kind === 'take') source = source.take(step.count);
    else source = step.kind === 'map' ? (source.map(step.fn) as Helpers<never>) : source.filter(step.fn);
  }
  return helpersOf(batching(source, 7)).reduce((count, batch) => count + batch.length, 0);
}

const iteratorPrototype: object = Object.getPrototypeOf(Object.getPrototypeOf([].values()));

/** The work with iterator helpers, where the runtime has them: Node from 22 on. */
export const iteratorHelpers: FusedPeer | undefined = 'map' in iteratorPrototype ? { four, eight, run } : undefined;
