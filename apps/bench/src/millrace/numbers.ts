import { filter, from, map, type Pipeline, type RunOptions } from '@millrace/core';

const isWarm = (value: number): boolean => value > 10;
const toFahrenheit = (value: number): number => value * 1.8 + 32;
const add = (total: number, value: number): number => total + value;

const warm = (numbers: readonly number[]): Pipeline<number> =>
  from(numbers).pipeThrough(filter(isWarm)).pipeThrough(map(toFahrenheit));

export function collect(numbers: readonly number[], options: RunOptions): Promise<number[]> {
  return warm(numbers).toArray(options);
}

export function collectInto(numbers: readonly number[], out: Float64Array, options: RunOptions): Promise<number> {
  return warm(numbers).collectInto(out, options);
}

export function sum(numbers: readonly number[], options: RunOptions): Promise<number> {
  return warm(numbers).reduce(add, 0, options);
}

export function mapReduce(numbers: readonly number[], options: RunOptions): Promise<number> {
  return from(numbers).pipeThrough(map(toFahrenheit)).reduce(add, 0, options);
}
