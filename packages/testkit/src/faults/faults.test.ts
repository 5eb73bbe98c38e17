import { from, mapAsync } from '@millrace/core';
import {
  crashing,
  type Fault,
  failing,
  faultyFunction,
  faultySink,
  faultySource,
  hanging,
  slow,
  virtualClock,
} from '@millrace/testkit';
import { expect, test } from 'vitest';

test('faultyFunction() answers at once where no fault takes time', () => {
  const fn = faultyFunction((n: number) => n * 2, failing(new Error('no'), { at: 1 }));
  expect(fn(1)).toBe(2);
  expect(() => fn(2)).toThrow('no');
  expect(fn(3)).toBe(6);
});

test('faultyFunction() asks its faults one after the other', async () => {
  const clock = virtualClock();
  const fn = faultyFunction((n: number) => n, slow(clock, 10), slow(clock, 5), failing(new Error('no')));
  await expect(clock.until(Promise.resolve(fn(1)))).rejects.toThrow('no');
  expect(clock.now()).toBe(15);
});

test('faultySource() gives one item at a read, anew for each run', async () => {
  const calls: string[] = [];
  const heard: Fault = ({ what, index }) => void calls.push(`${what} ${index}`);
  const items = faultySource(new Set([1, 2]), heard);
  expect(await items.toArray()).toEqual([1, 2]);
  expect(await items.toArray()).toEqual([1, 2]);
  expect(calls.slice(0, 4)).toEqual(['read 0', 'read 1', 'read 2', 'close 2']);
});

test('faultySource() that crashes fails its close too', async () => {
  const error = await faultySource([1, 2, 3], crashing(new Error('gone'), { at: 1 }))
    .toArray()
    .catch((reason: unknown) => reason);
  expect(error).toMatchObject({ index: 1, others: [{ code: 'ERR_CORE_CLOSE' }] });
});

test('faultySource() that hangs can be aborted', async () => {
  const controller = new AbortController();
  const clock = virtualClock();
  const run = faultySource([1, 2], hanging({ at: 1 })).run(() => controller.abort('enough'), {
    clock,
    signal: controller.signal,
  });
  await expect(clock.until(run.finished)).rejects.toBe('enough');
});

test('faultySink() takes one item at a time, and fails at its place', async () => {
  const written: number[][] = [];
  const sink = faultySink<number>(
    { maxBurst: 10, open: () => ({ write: (items) => void written.push([...items]) }) },
    failing(new Error('full'), { at: 2 }),
  );
  await expect(from([1, 2, 3, 4]).run(sink).finished).rejects.toMatchObject({ index: 2 });
  expect(written).toEqual([[1], [2]]);
});

test('faultySink() that is slow takes its time at each write and at its end', async () => {
  const clock = virtualClock();
  const run = from([1, 2]).run(
    faultySink(() => {}, slow(clock, 10)),
    { clock },
  );
  await clock.until(run.finished);
  expect(clock.now()).toBe(30);
});

test('hanging() lets what is before it through', async () => {
  const clock = virtualClock();
  const seen: number[] = [];
  const run = from([1, 2])
    .pipeThrough(mapAsync(faultyFunction((n: number) => n, hanging({ at: 1 }))))
    .run((n) => void seen.push(n), { clock });
  await clock.settle();
  run.abort('enough');
  await expect(run.finished).rejects.toBe('enough');
  expect(seen).toEqual([1]);
});

test('slow(), failing(), hanging() and crashing() refuse wrong arguments', () => {
  expect(() => slow(virtualClock(), -1)).toThrow('Cannot build slow(): ms is -1');
  expect(() => failing(1, { at: -1 })).toThrow('Cannot build failing(): at is -1');
  expect(() => hanging({ from: 1 } as never)).toThrow('option "from" is unknown');
  expect(() => crashing(1, { at: 0.5 })).toThrow('Cannot build crashing(): at is 0.5');
});
