import type { Value } from './case.js';

// What the functions of a case do to an item: the same in the pipeline and in the model.

/** A number for any value. */
export function sizeOf(value: Value): number {
  return typeof value === 'number' ? value : value.reduce<number>((sum, each) => sum + sizeOf(each), value.length);
}

/** How many numbers are in a value. */
export function leavesOf(value: Value): number {
  return typeof value === 'number' ? 1 : value.reduce<number>((sum, each) => sum + leavesOf(each), 0);
}

export function mapped(value: Value): Value {
  return typeof value === 'number' ? value + 1 : value.map(mapped);
}

export function isKept(value: Value): boolean {
  return sizeOf(value) % 3 !== 0;
}

/** Whether a value is none of those that end a `takeWhile()`, or begin what a `dropWhile()` lets pass. */
export function isEarly(value: Value): boolean {
  return sizeOf(value) % 11 !== 7;
}

export function summed(sum: number, value: Value): number {
  return (sum + sizeOf(value)) % 1000;
}

export function keyOf(value: Value): number {
  return Math.floor(sizeOf(value) / 2);
}

/** The members of a batch, or some numbers instead of one. */
export function unfolded(value: Value, most: number): readonly Value[] {
  if (typeof value !== 'number') return value;
  return Array.from({ length: value % (most + 1) }, (_, at) => value + at);
}

export function bytesOf(value: Value): number {
  return (sizeOf(value) % 5) + 1;
}

/** Marks what came by input `input` of a merge with up to 4 of them. */
export function tagged(value: Value, input: number): Value {
  return typeof value === 'number' ? value * 4 + input : value.map((each) => tagged(each, input));
}

/** The input by which a value came; `undefined` for an empty batch. */
export function tagOf(value: Value): number | undefined {
  if (typeof value === 'number') return ((value % 4) + 4) % 4;
  return value.length === 0 ? undefined : tagOf(value[0] as Value);
}
