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

/** Another value, of the same tag. */
export function mapped(value: Value): Value {
  return typeof value === 'number' ? value + TAGS : value.map(mapped);
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
  return Array.from({ length: value % (most + 1) }, (_, at) => value + TAGS * at);
}

export function bytesOf(value: Value): number {
  return (sizeOf(value) % 5) + 1;
}

/** The most inputs of a merge, or keys. */
const TAGS = 4;

/** Marks what came by input `input` of a merge with up to 4 of them. */
export function tagged(value: Value, input: number): Value {
  return typeof value === 'number' ? value * TAGS + input : value.map((each) => tagged(each, input));
}

/** The input by which a value came; `undefined` for an empty batch. */
export function tagOf(value: Value): number | undefined {
  if (typeof value === 'number') return ((value % TAGS) + TAGS) % TAGS;
  return value.length === 0 ? undefined : tagOf(value[0] as Value);
}

/** The key of an item of a `partitionBy()`, up to `keys` of them. */
export function laneOf(value: Value, keys: number): number {
  const size = sizeOf(value);
  // Now and then the same twice, so that it matters which key was used last.
  return Math.floor((size * size) / 3) % keys;
}

/** Marks an item of a `partitionBy()` with its key. */
export function keyed(value: Value, keys: number): Value {
  return tagged(value, laneOf(value, keys));
}

/** The branch that a partition, or a route, has for a value, of so many; -1 for none. */
export function branchOf(value: Value, split: 'partition' | 'route', branches: number): number {
  if (split === 'partition') return isKept(value) ? 0 : 1;
  const at = sizeOf(value) % (branches + 1);
  return at < branches ? at : -1;
}

/** The time of item `index` in milliseconds: with pauses where there are sessions; some of them out of order. */
export function timeOf(index: number, isSession: boolean, isLate: boolean): number {
  return index * 10 + (isSession ? 30 * Math.floor(index / 4) : 0) - (isLate && index % 3 === 2 ? 25 : 0);
}

/** How far the items of a window that are out of order may be; the gap between sessions. */
export const OUT_OF_ORDER_MS: number = 10;
export const GAP_MS: number = 25;

/** What item `index` of an input of a sorted merge is sorted by: inputs are ahead of one another, and some items have the same. */
export function placeOf(index: number, input: number): number {
  return index * (input + 1);
}
