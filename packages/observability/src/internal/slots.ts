import type { StageCounts } from '@millrace/core';
import { BUCKETS, bucketOf } from './histogram.js';

/** The counts of a stage, in the order of their slots. */
export const COUNTS: readonly (keyof StageCounts)[] = [
  'in',
  'made',
  'out',
  'absorbed',
  'filtered',
  'deduped',
  'deadLettered',
  'dropped',
  'abandoned',
  'held',
];

/** The slots of a stage behind its counts, which are 10. */
export const STAGE = { waiting: 10, highWaterMark: 11, inside: 12, capacity: 13 } as const;

/** How many slots a stage takes. */
export const STAGE_SLOTS = 14;

/** The slots of a node; its histogram begins at `buckets`. */
export const NODE = { runningMs: 0, items: 1, serviceMs: 2, buckets: 3 } as const;

/** How many slots a node takes. */
export const NODE_SLOTS: number = NODE.buckets + BUCKETS;

/**
 * Gets slots, all 0. The one place where they come from, so that a SharedArrayBuffer, which a worker reads while this
 * thread is busy, can take the place of plain memory. Each slot has a single writer.
 */
export function allocate(slots: number): Float64Array {
  return new Float64Array(slots);
}

/** Notes that `items` items were in service for `tookMs` milliseconds each. */
export function recordService(node: Float64Array, items: number, tookMs: number): void {
  add(node, NODE.items, items);
  add(node, NODE.serviceMs, items * tookMs);
  add(node, NODE.buckets + bucketOf(tookMs * 1e6), items);
}

/** Adds to one slot. */
export function add(slots: Float64Array, at: number, amount: number): void {
  slots[at] = (slots[at] as number) + amount;
}
