import { bufferUnordered, type Clock, filter, interval, map, systemClock, take } from '@millrace/core';
import { show } from './show.js';

// Technique 3, an asynchronous stream: every second a tick becomes a reading of 0 to 999. Between ticks nothing runs.
// After the fifth reading the stream ends, and with it the source: its timer is gone, so the program ends too.

export interface Reading {
  readonly tick: number;
  readonly value: number;
}

export function readings(read: () => Promise<number>, clock: Clock = systemClock): Promise<Reading[]> {
  return interval(1_000)
    .pipeThrough(map((tick) => async (): Promise<Reading> => ({ tick, value: await read() })))
    .pipeThrough(bufferUnordered(4))
    .pipeThrough(filter(({ value }) => value >= 0 && value <= 999))
    .pipeThrough(take(5))
    .toArray({ clock });
}

async function simulatedSensor(): Promise<number> {
  return Math.floor(Math.random() * 1_000);
}

await show(import.meta.url, () => readings(simulatedSensor));
