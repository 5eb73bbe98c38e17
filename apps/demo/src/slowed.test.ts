import { from, type Sink } from '@millrace/core';
import { expect, test, vi } from 'vitest';
import { slowed } from './slowed.js';

/** A busy machine is never the reason. */
const PATIENCE_MS = 30_000;

function recorded(seen: string[]): Sink<number> {
  return {
    name: 'recorded',
    open: () => ({
      write: (items) => void seen.push(`write ${items.join()}`),
      close: () => void seen.push('close'),
      abort: () => void seen.push('abort'),
    }),
  };
}

test('slowed() lets each write wait, and closes the sink behind it', async () => {
  const seen: string[] = [];
  const delays: number[] = [];
  const clock = {
    now: () => 0,
    setTimer(callback: () => void, delayMs: number) {
      delays.push(delayMs);
      queueMicrotask(callback);
      return { clear() {} };
    },
  };
  await from([1, 2]).run(slowed({ ...recorded(seen), maxBurst: 1 }, 50), { clock }).finished;
  expect(delays).toEqual([50, 50]);
  expect(seen).toEqual(['write 1', 'write 2', 'close']);
});

test('slowed() waits no longer when the run is aborted', async () => {
  const seen: string[] = [];
  const clear = vi.fn();
  const setTimer = vi.fn(() => ({ clear }));
  const run = from([1]).run(slowed(recorded(seen), 50), { clock: { now: () => 0, setTimer } });
  await vi.waitFor(() => expect(setTimer).toHaveBeenCalledWith(expect.any(Function), 50), PATIENCE_MS);
  run.abort(new Error('enough'));
  await expect(run.finished).rejects.toThrow('enough');
  expect(clear).toHaveBeenCalled();
  expect(seen).toEqual(['abort']);
});

test('slowed() is the sink itself where there is nothing to wait for', () => {
  const sink = recorded([]);
  expect(slowed(sink, 0)).toBe(sink);
});
