import { batch, buffer, filter, flatMap, interval, map, mapAsync, take } from '@millrace/core';
import { assertConforms, type StageFactory, virtualClock } from '@millrace/testkit';
import { type Check, same } from '../check.js';

const double = (n: number): number => n * 2;

const STAGES: Readonly<Record<string, StageFactory<number, unknown>>> = {
  map: (user) => map(user(double)),
  filter: (user) => filter(user((n: number) => n % 2 === 0)),
  flatMap: (user) => flatMap(user((n: number) => [n, n])),
  mapAsync: (user) =>
    mapAsync(
      user(async (n: number) => n),
      { concurrency: 3 },
    ),
  buffer: () => buffer(3),
  'batch by time': () => batch({ maxItems: 4, maxWaitMs: 50 }),
};

/** The test kit, and with it the laws. */
export const KIT_CHECKS: readonly Check[] = [
  ...Object.entries(STAGES).map(([name, stage]) => ({
    name: `conform: ${name}`,
    run: async () => void (await assertConforms(stage, { input: (index) => index })),
  })),
  {
    name: 'virtualClock()',
    async run() {
      const clock = virtualClock();
      const beats = interval(60_000).pipeThrough(take(3)).toArray({ clock });
      await clock.advance(180_000);
      same([(await beats).length, clock.pendingTimers], [3, 0]);
    },
  },
];
