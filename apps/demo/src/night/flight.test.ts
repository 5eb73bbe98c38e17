import { expect, test } from 'vitest';
import { type Flight, flightFault, isRepeat } from './flight.js';

const FLIGHT: Flight = {
  departureWallMs: Date.UTC(2001, 0, 15, 21, 10),
  delayMinutes: -3,
  distanceMiles: 404,
  origin: 'ATL',
  destination: 'IAD',
};

test('flightFault() finds nothing wrong with a possible flight, up to the borders', () => {
  expect(flightFault(FLIGHT)).toBeUndefined();
  expect(flightFault({ ...FLIGHT, departureWallMs: Date.UTC(2001, 0, 1) })).toBeUndefined();
  expect(flightFault({ ...FLIGHT, departureWallMs: Date.UTC(2001, 11, 31, 23, 59) })).toBeUndefined();
  for (const delayMinutes of [-120, 0, 2_880]) expect(flightFault({ ...FLIGHT, delayMinutes })).toBeUndefined();
  for (const distanceMiles of [1, 10_000]) expect(flightFault({ ...FLIGHT, distanceMiles })).toBeUndefined();
});

test.each([
  ['departure', { departureWallMs: Date.UTC(2000, 11, 31, 23, 59) }],
  ['departure', { departureWallMs: Date.UTC(2002, 0, 1) }],
  ['departure', { departureWallMs: Date.UTC(2001, 0, 1) + 1 }],
  ['departure', { departureWallMs: Number.NaN }],
  ['delay', { delayMinutes: -121 }],
  ['delay', { delayMinutes: 2_881 }],
  ['delay', { delayMinutes: Number.NaN }],
  ['distance', { distanceMiles: 0 }],
  ['distance', { distanceMiles: 10_001 }],
  ['distance', { distanceMiles: Number.NaN }],
  ['route', { origin: '' }],
  ['route', { destination: '' }],
  ['route', { destination: 'ATL' }],
] as const)('flightFault() says "%s" of %o', (fault, change) => {
  expect(flightFault({ ...FLIGHT, ...change })).toBe(fault);
});

test('isRepeat() is true only when every column is equal', () => {
  expect(isRepeat(FLIGHT, { ...FLIGHT })).toBe(true);
  const changes: Partial<Flight>[] = [
    { departureWallMs: FLIGHT.departureWallMs + 60_000 },
    { delayMinutes: 3 },
    { distanceMiles: 405 },
    { origin: 'DCA' },
    { destination: 'DCA' },
  ];
  for (const change of changes) expect(isRepeat(FLIGHT, { ...FLIGHT, ...change })).toBe(false);
});
