import { from, range } from '@millrace/core';
import { type VirtualClock, virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';
import { readings } from './async-stream.js';
import { flow } from './bounded-channel.js';
import { inBatches } from './custom-adapter.js';
import { toFahrenheit } from './lazy-iterators.js';
import { namedReadings } from './stateful-stages.js';

/** Lets time pass, timer by timer, until nothing waits for it. */
async function elapsing<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  while (await clock.advanceToNext());
  return work;
}

test('toFahrenheit() keeps −40 to 85 °C and converts them in one pass', async () => {
  let asked = 0;
  function* sensor(): Generator<number> {
    for (const reading of [22.5, -10, 30.1, -45, 150, 15.8, -40, 85]) {
      asked++;
      yield reading;
    }
  }
  const fahrenheit = toFahrenheit(sensor());
  expect(asked).toBe(0);
  expect((await fahrenheit).map((reading) => Number(reading.toFixed(2)))).toEqual([72.5, 14, 86.18, 60.44, -40, 185]);
});

test('readings() gives five readings, one a second, and leaves no timer', async () => {
  const clock = virtualClock();
  const values = [17, 1_000, 0, 999, -1, 500, 3, 8];
  const seen = await elapsing(
    clock,
    readings(async () => values.shift() ?? 0, clock),
  );
  expect(seen.map(({ value }) => value)).toEqual([17, 0, 999, 500, 3]);
  expect(seen.map(({ tick }) => tick)).toEqual([0, 2, 3, 5, 6]);
  expect(clock.now()).toBe(7_000);
  expect(clock.pendingTimers).toBe(0);
});

test('flow() hands over all 100 items with never more than 50 waiting', async () => {
  const clock = virtualClock();
  const { produced, consumed, mostWaiting } = await elapsing(clock, flow(100, 50, clock));
  expect([produced, consumed]).toEqual([100, 100]);
  expect(mostWaiting).toBeGreaterThan(45);
  expect(mostWaiting).toBeLessThanOrEqual(50);
});

test('flow() makes the fast side wait where the channel is full', async () => {
  const clock = virtualClock();
  expect(await elapsing(clock, flow(40, 5, clock))).toEqual({ produced: 40, consumed: 40, mostWaiting: 5 });
  // At the pace of the consumer: 40 items of 100 ms each.
  expect(clock.now()).toBeGreaterThanOrEqual(4_000);
});

test('inBatches() gives 0 to 11 by 5 as two full batches and a short one', async () => {
  expect(await range(0, 12).pipeThrough(inBatches(5)).toArray()).toEqual([
    [0, 1, 2, 3, 4],
    [5, 6, 7, 8, 9],
    [10, 11],
  ]);
  expect(await from<number>([]).pipeThrough(inBatches(5)).toArray()).toEqual([]);
});

test('inBatches() adds up at the end, after a failure and after an abort', async () => {
  const whole = await range(0, 12)
    .pipeThrough(inBatches(5))
    .run(() => {}).finished;
  expect(whole).toMatchObject({ balanced: true, read: 12, absorbed: 12, emitted: 3, abandoned: 0 });
  async function* broken(): AsyncGenerator<number> {
    yield* [1, 2, 3];
    throw new Error('the sensor is gone');
  }
  for (const isAborted of [false, true]) {
    const controller = new AbortController();
    let summary: unknown;
    const run = from(isAborted ? endless(() => controller.abort(new Error('enough'))) : broken())
      .pipeThrough(inBatches(2))
      .run(() => {}, { signal: controller.signal, observer: { ended: (of) => (summary = of) } });
    await expect(run.finished).rejects.toThrow(isAborted ? 'enough' : 'the sensor is gone');
    expect(summary).toMatchObject({ balanced: true, emitted: 1, absorbed: 2, abandoned: 1, read: 3 });
  }
});

/** Gives three items and then nothing more, and says when it is asked for a fourth. */
function endless(asked: () => void): ReadableStream<number> {
  let given = 0;
  const pull = (controller: ReadableStreamDefaultController<number>) =>
    given === 3 ? asked() : controller.enqueue(++given);
  return new ReadableStream({ pull }, { highWaterMark: 0 });
}

test('namedReadings() leaves out repeats and looks each sensor up once', async () => {
  const asked: number[] = [];
  const readings = [
    { sensor: 1, celsius: 21.5 },
    { sensor: 1, celsius: 21.5 },
    { sensor: 2, celsius: 19 },
    { sensor: 1, celsius: 22 },
  ];
  const nameOf = async (sensor: number) => {
    asked.push(sensor);
    return sensor === 1 ? 'Roof' : 'Cellar';
  };
  expect(await namedReadings(readings, nameOf)).toEqual(['Roof: 21.5 °C', 'Cellar: 19 °C', 'Roof: 22 °C']);
  expect(asked).toEqual([1, 2]);
});
