import { batch, compose, filter, from, map, merge, runAll } from '@millrace/core';
import { show } from './show.js';

// Technique 9, topologies: the readings of several sensors are merged, cleaned by a stage made of stages, and go to two
// branches; the slower one sets the pace of all. It is one run, which draws itself.

export interface Reading {
  readonly sensor: string;
  readonly celsius: number;
}

const clean = compose(
  filter(({ celsius }: Reading) => celsius >= -40 && celsius <= 250),
  map((reading) => ({ ...reading, celsius: Math.round(reading.celsius) })),
  { name: 'clean' },
);

type Watched = Promise<{ readonly alarms: readonly string[]; readonly picture: string }>;

export async function watch(sensors: Iterable<Reading>[], store: (readings: Reading[]) => Promise<void>): Watched {
  const readings = merge(...sensors.map((sensor) => from(sensor)));
  const [toWatch, toStore] = readings.pipeThrough(clean).broadcast(2);
  const alarms: string[] = [];
  const run = runAll(
    toWatch
      .pipeThrough(filter(({ celsius }) => celsius > 200, { name: 'is hot' }))
      .into(({ sensor, celsius }) => void alarms.push(`${sensor}: ${celsius} °C`)),
    toStore.pipeThrough(batch({ maxItems: 3 })).into(store),
  );
  await run.finished;
  return { alarms, picture: run.topology().toMermaid() };
}

await show(import.meta.url, async () => {
  const oven = [180.2, 210.6, 999].map((celsius) => ({ sensor: 'oven', celsius }));
  const room = [21.4, 21.9].map((celsius) => ({ sensor: 'room', celsius }));
  const { alarms, picture } = await watch([oven, room], async (readings) => console.log(`${readings.length} stored`));
  console.log(picture);
  return alarms;
});
