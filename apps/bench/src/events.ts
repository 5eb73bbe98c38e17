import type { Random } from './random.js';

// The work of core/batch, core/dedupe and core/window: events of 100 sensors, about one a millisecond, somewhat out of order.

/** What comes in. */
export interface Event {
  readonly id: number;
  readonly sensor: number;
  readonly atMs: number;
  readonly value: number;
}

export const BATCH = 500;
/** No batch is that large: what limits its bytes is looked at, and what closes it is its items. */
export const MAX_BYTES = 100_000;
export const MAX_WAIT_MS = 1000;
/** How many ids are remembered. */
export const MAX_KEYS = 10_000;
export const TTL_MS = 3_600_000;
export const SIZE_MS = 1000;
export const SLIDE_MS = 250;
export const GAP_MS = 300;
export const OUT_OF_ORDER_MS = 50;

export const idOf = (event: Event): number => event.id;
export const sensorOf = (event: Event): number => event.sensor;
export const timeOf = (event: Event): number => event.atMs;
export const bytesOf = (event: Event): number => 24 + (event.id % 8);
export const zero = (): number => 0;
export const add = (sum: number, event: Event): number => sum + event.value;
export const plus = (a: number, b: number): number => a + b;

/** Adds up what a batch has. */
export function addAll(total: number, events: readonly Event[]): number {
  let sum = total;
  for (let at = 0; at < events.length; at++) sum += (events[at] as Event).value;
  return sum;
}

/** Draws events; every fourth is one of the last thousand again, a few come too late. */
export function drawEvents(items: number, random: Random): Event[] {
  const events: Event[] = [];
  for (let count = 0; count < items; count++) {
    const isAgain = count > 1000 && random() < 0.25;
    const id = isAgain ? (events[count - 1 - Math.floor(random() * 1000)] as Event).id : count;
    const isLate = random() < 0.001;
    const atMs = count + Math.floor(random() * 40) - (isLate ? 2000 : 0);
    events.push({ id, sensor: Math.floor(random() * 100), atMs, value: Math.floor(random() * 1000) });
  }
  return events;
}
