import { ndjson } from '@millrace/codecs';
import { from, range } from '@millrace/core';
import { startPostgres } from '@millrace/postgres/embedded';
import { virtualClock } from '@millrace/testkit';
import { trace } from '@opentelemetry/api';
import sdk from '@opentelemetry/sdk-trace-base';
import postgres from 'postgres';
import { expect, test } from 'vitest';
import { readings } from './async-stream.js';
import { flow } from './bounded-channel.js';
import { inBatches } from './custom-adapter.js';
import { type Event, named } from './database-enrichment.js';
import { analyse } from './document.js';
import { toFahrenheit } from './lazy-iterators.js';
import { alerts, watched } from './observability.js';
import { fromBinary, type Metric, numbersIn, toBinary, toJson } from './serialization.js';
import { namedReadings } from './stateful-stages.js';
import { type Reading, watch } from './topologies.js';
import { stored } from './tracing.js';

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
  const seen = await clock.until(readings(async () => values.shift() ?? 0, clock));
  expect(seen.map(({ value }) => value)).toEqual([17, 0, 999, 500, 3]);
  expect(seen.map(({ tick }) => tick)).toEqual([0, 2, 3, 5, 6]);
  expect(clock.now()).toBe(7_000);
  expect(clock.pendingTimers).toBe(0);
});

test('flow() hands over all 100 items with never more than 50 waiting', async () => {
  const clock = virtualClock();
  const { produced, consumed, mostWaiting } = await clock.until(flow(100, 50, clock));
  expect([produced, consumed]).toEqual([100, 100]);
  expect(mostWaiting).toBeGreaterThan(45);
  expect(mostWaiting).toBeLessThanOrEqual(50);
});

test('flow() makes the fast side wait where the channel is full', async () => {
  const clock = virtualClock();
  expect(await clock.until(flow(40, 5, clock))).toEqual({ produced: 40, consumed: 40, mostWaiting: 5 });
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

test('analyse() counts words, the most frequent ones and words per sentence', () => {
  expect(analyse('One two. Two three, three! Three?')).toEqual({
    words: 6,
    top: ['three', 'two', 'one'],
    wordsPerSentence: 2,
  });
  expect(analyse(' ')).toEqual({ words: 0, top: [], wordsPerSentence: 0 });
});

test('named() gives events the names of their users, in order, and tells a missing user from a database that is down', async () => {
  await using server = await startPostgres();
  const sql = postgres(server.connection);
  await sql`create table users as select id, 'User ' || id as name from generate_series(1, 2000) as id`;
  const events = Array.from({ length: 5_000 }, (_, id): Event => ({ id, user: (id * 7) % 2_500 }));
  const expected = events.map(({ id, user }) => `${id} ${user >= 1 && user <= 2_000 ? `User ${user}` : 'Unknown'}`);
  expect(await named(sql, events)).toEqual(expected);
  await sql.end();
  await server.stop();
  expect(await named(postgres(server.connection), [{ id: 1, user: 1 }])).toEqual(['1 Unavailable']);
});

test('toBinary() and toJson() keep every metric, the binary form in about half the bytes', async () => {
  const metrics: Metric[] = [];
  for (let n = 0; n < 100; n++) metrics.push({ name: 'cpu.load', value: n / 7, tags: ['eu', `host-${n}`] });
  const binary = await toBinary(metrics);
  expect(await fromBinary(binary)).toEqual(metrics);
  const json = await toJson(metrics);
  expect(await from(json.stream()).pipeThrough(ndjson.decode()).toArray()).toEqual(metrics);
  expect(binary.size).toBeLessThan(0.6 * json.size);
});

test('numbersIn() sees the numbers where they are', () => {
  const column = Float64Array.of(1.5, -2);
  const seen = numbersIn(new Uint8Array(column.buffer));
  column[1] = 7;
  expect([...seen]).toEqual([1.5, 7]);
  expect(seen.buffer).toBe(column.buffer);
});

test('alerts() tells drops, slow items and a low rate from a run that is well', async () => {
  const lines: string[] = [];
  const note = (_fields: object, message: string) => void lines.push(message);
  const log = { info: note, warn: note, error: note };
  async function alertsOf(json: string, storeMs: number): Promise<string[]> {
    const clock = virtualClock();
    const store = (): Promise<void> => clock.sleep(storeMs);
    return alerts(await clock.until(watched(json, store, log, clock)));
  }
  expect(await alertsOf('1\n2\n', 10)).toEqual([]);
  expect(lines).toEqual(['run started', 'run done']);
  lines.length = 0;
  expect(await alertsOf('1\nbroken\n', 10)).toEqual(['ndjson.decode drops more than 1 %']);
  expect(lines).toEqual(['run started', 'stage error', 'run done']);
  const slow = await alertsOf('1\n', 3_000);
  expect(slow).toContain('store takes more than 100 ms for one item in a hundred');
  expect(slow).toContain('store gives less than one item a second');
});

test('stored() makes each batch a span with its size', async () => {
  const exporter = new sdk.InMemorySpanExporter();
  const spanProcessors = [new sdk.SimpleSpanProcessor(exporter)];
  trace.setGlobalTracerProvider(new sdk.BasicTracerProvider({ spanProcessors }));
  expect(await stored([1, 2, 3, 4, 5], async () => {})).toBe(2);
  const spans = exporter.getFinishedSpans().map(({ name, attributes }) => [name, attributes['pipeline.batch.size']]);
  expect(spans).toEqual([
    ['store', 3],
    ['store', 2],
  ]);
});

test('watch() gives alarms by one branch while the other stores, and draws both', async () => {
  const readingsOf = (sensor: string, ...degrees: number[]) => degrees.map((celsius) => ({ sensor, celsius }));
  const stored: Reading[][] = [];
  const sensors = [readingsOf('oven', 180.2, 210.6, 999, 230.1), readingsOf('room', 21.4, -273)];
  const { alarms, picture } = await watch(sensors, async (readings) => void stored.push(readings));
  expect(alarms).toEqual(['oven: 211 °C', 'oven: 230 °C']);
  expect(stored.map(({ length }) => length)).toEqual([3, 1]);
  expect(stored.flat().filter(({ sensor }) => sensor === 'room')).toEqual([{ sensor: 'room', celsius: 21 }]);
  const edges = [...picture.matchAll(/(\w+) -->(?:\|[^|]*\|)? (\w+)/g)].map(([, from, to]) => `${from} ${to}`);
  const names = Object.fromEntries([...picture.matchAll(/^ *(s\d+)\W+"([^"<]+)/gm)].map(([, id, name]) => [id, name]));
  const drawn = edges.map((edge) => edge.replace(/s\d+/g, (id) => `[${names[id]}]`));
  for (const edge of ['[array] [merge]', '[array 2] [merge]', '[merge] [clean/filter]', '[clean/map] [broadcast]'])
    expect(drawn).toContain(edge);
  for (const branch of [1, 2]) expect(drawn).toContain(`[broadcast] [broadcast branch ${branch}]`);
});
