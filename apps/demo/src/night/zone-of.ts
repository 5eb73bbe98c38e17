import tzLookup from '@photostructure/tz-lookup';
import type { Place } from './great-circle.js';

// Wrangell and Petersburg in Alaska keep Juneau's time; the look-up's simplified borders put them into Canada.
const ZONE_OVERRIDES: ReadonlyMap<string, string> = new Map([
  ['WRG', 'America/Juneau'],
  ['PSG', 'America/Juneau'],
]);

/**
 * Finds the time zone of an airport, offline.
 *
 * @param code - IATA code; two Alaskan airports are known better than by their coordinates.
 * @param place - Where it is.
 * @returns An IANA name such as `America/Chicago`.
 * @throws RangeError when the coordinates are out of range.
 */
export function zoneOf(code: string, { latitude, longitude }: Place): string {
  return ZONE_OVERRIDES.get(code) ?? tzLookup(latitude, longitude);
}
