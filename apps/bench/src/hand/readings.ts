import {
  addCodes,
  addTemps,
  BATCH,
  type Coded,
  calibrate,
  encode,
  grade,
  isMild,
  isPlausible,
  isWanted,
  type Judged,
  judge,
  type Reading,
  toFahrenheit,
} from '../readings.js';

/** 4 steps, as a loop that calls the same functions. */
export function fourCalling(readings: readonly Reading[]): number {
  let total = 0;
  let batch: Judged[] = [];
  for (let at = 0; at < readings.length; at++) {
    const reading = readings[at] as Reading;
    if (!isPlausible(reading)) continue;
    const judged = judge(toFahrenheit(reading));
    if (!isWanted(judged)) continue;
    batch.push(judged);
    if (batch.length === BATCH) {
      total = addTemps(total, batch);
      batch = [];
    }
  }
  return batch.length > 0 ? addTemps(total, batch) : total;
}

/** 4 steps, all inlined. */
export function fourInlined(readings: readonly Reading[]): number {
  let total = 0;
  let batch: Judged[] = [];
  for (let at = 0; at < readings.length; at++) {
    const { id, temp: celsius } = readings[at] as Reading;
    if (!(celsius >= -40 && celsius <= 85)) continue;
    const temp = (celsius * 9) / 5 + 32;
    const isHot = temp > 100;
    if (!(isHot || id % 7 !== 0)) continue;
    batch.push({ id, temp, isHot });
    if (batch.length === BATCH) {
      for (let member = 0; member < batch.length; member++) total += (batch[member] as Judged).temp;
      batch = [];
    }
  }
  for (let member = 0; member < batch.length; member++) total += (batch[member] as Judged).temp;
  return total;
}

/** 8 steps, as a loop that calls the same functions. */
export function eightCalling(readings: readonly Reading[]): number {
  let total = 0;
  let batch: Coded[] = [];
  for (let at = 0; at < readings.length; at++) {
    const reading = readings[at] as Reading;
    if (!isPlausible(reading)) continue;
    const judged = judge(toFahrenheit(reading));
    if (!isWanted(judged)) continue;
    const calibrated = calibrate(judged);
    if (!isMild(calibrated)) continue;
    batch.push(encode(grade(calibrated)));
    if (batch.length === BATCH) {
      total = addCodes(total, batch);
      batch = [];
    }
  }
  return batch.length > 0 ? addCodes(total, batch) : total;
}

/** 8 steps, all inlined. */
export function eightInlined(readings: readonly Reading[]): number {
  let total = 0;
  let batch: Coded[] = [];
  for (let at = 0; at < readings.length; at++) {
    const { id, temp: celsius } = readings[at] as Reading;
    if (!(celsius >= -40 && celsius <= 85)) continue;
    const fahrenheit = (celsius * 9) / 5 + 32;
    const isHot = fahrenheit > 100;
    if (!(isHot || id % 7 !== 0)) continue;
    const temp = fahrenheit * 1.01 + (id % 4);
    if (!(temp > -10)) continue;
    const grade = Math.trunc(temp / 10);
    batch.push({ id, temp, isHot, grade, code: id ^ grade });
    if (batch.length === BATCH) {
      total = addCodes(total, batch);
      batch = [];
    }
  }
  return batch.length > 0 ? addCodes(total, batch) : total;
}
