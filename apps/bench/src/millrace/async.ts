import { batch, filter, flatMap, from, map, mapAsync, tap } from '@millrace/core';
import { addTemps, BATCH, isPlausible, isWanted, judge, type Reading, toFahrenheit } from '../readings.js';

const add = (total: number, value: number): number => total + value;
const addTemp = (total: number, { temp }: Reading): number => total + temp;
const itself = <T>(list: readonly T[]): readonly T[] => list;

/** A function on one number after the other. */
export function oneByOne(numbers: readonly number[], fn: (value: number) => number | Promise<number>): Promise<number> {
  return from(numbers)
    .pipeThrough(mapAsync((value) => fn(value)))
    .reduce(add, 0);
}

/** A function on numbers, 100 at a time. */
export function mapConcurrently(numbers: readonly number[], fn: (value: number) => Promise<number>): Promise<number> {
  return from(numbers)
    .pipeThrough(mapAsync((value) => fn(value), { concurrency: 100 }))
    .reduce(add, 0);
}

/** The 4 steps over arrays that come one by one. */
export function fourOverArrays(arrays: AsyncIterable<readonly Reading[]>): Promise<number> {
  return from(arrays)
    .pipeThrough(flatMap(itself))
    .pipeThrough(filter(isPlausible))
    .pipeThrough(map(toFahrenheit))
    .pipeThrough(map(judge))
    .pipeThrough(filter(isWanted))
    .reduce(addTemp, 0);
}

/** The 4 steps from a native stream of arrays to a native stream of batches. */
export async function fourThroughArrays(arrays: ReadableStream<readonly Reading[]>): Promise<number> {
  let total = 0;
  const sink = new WritableStream<readonly Reading[]>({
    write(items) {
      total = addTemps(total, items);
    },
  });
  await from(arrays)
    .pipeThrough(flatMap(itself))
    .pipeThrough(filter(isPlausible))
    .pipeThrough(map(toFahrenheit))
    .pipeThrough(map(judge))
    .pipeThrough(filter(isWanted))
    .pipeThrough(batch({ maxItems: BATCH }))
    .pipeTo(sink);
  return total;
}

/** The 4 steps from a native stream of items to a native stream of batches. */
export async function fourThroughItems(readings: ReadableStream<Reading>): Promise<number> {
  let total = 0;
  const sink = new WritableStream<readonly Reading[]>({
    write(items) {
      total = addTemps(total, items);
    },
  });
  await from(readings)
    .pipeThrough(filter(isPlausible))
    .pipeThrough(map(toFahrenheit))
    .pipeThrough(map(judge))
    .pipeThrough(filter(isWanted))
    .pipeThrough(batch({ maxItems: BATCH }))
    .pipeTo(sink);
  return total;
}

/** Milliseconds from when an item is handed on by its source until it reaches the end, five stages later. */
export async function latencies(beats: AsyncIterable<number>): Promise<number[]> {
  const all: number[] = [];
  await from(beats)
    .pipeThrough(map((beganMs) => ({ beganMs })))
    .pipeThrough(filter(({ beganMs }) => beganMs > 0))
    .pipeThrough(mapAsync(async (beat) => beat))
    .pipeThrough(tap(({ beganMs }) => beganMs))
    .pipeThrough(map(({ beganMs }) => beganMs))
    .forEach((beganMs) => void all.push(performance.now() - beganMs));
  return all;
}
