import { PipelineError, type StopSignal, stopOnSignals } from '@millrace/core';
import { virtualClock } from '@millrace/testkit';
import { expect, test, vi } from 'vitest';

function stoppable() {
  const told: unknown[] = [];
  return {
    told,
    run: {
      drain: async (options: object) => void told.push(options),
      abort: (reason: unknown) => void told.push(reason),
    },
  };
}

const signal = (name: StopSignal): void => void process.emit(name, name);

test('stopOnSignals() drains at the first signal, aborts at the second and leaves the third to the platform', async () => {
  const clock = virtualClock();
  const { told, run } = stoppable();
  const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
  const stopping = stopOnSignals(run, { deadlineMs: 9, clock });
  expect(stopping.exitCode).toBeUndefined();
  signal('SIGINT');
  await clock.advance(500);
  signal('SIGTERM');
  expect(told).toEqual([{ deadlineMs: 9 }, expect.any(PipelineError)]);
  expect(stopping.exitCode).toBe(130);
  await clock.advance(500);
  signal('SIGTERM');
  expect(kill.mock.calls).toEqual([[process.pid, 'SIGTERM']]);
  expect(told).toHaveLength(2);
  kill.mockRestore();
});

test('stopOnSignals() takes a signal that comes right after one as its echo, each time', async () => {
  const clock = virtualClock();
  const { told, run } = stoppable();
  const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
  const stopping = stopOnSignals(run, { clock });
  for (const times of [1, 2]) {
    signal('SIGINT');
    await clock.advance(499);
    signal('SIGINT');
    expect(told).toHaveLength(times);
    await clock.advance(1);
  }
  expect(kill).not.toHaveBeenCalled();
  stopping.release();
  kill.mockRestore();
});

test('stopOnSignals() listens for what it is told to, and leaves no listener behind', () => {
  const count = (): number[] => ['SIGINT', 'SIGTERM', 'SIGHUP'].map((name) => process.listenerCount(name));
  const before = count();
  const { run } = stoppable();
  const usual = stopOnSignals(run);
  expect(count()).toEqual(before.map((listeners, at) => listeners + (at < 2 ? 1 : 0)));
  const hangUp = stopOnSignals(run, { signals: ['SIGHUP'] });
  expect(count()).toEqual(before.map((listeners) => listeners + 1));
  usual.release();
  hangUp.release();
  hangUp.release();
  expect(count()).toEqual(before);
});

test('stopOnSignals() works without a process that has signals', () => {
  vi.stubGlobal('process', { env: {} });
  try {
    const { told, run } = stoppable();
    const stopping = stopOnSignals(run);
    stopping.stop('SIGHUP');
    stopping.release();
    expect([told.length, stopping.exitCode]).toEqual([1, 129]);
  } finally {
    vi.unstubAllGlobals();
  }
});

test('stopOnSignals() refuses what is no run, unknown signals and unknown options', () => {
  expect(() => stopOnSignals({} as never)).toThrow('a run, or an object with "drain" and "abort"');
  expect(() => stopOnSignals(stoppable().run, { signals: ['SIGKILL' as never] })).toThrow('SIGHUP, SIGINT');
  expect(() => stopOnSignals(stoppable().run, { deadline: 1 } as never)).toThrow('option "deadline" is unknown');
});
