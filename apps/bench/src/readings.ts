import type { Random } from './random.js';

// The work of core/sync-fused: sensor readings are checked, converted, judged, put in batches of 500 and added up.

/** What comes in; the seed decides which other fields there are, and in what order. */
export interface Reading {
  readonly id: number;
  readonly temp: number;
}

export interface Judged extends Reading {
  readonly isHot: boolean;
}

export interface Graded extends Judged {
  readonly grade: number;
}

export interface Coded extends Graded {
  readonly code: number;
}

export const BATCH = 500;

export const isPlausible = (reading: Reading): boolean => reading.temp >= -40 && reading.temp <= 85;
export const toFahrenheit = (reading: Reading): Reading => ({ id: reading.id, temp: (reading.temp * 9) / 5 + 32 });
export const judge = (reading: Reading): Judged => ({ id: reading.id, temp: reading.temp, isHot: reading.temp > 100 });
export const isWanted = (reading: Judged): boolean => reading.isHot || reading.id % 7 !== 0;
export const calibrate = (reading: Judged): Judged => ({
  id: reading.id,
  temp: reading.temp * 1.01 + (reading.id % 4),
  isHot: reading.isHot,
});
export const isMild = (reading: Judged): boolean => reading.temp > -10;
export const grade = (reading: Judged): Graded => ({
  id: reading.id,
  temp: reading.temp,
  isHot: reading.isHot,
  grade: Math.trunc(reading.temp / 10),
});
export const encode = (reading: Graded): Coded => ({
  id: reading.id,
  temp: reading.temp,
  isHot: reading.isHot,
  grade: reading.grade,
  code: reading.id ^ reading.grade,
});

/** Adds up one batch after 4 steps. */
export const addTemps = (total: number, batch: readonly Reading[]): number => {
  let sum = total;
  for (let at = 0; at < batch.length; at++) sum += (batch[at] as Reading).temp;
  return sum;
};

/** Adds up one batch after 8 steps. */
export const addCodes = (total: number, batch: readonly Coded[]): number => {
  let sum = total;
  for (let at = 0; at < batch.length; at++) {
    const { temp, code } = batch[at] as Coded;
    sum += temp + code;
  }
  return sum;
};

const EXTRA_FIELDS = ['site', 'unit', 'note', 'battery', 'height', 'firmware'];

/** Draws readings; their shape is drawn first. */
export function drawReadings(items: number, random: Random): Reading[] {
  const fields = ['id', 'temp', ...EXTRA_FIELDS.filter(() => random() < 0.4)];
  const order = fields.map((field) => ({ field, at: random() })).sort((a, b) => a.at - b.at);
  const readings: Reading[] = [];
  for (let id = 0; id < items; id++) {
    const reading: Record<string, unknown> = {};
    for (const { field } of order) {
      if (field === 'id') reading[field] = id;
      else if (field === 'temp') reading[field] = random() * 160 - 60;
      else reading[field] = field.length;
    }
    readings.push(reading as unknown as Reading);
  }
  return readings;
}
