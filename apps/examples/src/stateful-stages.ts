import { cached, dedupeConsecutive, from } from '@millrace/core';
import { show } from './show.js';

// Technique 5, stages with a state: readings that repeat the one before are left out, and the name of each sensor is
// looked up once, four at a time, however often it reports. Each run has a state of its own.

export interface Reading {
  readonly sensor: number;
  readonly celsius: number;
}

export function namedReadings(
  readings: Iterable<Reading>,
  nameOf: (sensor: number) => Promise<string>,
): Promise<string[]> {
  const named = ({ celsius }: Reading, name: string): string => `${name}: ${celsius} °C`;
  return from(readings)
    .pipeThrough(dedupeConsecutive(({ sensor, celsius }) => `${sensor} ${celsius}`))
    .pipeThrough(cached(({ sensor }) => nameOf(sensor), { key: ({ sensor }) => sensor, into: named, concurrency: 4 }))
    .toArray();
}

const READINGS: Reading[] = [
  { sensor: 1, celsius: 21.5 },
  { sensor: 1, celsius: 21.5 },
  { sensor: 2, celsius: 19 },
  { sensor: 1, celsius: 22 },
];
await show(import.meta.url, () => namedReadings(READINGS, async (sensor) => (sensor === 1 ? 'Roof' : 'Cellar')));
