import {
  batch,
  buffer,
  filter,
  flatMap,
  from,
  map,
  mapAsync,
  range,
  type StageError,
  systemClock,
} from '@millrace/core';
import { observe, type PipelineSnapshot, type Snapshot } from '@millrace/observability';
import { virtualClock } from '@millrace/testkit';
import { describe, expect, test } from 'vitest';
import { gate, settled } from '../test/gate.js';

function only({ pipelines }: Snapshot): PipelineSnapshot {
  expect(pipelines).toHaveLength(1);
  return pipelines[0]!;
}

describe('observe()', () => {
  test('observe() gives what became of the items of each stage', async () => {
    const observed = observe({ name: 'numbers' });
    await range(0, 100)
      .pipeThrough(filter((n) => n % 4 !== 0))
      .pipeThrough(batch({ maxItems: 10 }))
      .pipeThrough(flatMap((numbers) => [numbers.length, 0]))
      .toArray({ observer: observed.observer });
    const { name, state, runs, stages, inFlight } = only(observed.snapshot());
    expect({ name, state, runs, inFlight }).toEqual({
      name: 'numbers',
      state: 'done',
      runs: { started: 1, done: 1, failed: 0, aborted: 0 },
      inFlight: 0,
    });
    expect(stages.map((stage) => [stage.name, stage.kind, stage.counts.in, stage.counts.out])).toEqual([
      ['range', 'source', 0, 100],
      ['filter', 'step', 100, 75],
      ['batch', 'step', 75, 8],
      ['flatMap', 'step', 8, 16],
      ['toArray', 'sink', 16, 16],
    ]);
    expect(stages[1]?.counts.filtered).toBe(25);
  });

  test('observe() reads depths and what is in service while a run is stalled', async () => {
    const observed = observe();
    const { opened, open } = gate();
    const run = from(new Set(Array.from({ length: 50 }, (_, n) => n)))
      .pipeThrough(buffer(5))
      .pipeThrough(mapAsync(() => opened, { concurrency: 3 }))
      .run({ highWaterMark: 2, open: () => ({ write: () => {} }) }, { observer: observed.observer });
    await settled();
    const { stages, state, inFlight, inFlightBound } = only(observed.snapshot());
    expect(
      stages.map((stage) => [stage.name, stage.waiting, stage.highWaterMark, stage.inside, stage.capacity]),
    ).toEqual([
      ['iterable', 0, 0, 0, 0],
      ['buffer', 5, 5, 0, 0],
      ['mapAsync', 0, 0, 3, 3],
      ['sink', 0, 2, 0, 1],
    ]);
    expect({ state, inFlight, inFlightBound }).toEqual({ state: 'running', inFlight: 8, inFlightBound: 11 });
    open();
    await run.finished;
    const after = only(observed.snapshot());
    expect(after.stages.map((stage) => stage.waiting + stage.inside)).toEqual([0, 0, 0, 0]);
    expect(after.stages[1]?.highWaterMark).toBe(5);
    expect(after.inFlight).toBe(0);
  });

  test('snapshot() gives rates since the snapshot before', async () => {
    const clock = virtualClock();
    const observed = observe({ clock });
    const { opened, open } = gate();
    const run = from([1, 2, 3, 4])
      .pipeThrough(map((n) => n, { name: 'double' }))
      .run(async (n) => (n === 3 ? opened : undefined), { observer: observed.observer, clock });
    await settled();
    await clock.advance(500);
    const first = observed.snapshot();
    await clock.advance(2000);
    const second = observed.snapshot(first);
    open();
    await run.finished;
    await clock.advance(1000);
    const third = observed.snapshot(second);
    expect(only(first).stages[1]?.inPerSecond).toBe(6);
    expect(only(second).stages[1]?.inPerSecond).toBe(0);
    expect(only(third).stages.map((stage) => stage.inPerSecond)).toEqual([1, 1, 1]);
    expect([first.windowMs, second.windowMs, third.windowMs]).toEqual([500, 2000, 1000]);
  });

  test('snapshot() gives 0 for rates where no time has passed', async () => {
    const observed = observe({ clock: virtualClock() });
    await from([1]).toArray({ observer: observed.observer });
    const { stages, nodes } = only(observed.snapshot());
    expect(stages.map((stage) => stage.outPerSecond)).toEqual([0, 0]);
    expect(nodes.map((node) => node.runningRatio)).toEqual([0]);
  });

  test('snapshot() gives the percentiles of the window only', async () => {
    const clock = virtualClock();
    const observed = observe({ clock });
    const slow = (ms: number): Promise<unknown> => {
      const waits = mapAsync((n: number) => new Promise<number>((done) => clock.setTimer(() => done(n), ms)));
      const done = from([1, 2]).pipeThrough(waits).toArray({ observer: observed.observer, clock });
      return settled()
        .then(() => clock.advance(ms))
        .then(settled)
        .then(() => clock.advance(ms))
        .then(() => done);
    };
    await slow(1000);
    const first = observed.snapshot();
    await slow(10);
    const second = observed.snapshot(first);
    const quiet = observed.snapshot(second);
    const serviceOf = (snapshot: Snapshot) => only(snapshot).nodes.find(({ name }) => name === 'mapAsync')!.service!;
    expect(Math.abs(serviceOf(first).window!.p50Ms / 1000 - 1)).toBeLessThanOrEqual(0.01);
    expect(Math.abs(serviceOf(second).window!.p999Ms / 10 - 1)).toBeLessThanOrEqual(0.01);
    expect(serviceOf(second)).toMatchObject({ items: 4, seconds: 2.02 });
    expect(serviceOf(quiet).window).toBeUndefined();
    const below = serviceOf(second).buckets.map(({ items }) => items);
    expect(below.at(-1)).toBe(4);
    expect(below).toEqual([...below].sort((a, b) => a - b));
  });

  test('observe() takes the time of a fused group as a whole, and of its items in their share', async () => {
    let nowMs = 0;
    const clock = { ...systemClock, now: () => nowMs };
    const observed = observe({ clock });
    const working = (): void => {
      nowMs += 2;
    };
    const work = map(working, { name: 'work' });
    await from([1, 2, 3, 4]).pipeThrough(work).toArray({ observer: observed.observer, clock });
    nowMs += 8;
    const { nodes, stages } = only(observed.snapshot());
    expect(nodes.map(({ name, runningRatio, runningSeconds }) => [name, runningRatio, runningSeconds])).toEqual([
      ['array → work → toArray', 0.5, 0.008],
    ]);
    expect(stages.map(({ node }) => node)).toEqual([0, 0, 0]);
    expect(nodes[0]?.service?.items).toBe(4);
    expect(Math.abs(nodes[0]!.service!.window!.p99Ms / 2 - 1)).toBeLessThanOrEqual(0.01);
  });

  test('observe() adds up runs of one name, and keeps what is over', async () => {
    const observed = observe({ name: 'jobs' });
    const { opened, open } = gate();
    const job = from([1, 2, 3]).pipeThrough(map((n) => n));
    await job.toArray({ observer: observed.observer });
    const stalled = job.run(() => opened, { observer: observed.observer });
    await settled();
    await job.toArray({ observer: observed.named('others') });
    const { pipelines } = observed.snapshot();
    expect(pipelines.map(({ name, state }) => [name, state])).toEqual([
      ['jobs', 'running'],
      ['others', 'done'],
    ]);
    expect(pipelines[0]?.stages.map(({ name, counts }) => [name, counts.out])).toEqual([
      ['array', 4],
      ['map', 4],
      ['toArray', 3],
      ['forEach', 0],
    ]);
    open();
    await stalled.finished;
    expect(observed.snapshot().pipelines[0]?.stages[0]?.counts.out).toBe(6);
  });

  test('observe() counts errors by code or class, and says what the last one was', async () => {
    const clock = virtualClock();
    const observed = observe({ clock });
    const run = (cause: unknown): Promise<unknown> =>
      from([1, 2])
        .pipeThrough(
          map((n: number): number => {
            if (n === 2) throw cause;
            return n;
          }),
        )
        .toArray({ observer: observed.observer })
        .catch((error) => error);
    await run(new TypeError('no'));
    await run(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
    await clock.advance(7);
    await run('text');
    const { stages, runs, state, lastError } = only(observed.snapshot());
    expect(stages[1]?.errors).toEqual({ TypeError: 1, ECONNREFUSED: 1, string: 1 });
    expect(runs).toEqual({ started: 3, done: 0, failed: 3, aborted: 0 });
    expect(state).toBe('failed');
    expect(lastError).toMatchObject({ stage: 'map', type: 'string', index: 1, atMs: 7 });
  });

  test('observe() keeps at most 32 types of errors for a stage', async () => {
    const observed = observe();
    for (let code = 0; code < 40; code++) {
      const fails = map((_: number): number => {
        throw Object.assign(new Error(), { code: `E${code}` });
      });
      await from([1])
        .pipeThrough(fails)
        .toArray({ observer: observed.observer })
        .catch(() => {});
    }
    const errors = only(observed.snapshot()).stages[1]!.errors;
    expect(Object.keys(errors)).toHaveLength(33);
    expect(errors['_OTHER']).toBe(8);
  });

  test('observe() tells an abort and the draining of a run from its failure', async () => {
    const observed = observe();
    const run = from([1]).run(() => new Promise(() => {}), { observer: observed.observer });
    await settled();
    const drained = run.drain({ deadlineMs: 60_000 }).catch((reason) => reason);
    expect(only(observed.snapshot()).state).toBe('draining');
    run.abort('enough');
    await drained;
    const { state, runs, stages } = only(observed.snapshot());
    expect({ state, aborted: runs.aborted }).toEqual({ state: 'aborted', aborted: 1 });
    expect(stages.every(({ errors }) => Object.keys(errors).length === 0)).toBe(true);
  });

  test('observe() counts the error of a source that does not open', async () => {
    const observed = observe();
    const opens = (): AsyncIterable<number> => {
      throw new RangeError('no such file');
    };
    await from({ [Symbol.asyncIterator]: opens } as unknown as AsyncIterable<number>)
      .toArray({ observer: observed.observer })
      .catch(() => {});
    expect(only(observed.snapshot()).stages[0]?.errors).toEqual({ RangeError: 1 });
  });

  test('observe() with detail "counters" takes no times', async () => {
    const observed = observe({ detail: 'counters' });
    let looks = 0;
    const clock = { now: () => looks++, setTimer: () => ({ clear() {} }) };
    await from([1, 2, 3])
      .pipeThrough(mapAsync(async (n) => n))
      .toArray({ observer: observed.observer, clock });
    expect(looks).toBe(2);
    const { nodes, stages } = only(observed.snapshot());
    expect(nodes.every(({ service }) => service === undefined)).toBe(true);
    expect(stages.at(-1)?.counts.out).toBe(3);
  });

  test('watch() tells of runs and errors until it is ended, and survives a watcher that throws', async () => {
    const observed = observe({ name: 'watched' });
    const told: unknown[] = [];
    observed.watch({
      started: () => {
        throw new Error('a logger that fails');
      },
    });
    const end = observed.watch({
      started: (name, run) => told.push(name, run.plan.stages.length),
      failed: (_name, error: StageError, type) => told.push(error.stage, type),
      changed: (_name, state) => told.push(state),
      ended: (_name, summary, state) => told.push(summary.read, state),
    });
    const fails = from([1]).pipeThrough(
      map((): number => {
        throw new SyntaxError();
      }),
    );
    await fails.toArray({ observer: observed.observer }).catch(() => {});
    end();
    await fails.toArray({ observer: observed.observer }).catch(() => {});
    expect(told).toEqual(['watched', 3, 'map', 'SyntaxError', 'closing', 1, 'failed']);
  });

  test('snapshot() is plain data', async () => {
    const observed = observe();
    await from([1]).toArray({ observer: observed.observer });
    const snapshot = observed.snapshot();
    expect(JSON.parse(JSON.stringify(snapshot))).toMatchObject({ pipelines: [{ name: 'pipeline', state: 'done' }] });
    expect(structuredClone(snapshot)).toEqual(snapshot);
  });

  test('observe() refuses wrong options and snapshots of others', () => {
    expect(() => observe({ nmae: 'x' } as never)).toThrow('option "nmae" is unknown');
    expect(() => observe({ detail: 'all' as never })).toThrow('must be "counters" or "latency"');
    expect(() => observe().named('')).toThrow('must be a string of one character or more');
    expect(() => observe().snapshot(observe().snapshot())).toThrow('must be a snapshot of the same observe()');
  });
});
