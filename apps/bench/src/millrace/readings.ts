import { batch, filter, from, map, type RunOptions } from '@millrace/core';
import {
  addCodes,
  addTemps,
  BATCH,
  calibrate,
  encode,
  grade,
  isMild,
  isPlausible,
  isWanted,
  judge,
  type Reading,
  toFahrenheit,
} from '../readings.js';

/** 4 steps. */
export function four(readings: readonly Reading[], options: RunOptions): Promise<number> {
  return from(readings)
    .pipeThrough(filter(isPlausible))
    .pipeThrough(map(toFahrenheit))
    .pipeThrough(map(judge))
    .pipeThrough(filter(isWanted))
    .pipeThrough(batch({ maxItems: BATCH }))
    .reduce(addTemps, 0, options);
}

/** 8 steps. */
export function eight(readings: readonly Reading[], options: RunOptions): Promise<number> {
  return from(readings)
    .pipeThrough(filter(isPlausible))
    .pipeThrough(map(toFahrenheit))
    .pipeThrough(map(judge))
    .pipeThrough(filter(isWanted))
    .pipeThrough(map(calibrate))
    .pipeThrough(filter(isMild))
    .pipeThrough(map(grade))
    .pipeThrough(map(encode))
    .pipeThrough(batch({ maxItems: BATCH }))
    .reduce(addCodes, 0, options);
}
