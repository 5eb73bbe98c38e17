import { BATCH, type Judged, type Reading } from '../readings.js';

/** Awaits a function on one number after the other, and adds up. */
export async function oneByOne(
  numbers: readonly number[],
  fn: (value: number) => number | Promise<number>,
): Promise<number> {
  let total = 0;
  for (let at = 0; at < numbers.length; at++) total += await fn(numbers[at] as number);
  return total;
}

/** The 4 steps over arrays that come one by one, all inlined, with the sum at the end. */
export async function fourOverArrays(arrays: AsyncIterable<readonly Reading[]>): Promise<number> {
  let total = 0;
  for await (const readings of arrays) {
    for (let at = 0; at < readings.length; at++) {
      const { id, temp: celsius } = readings[at] as Reading;
      if (!(celsius >= -40 && celsius <= 85)) continue;
      const judged = { id, temp: (celsius * 9) / 5 + 32, isHot: false };
      judged.isHot = judged.temp > 100;
      if (judged.isHot || id % 7 !== 0) total += judged.temp;
    }
  }
  return total;
}

/** The 4 steps over arrays, without any stream: batches of 500 are made and added up. */
export function fourInArrays(arrays: readonly (readonly Reading[])[]): number {
  let total = 0;
  let batch: Judged[] = [];
  for (const readings of arrays) {
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
  }
  for (let member = 0; member < batch.length; member++) total += (batch[member] as Judged).temp;
  return total;
}
