import { filter, map, newStream, runEffects, take, tap } from '@most/core';
import { asap, newDefaultScheduler } from '@most/scheduler';
import type { Sink, Stream, Task } from '@most/types';
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

// @most/core has neither a source for arrays nor batches: both are written as its own tests and its documentation do it.

function fromArray<T>(items: readonly T[]): Stream<T> {
  return newStream((sink, scheduler) => asap(new ArrayTask(items, sink), scheduler));
}

class ArrayTask<T> implements Task {
  #isDisposed = false;
  readonly #items: readonly T[];
  readonly #sink: Sink<T>;

  constructor(items: readonly T[], sink: Sink<T>) {
    this.#items = items;
    this.#sink = sink;
  }

  run(time: number): void {
    const items = this.#items;
    const sink = this.#sink;
    for (let at = 0; at < items.length && !this.#isDisposed; at++) sink.event(time, items[at] as T);
    if (!this.#isDisposed) sink.end(time);
  }

  error(time: number, error: Error): void {
    this.#sink.error(time, error);
  }

  dispose(): void {
    this.#isDisposed = true;
  }
}

async function batched<T>(stream: Stream<T>, add: (total: number, batch: readonly T[]) => number): Promise<number> {
  let total = 0;
  let batch: T[] = [];
  const each = (item: T): void => {
    batch.push(item);
    if (batch.length === BATCH) {
      total = add(total, batch);
      batch = [];
    }
  };
  await runEffects(tap(each, stream), newDefaultScheduler());
  return batch.length > 0 ? add(total, batch) : total;
}

export function four(readings: readonly Reading[]): Promise<number> {
  return batched(filter(isWanted, map(judge, map(toFahrenheit, filter(isPlausible, fromArray(readings))))), addTemps);
}

export function eight(readings: readonly Reading[]): Promise<number> {
  const wanted = filter(isWanted, map(judge, map(toFahrenheit, filter(isPlausible, fromArray(readings)))));
  return batched(map(encode, map(grade, filter(isMild, map(calibrate, wanted)))), addCodes);
}

export function run({ items, steps }: Mixed): Promise<number> {
  let stream: Stream<never> = fromArray(items as never[]);
  for (const step of steps) {
    if (step.kind === 'take') stream = take(step.count, stream);
    else stream = step.kind === 'map' ? (map(step.fn, stream) as Stream<never>) : filter(step.fn, stream);
  }
  return batched(stream as Stream<unknown>, (count, batch) => count + batch.length);
}
