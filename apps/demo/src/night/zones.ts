import { DAY_MS } from './angles.js';

/** The offsets of a time zone through one year, as {@link createZoneClock} finds them; plain data. */
export interface ZoneClock {
  readonly zone: string;
  /** Wall-clock span that is known: one year and a day on each side, as epoch milliseconds read as if they were UTC. */
  readonly startMs: number;
  readonly endMs: number;
  /** Wall-clock times from which each offset holds; the first is `startMs`. */
  readonly fromMs: Float64Array;
  /** Milliseconds to take from wall-clock time to get UTC: negative west of Greenwich. */
  readonly offsetMs: Float64Array;
}

/**
 * Finds out from `Intl` which offsets a zone had in a year: 2 ms a zone, once.
 *
 * @param zone - IANA name.
 * @param year - Four digits; the clock knows a day more on each side.
 * @throws RangeError when there is no such zone.
 */
export function createZoneClock(zone: string, year: number): ZoneClock {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  const startMs = Date.UTC(year, 0, 0);
  const endMs = Date.UTC(year + 1, 0, 2);
  const from = [startMs];
  let offset = offsetAt(format, startMs);
  const offsets = [offset];
  for (let dayMs = startMs; dayMs < endMs; dayMs += DAY_MS) {
    const next = offsetAt(format, dayMs + DAY_MS);
    if (next === offset) continue;
    const changeMs = firstMinuteOf(format, next, dayMs, dayMs + DAY_MS);
    // Both at a gap and at an overlap the old offset holds until the wall clock has left it for good.
    from.push(changeMs + Math.max(offset, next));
    offsets.push(next);
    offset = next;
  }
  return { zone, startMs, endMs, fromMs: Float64Array.from(from), offsetMs: Float64Array.from(offsets) };
}

/**
 * Converts local wall-clock time to UTC.
 *
 * A time that comes twice, when clocks are put back, is the first of the two (daylight saving); a time that is skipped,
 * when they are put forward, counts from the old offset: 2:30 is what the clocks then call 3:30. So does Temporal with
 * `disambiguation: 'compatible'`.
 *
 * @param clock - From {@link createZoneClock}.
 * @param wallMs - Wall-clock time, as epoch milliseconds read as if it were UTC.
 * @returns Epoch milliseconds.
 * @throws RangeError when the time is not in the clock's year (or a day around it).
 */
export function wallToUtcMs(clock: ZoneClock, wallMs: number): number {
  const { startMs, endMs, fromMs, offsetMs } = clock;
  if (!(wallMs >= startMs && wallMs < endMs)) throw outOfYear(clock, wallMs);
  let i = fromMs.length - 1;
  while (wallMs < (fromMs[i] as number)) i -= 1;
  return wallMs - (offsetMs[i] as number);
}

function offsetAt(format: Intl.DateTimeFormat, utcMs: number): number {
  const name = format.formatToParts(utcMs).find((part) => part.type === 'timeZoneName')?.value ?? '';
  const [, sign = '+', hours = '0', minutes = '0'] = /^GMT(?:([+-])(\d+):(\d+))?$/.exec(name) ?? [];
  const magnitude = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return sign === '-' ? -magnitude : magnitude;
}

/** Finds by halving, to the minute, when an offset begins between two instants. */
function firstMinuteOf(format: Intl.DateTimeFormat, offset: number, beforeMs: number, afterMs: number): number {
  let low = beforeMs / 60_000;
  let high = afterMs / 60_000;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(format, middle * 60_000) === offset) high = middle;
    else low = middle;
  }
  return high * 60_000;
}

function outOfYear(clock: ZoneClock, wallMs: number): RangeError {
  const [start, end] = [clock.startMs, clock.endMs].map((ms) => new Date(ms).toISOString().slice(0, 10));
  return new RangeError(`Cannot convert ${wallMs} ms in ${clock.zone}: it is outside the clock (${start} to ${end})`);
}
