import { filter, from, map } from '@millrace/core';
import { show } from './show.js';

// Technique 1, lazy iterators: readings are checked, converted and collected in one pass. Nothing runs before
// `toArray()` asks; then source, filter, map and collector are one loop, and no list is made in between.

const MIN_CELSIUS = -40;
const MAX_CELSIUS = 85;

export function toFahrenheit(celsius: Iterable<number>): Promise<number[]> {
  return from(celsius)
    .pipeThrough(filter((reading) => reading >= MIN_CELSIUS && reading <= MAX_CELSIUS))
    .pipeThrough(map((reading) => (reading * 9) / 5 + 32))
    .toArray();
}

await show(import.meta.url, () => toFahrenheit([22.5, -10, 30.1, -45, 150, 15.8]));
