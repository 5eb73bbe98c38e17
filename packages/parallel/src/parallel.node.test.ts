import { batch, from } from '@millrace/core';
import { parallel, workerModule } from '@millrace/parallel';
import { expect, test } from 'vitest';

const module = workerModule<{ twice(n: number): number }>(new URL('data:text/javascript,'), { workers: 3 });

test('parallel() refuses wrong options by name', () => {
  const wrong = (options: object) => () => parallel(module, 'twice', options);
  expect(wrong({ concurrency: 2 })).toThrow(/option "concurrency" is unknown/);
  expect(wrong({ ordered: 1 })).toThrow(/ordered is 1/);
  expect(wrong({ maxItemsInWorkers: 0 })).toThrow(/maxItemsInWorkers is 0/);
  expect(wrong({ timeoutMs: 0 })).toThrow(/timeoutMs is 0/);
  expect(wrong({ abortGraceMs: -1 })).toThrow(/abortGraceMs is -1/);
  expect(wrong({ transfer: [] })).toThrow(/transfer is an array/);
  expect(wrong({ onError: 'ignore' })).toThrow(/onError is "ignore"/);
  expect(wrong({ onError: { fallback: 1 } })).toThrow(/onError is an object .*fallback\(fn\)\)/);
  expect(wrong({ retry: {} })).toThrow(/attempts is undefined/);
  expect(wrong({ retry: { attempts: 1 } })).toThrow(/attempts is 1/);
  expect(wrong({ retry: { attempts: 2, delayMs: 1 } })).toThrow(/option "delayMs" is unknown/);
  expect(wrong({ retry: { attempts: 2, jitter: 2 } })).toThrow(/jitter is 2/);
  expect(wrong({ retry: { attempts: 2 }, transfer: () => [] })).toThrow(
    /retry is an object .*\(must be absent with transfer: what was moved can't be sent again\)/,
  );
  expect(wrong({ onWorkerDeath: 'ignore' })).toThrow(/onWorkerDeath is "ignore"/);
  expect(wrong({ onWorkerDeath: 'retry', transfer: () => [] })).toThrow(/what was moved can't be sent again/);
  expect(() => parallel({} as typeof module, 'twice')).toThrow(/module is an object/);
});

test('parallel() names what it holds in the plan', () => {
  const explained = from([1])
    .pipeThrough(parallel(module, 'twice', { ordered: false, name: 'score' }))
    .explain();
  expect(explained.rooms).toEqual([
    { stage: 'score', where: 'edge', items: 256 },
    { stage: 'score', where: 'maxItemsInWorkers, unordered', items: 1536 },
  ]);
});

test('parallel() by size prints its edge so', () => {
  const sized = from([1]).pipeThrough(parallel(module, 'twice', { highWaterMark: 65_536, size: () => 8 }));
  expect(String(sized.explain())).toContain('parallel edge: 65,536 by size');
});

test('parallel() behind a batch has room for as many members, and for two batches for each worker', () => {
  const sums = workerModule<{ sum(all: readonly number[]): number }>(new URL('data:text/javascript,'), { workers: 3 });
  const roomsBehind = (maxItems: number, options: object = {}) =>
    from([1])
      .pipeThrough(batch({ maxItems }))
      .pipeThrough(parallel(sums, 'sum', { name: 'sum', ...options }))
      .explain()
      .rooms.filter(({ stage }) => stage === 'sum')
      .map(({ items }) => items);
  expect(roomsBehind(10)).toEqual([250, 1530]);
  expect(roomsBehind(5_000)).toEqual([5_000, 30_000]);
  expect(roomsBehind(5_000, { highWaterMark: 3, maxItemsInWorkers: 4 })).toEqual([15_000, 20_000]);
});

test('workerModule() refuses wrong arguments by name', () => {
  const url = new URL('data:text/javascript,');
  expect(() => workerModule('./score.js' as unknown as URL)).toThrow(/url is ".\/score.js" \(must be a URL\)/);
  expect(() => workerModule(url, { workers: 0 })).toThrow(/workers is 0/);
  expect(() => workerModule(url, { size: 2 } as object)).toThrow(/option "size" is unknown/);
  expect(() => workerModule(url, { memoryLimitMb: 0.5 })).toThrow(/memoryLimitMb is 0.5/);
  expect(() => workerModule(url, { maxRestarts: -1 })).toThrow(/maxRestarts is -1/);
  expect(() => workerModule(url, { startTimeoutMs: 0 })).toThrow(/startTimeoutMs is 0/);
});
