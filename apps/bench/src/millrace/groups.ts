import { type BatchOptions, batch, dedupe, flatMap, from, window } from '@millrace/core';
import {
  add,
  addAll,
  BATCH,
  bytesOf,
  type Event,
  GAP_MS,
  idOf,
  MAX_BYTES,
  MAX_KEYS,
  MAX_WAIT_MS,
  OUT_OF_ORDER_MS,
  plus,
  SIZE_MS,
  SLIDE_MS,
  sensorOf,
  TTL_MS,
  timeOf,
  zero,
} from '../events.js';

const itself = <T>(items: T): T => items;

const LIMITS: Record<'count' | 'bytes' | 'time', BatchOptions<Event>> = {
  count: { maxItems: BATCH },
  bytes: { maxItems: BATCH, maxBytes: MAX_BYTES, sizeOf: bytesOf },
  time: { maxItems: BATCH, maxWaitMs: MAX_WAIT_MS },
};

/** Batches of 500 of what an asynchronous source gives in arrays; the sink takes one at a time. */
export async function batches(source: AsyncIterable<readonly Event[]>, by: keyof typeof LIMITS): Promise<number> {
  let total = 0;
  const sink = async (events: readonly Event[]): Promise<void> => {
    total = addAll(total, events);
  };
  await from(source).pipeThrough(flatMap(itself)).pipeThrough(batch(LIMITS[by])).forEach(sink);
  return total;
}

/** Each id once. */
export function once(events: readonly Event[], isTimed: boolean): Promise<number> {
  const limits = isTimed ? { ttlMs: TTL_MS } : {};
  return from(events)
    .pipeThrough(dedupe({ key: idOf, maxKeys: MAX_KEYS, ...limits }))
    .reduce(add, 0);
}

const sumAll = (total: number, each: { readonly startMs: number; readonly items: readonly Event[] }): number =>
  total + addAll(each.startMs, each.items);
const sumValues = (total: number, each: { readonly startMs: number; readonly value: number }): number =>
  total + each.startMs + each.value;

/** Windows of a second, with their items. */
export function tumbling(events: readonly Event[]): Promise<number> {
  return from(events)
    .pipeThrough(window({ sizeMs: SIZE_MS, timeMs: timeOf, maxOutOfOrderMs: OUT_OF_ORDER_MS, maxItems: 100_000 }))
    .reduce(sumAll, 0);
}

/** Windows of a second that begin each quarter of one, added up. */
export function sliding(events: readonly Event[]): Promise<number> {
  const spans = { sizeMs: SIZE_MS, slideMs: SLIDE_MS, timeMs: timeOf, maxOutOfOrderMs: OUT_OF_ORDER_MS };
  return from(events)
    .pipeThrough(window({ ...spans, seed: zero, fold: add, maxWindows: 1000 }))
    .reduce(sumValues, 0);
}

/** Sessions of each sensor, added up. */
export function sessions(events: readonly Event[]): Promise<number> {
  const spans = { gapMs: GAP_MS, keyBy: sensorOf, timeMs: timeOf, maxOutOfOrderMs: OUT_OF_ORDER_MS };
  return from(events)
    .pipeThrough(window({ ...spans, seed: zero, fold: add, combine: plus, maxWindows: 1000 }))
    .reduce(sumValues, 0);
}
