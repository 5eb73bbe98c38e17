import { generate, type Stopping } from '@millrace/core';
import { afterEach, expect, test, vi } from 'vitest';
import { stopWithTerminal } from './signals.js';

let stopping: Stopping | undefined;

afterEach(() => {
  stopping?.release();
  vi.useRealTimers();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

test('stopWithTerminal() drains at a signal, and leaves no listener behind', async () => {
  const run = generate((index) => index).run(() => {});
  const before = process.listenerCount('SIGHUP');
  stopping = stopWithTerminal(run);
  process.emit('SIGHUP', 'SIGHUP');
  expect(await run.finished).toMatchObject({ balanced: true });
  expect(stopping.exitCode).toBe(129);
  stopping.release();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) expect(process.listenerCount(signal)).toBe(before);
});

test.each([
  ['demo', 129],
  [undefined, undefined],
])('stopWithTerminal() takes the death of its parent for a signal, under npm (%s)', (event, exitCode) => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  vi.stubEnv('npm_lifecycle_event', event);
  const drain = vi.fn(async () => {});
  stopping = stopWithTerminal({ drain, abort: () => {} });
  vi.advanceTimersByTime(250);
  expect(stopping.exitCode).toBeUndefined();
  vi.spyOn(process, 'ppid', 'get').mockReturnValue(-1);
  vi.advanceTimersByTime(500);
  expect([stopping.exitCode, drain.mock.calls.length]).toEqual([exitCode, exitCode === undefined ? 0 : 1]);
});
