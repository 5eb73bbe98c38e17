import {
  buffer,
  type Clock,
  from,
  map,
  mapAsync,
  type Observer,
  type RunSummary,
  type RunView,
  type StageError,
  systemClock,
  tap,
} from '@millrace/core';
import { describe, expect, test } from 'vitest';

interface Told {
  node: number;
  items: number;
  tookMs: number;
}

/** A clock that goes on by one millisecond at each look; timers never fire. */
function ticking(): Clock {
  let time = 0;
  return { now: () => time++, setTimer: () => ({ clear() {} }) };
}

function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

describe('Observer', () => {
  test('burst() is told each item that a fused group takes in once, from time 0 on', async () => {
    const told: Told[] = [];
    const observer: Observer = { burst: (node, items, tookMs) => void told.push({ node, items, tookMs }) };
    await from([1, 2, 3])
      .pipeThrough(map((n) => n + 1))
      .toArray({ observer, clock: ticking() });
    expect(told.reduce((sum, { items }) => sum + items, 0)).toBe(3);
    expect(told.every(({ node, tookMs }) => node === 0 && tookMs === 1)).toBe(true);
  });

  test('burst() is told of a source that has a loop for itself', async () => {
    const nodes = new Set<number>();
    const observer: Observer = { burst: (node) => void nodes.add(node) };
    await from([1, 2])
      .pipeThrough(mapAsync(async (n) => n))
      .toArray({ observer });
    expect(nodes).toEqual(new Set([0, 1, 2]));
  });

  test('served() is told how long an item was in service, from when it was taken until it was done', async () => {
    let now = 0;
    const clock: Clock = { now: () => now, setTimer: systemClock.setTimer };
    const { opened, open } = gate();
    const told: Told[] = [];
    const observer: Observer = { served: (node, items, tookMs) => void told.push({ node, items, tookMs }) };
    const done = from([1])
      .pipeThrough(mapAsync(() => opened))
      .toArray({ observer, clock });
    await turn();
    now = 40;
    open();
    await done;
    expect(told).toEqual([{ node: 1, items: 1, tookMs: 40 }]);
  });

  test('served() is told of the bursts of a sink', async () => {
    const told: number[] = [];
    const observer: Observer = { served: (_node, items) => void told.push(items) };
    const sink = { maxBurst: 2, open: () => ({ write: async () => {} }) };
    await from([1, 2, 3]).run(sink, { observer }).finished;
    expect(told.reduce((sum, items) => sum + items, 0)).toBe(3);
  });

  test('failed() is told once of the error that ends the run', async () => {
    const told: StageError[] = [];
    const observer: Observer = { failed: (error) => void told.push(error) };
    const error = await from(['{'])
      .pipeThrough(map((text) => JSON.parse(text), { name: 'parse' }))
      .toArray({ observer })
      .catch((reason) => reason);
    expect(told).toEqual([error]);
  });

  test('failed() is not told of what fails because the run is over', async () => {
    const told: StageError[] = [];
    const observer: Observer = { failed: (error) => void told.push(error) };
    const run = from([1, 2])
      .pipeThrough(mapAsync(() => new Promise(() => {})))
      .run(new WritableStream(), { observer });
    await turn();
    run.abort('enough');
    await run.finished.catch(() => {});
    await turn();
    expect(told).toEqual([]);
  });

  test('changed() is told of draining and of closing, before ended()', async () => {
    const told: string[] = [];
    const observer: Observer = {
      changed: (state) => void told.push(state),
      ended: (summary) => void told.push(`ended ${summary.emitted}`),
    };
    const run = from(function* () {
      for (let n = 0; ; n++) yield n;
    })
      .pipeThrough(tap(() => {}))
      .run(() => {}, { observer });
    const { emitted } = await run.drain();
    expect(told).toEqual(['draining', 'closing', `ended ${emitted}`]);
  });

  test('started() may return the observer of that run alone', async () => {
    const ended: RunSummary[][] = [];
    const observer: Observer = {
      started() {
        const own: RunSummary[] = [];
        ended.push(own);
        return { ended: (summary) => void own.push(summary) };
      },
    };
    await Promise.all([from([1]).toArray({ observer }), from([1, 2]).toArray({ observer })]);
    expect(ended.map((own) => own.map(({ read }) => read))).toEqual([[1], [2]]);
  });

  test.for(['values()', 'toReadableStream()'] as const)('started() is told of %s with its first read', async (what) => {
    const told: string[] = [];
    const observer: Observer = {
      started: () => void told.push('started'),
      changed: (state) => void told.push(state),
      ended: () => void told.push('ended'),
    };
    const numbers = from([1, 2]);
    const open = (): AsyncIterator<number> =>
      what === 'values()' ? numbers.values({ observer }) : numbers.toReadableStream({ observer }).values();
    const left = open();
    await turn();
    await left.return?.();
    expect(told).toEqual([]);
    const read = open();
    expect(await read.next()).toEqual({ done: false, value: 1 });
    expect(told).toEqual(['started']);
    await read.return?.();
    expect(told).toEqual(['started', 'closing', 'ended']);
  });

  test('RunView.waiting() reads what waits on each edge', async () => {
    const { opened, open } = gate();
    let view: RunView | undefined;
    const observer: Observer = {
      started(run) {
        view = run;
      },
    };
    const done = from(new Set([1, 2, 3, 4, 5, 6, 7, 8]))
      .pipeThrough(map((n) => n, { name: 'first' }))
      .pipeThrough(buffer(3))
      .run({ highWaterMark: 2, open: () => ({ write: () => opened }) }, { observer });
    await turn();
    expect(view?.plan.stages.map(({ name }) => name)).toEqual(['iterable', 'first', 'buffer', 'sink']);
    expect(view?.waiting()).toEqual([0, 0, 3, 2]);
    expect(view?.inFlight()).toBe(6);
    open();
    await done.finished;
    expect(view?.waiting()).toEqual([0, 0, 0, 0]);
  });
});
