import { generate, type Run } from '@millrace/core';
import { expect, test, vi } from 'vitest';
import { stopOnSignals } from './signals.js';

function fakeRun(): { run: Run; drain: ReturnType<typeof vi.fn>; abort: ReturnType<typeof vi.fn> } {
  const run = generate((index) => index).run(() => {});
  const drain = vi.spyOn(run, 'drain').mockResolvedValue({} as never) as ReturnType<typeof vi.fn>;
  return { run, drain, abort: vi.spyOn(run, 'abort') as ReturnType<typeof vi.fn> };
}

test('stopOnSignals() drains at the first signal, and aborts at a second one that is no echo of it', async () => {
  let nowMs = 0;
  const { run, drain, abort } = fakeRun();
  const stopping = stopOnSignals(run, () => nowMs);
  expect(stopping.exitCode).toBeUndefined();
  process.emit('SIGINT', 'SIGINT');
  nowMs = 499;
  process.emit('SIGINT', 'SIGINT');
  expect([drain.mock.calls.length, abort.mock.calls.length]).toEqual([1, 0]);
  nowMs = 500;
  process.emit('SIGTERM', 'SIGTERM');
  expect([drain.mock.calls.length, abort.mock.calls.length]).toEqual([1, 1]);
  expect(stopping.exitCode).toBe(130);
  await expect(run.finished).rejects.toThrow('it was told twice to stop');
  stopping.release();
});

test('stopOnSignals() leaves no listener behind', async () => {
  const { run } = fakeRun();
  const before = process.listenerCount('SIGHUP');
  const stopping = stopOnSignals(run);
  expect(process.listenerCount('SIGHUP')).toBe(before + 1);
  stopping.release();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) expect(process.listenerCount(signal)).toBe(before);
  run.abort(new Error('enough'));
  await expect(run.finished).rejects.toThrow('enough');
});
