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

// Generator functions in the style of the iterator helpers, which Node 20 has not yet.

function* mapping<I, O>(items: Iterable<I>, fn: (item: I) => O): Generator<O> {
  for (const item of items) yield fn(item);
}

function* filtering<T>(items: Iterable<T>, fn: (item: T) => boolean): Generator<T> {
  for (const item of items) if (fn(item)) yield item;
}

function* taking<T>(items: Iterable<T>, count: number): Generator<T> {
  let left = count;
  for (const item of items) {
    if (left-- <= 0) return;
    yield item;
  }
}

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

function folding<T>(items: Iterable<T>, fn: (total: number, item: T) => number): number {
  let total = 0;
  for (const item of items) total = fn(total, item);
  return total;
}

export function four(readings: readonly Reading[]): number {
  const judged = mapping(mapping(filtering(readings, isPlausible), toFahrenheit), judge);
  return folding(batching(filtering(judged, isWanted), BATCH), addTemps);
}

export function eight(readings: readonly Reading[]): number {
  const judged = mapping(mapping(filtering(readings, isPlausible), toFahrenheit), judge);
  const mild = filtering(mapping(filtering(judged, isWanted), calibrate), isMild);
  return folding(batching(mapping(mapping(mild, grade), encode), BATCH), addCodes);
}

export function run({ items, steps }: Mixed): number {
  let source: Iterable<unknown> = items;
  for (const step of steps) {
    if (step.kind === 'take') source = taking(source, step.count);
    else source = step.kind === 'map' ? mapping(source as never, step.fn) : filtering(source as never, step.fn);
  }
  return folding(batching(source, 7), (count, batch) => count + batch.length);
}
