import { batch, flatMap, from, map, mapAsync, merge, range } from '@millrace/core';
import { source } from '@millrace/core/authoring';
import { logRun, observe } from '@millrace/observability';
import { virtualClock } from '@millrace/testkit';
import { describe, expect, test, vi } from 'vitest';
import { gate, settled } from '../test/gate.js';

type Line = { level: string; message: string } & Record<string, unknown>;

function journal() {
  const lines: Line[] = [];
  const level = (name: string) => (fields: object, message: string) =>
    void lines.push({ level: name, message, ...fields });
  return { lines, logger: { info: level('info'), warn: level('warn'), error: level('error') } };
}

const failing = from([1, 2]).pipeThrough(
  map(
    (n: number): number => {
      if (n === 2) throw Object.assign(new Error('no route'), { code: 'EHOSTUNREACH' });
      return n;
    },
    { name: 'send' },
  ),
);

describe('logRun()', () => {
  test('logRun() logs the start and the end of a run, with its summary', async () => {
    const { lines, logger } = journal();
    const observed = observe({ name: 'numbers' });
    logRun(observed, logger, { clock: virtualClock() });
    await from([1, 2, 3])
      .pipeThrough(mapAsync(async (n) => n, { concurrency: 2 }))
      .toArray({ observer: observed.observer });
    expect(lines).toMatchObject([
      { level: 'info', message: 'run started', pipeline: 'numbers', stages: ['array', 'mapAsync', 'toArray'] },
      { level: 'info', message: 'run done', pipeline: 'numbers', state: 'done', read: 3, emitted: 3, balanced: true },
    ]);
  });

  test('logRun() logs draining and an abort', async () => {
    const { lines, logger } = journal();
    const observed = observe();
    logRun(observed, logger, { clock: virtualClock() });
    const run = from([1]).run(() => new Promise(() => {}), { observer: observed.observer });
    await settled();
    const drained = run.drain({ deadlineMs: 60_000 }).catch(() => {});
    run.abort('enough');
    await drained;
    expect(lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
      'info run started',
      'info run draining',
      'warn run aborted',
    ]);
    expect(lines[2]).toMatchObject({ reason: 'enough', abandoned: 1 });
  });

  test('logRun() logs the first error of a type, and how many more came', async () => {
    const { lines, logger } = journal();
    const clock = virtualClock();
    const observed = observe({ clock });
    logRun(observed, logger, { clock });
    const fail = () => failing.toArray({ observer: observed.observer }).catch(() => {});
    const errors = () => lines.splice(0).filter(({ message }) => message.includes('error'));
    await fail();
    expect(lines.at(-1)).toMatchObject({ level: 'error', message: 'run failed', err: { stage: 'send' } });
    expect(errors()).toMatchObject([
      { level: 'warn', message: 'stage error', stage: 'send', 'error.type': 'EHOSTUNREACH', index: 1, attempt: 1 },
    ]);
    await fail();
    await fail();
    expect(errors()).toMatchObject([
      { message: 'more errors', count: 1 },
      { message: 'more errors', count: 1 },
    ]);
    await clock.advance(10_000);
    expect(errors()).toEqual([]);
    await fail();
    expect(errors()).toMatchObject([{ message: 'stage error' }]);
  });

  test('logRun() logs once in ten seconds however many items fail', async () => {
    const { lines, logger } = journal();
    const clock = virtualClock();
    const observed = observe({ clock });
    logRun(observed, logger, { clock });
    const { opened, open } = gate();
    const run = from([1, 2, 3, 4, 5])
      .pipeThrough(
        mapAsync(
          async () => {
            await opened;
            throw new TypeError('bad');
          },
          { concurrency: 5 },
        ),
      )
      .run(() => {}, { observer: observed.observer });
    const finished = run.finished.catch(() => {});
    await settled();
    open();
    await finished;
    expect(lines.filter(({ message }) => message === 'stage error')).toHaveLength(1);
    await clock.advance(20_000);
    expect(clock.pendingTimers).toBe(0);
  });

  test('logRun() leaves no timer behind a run, whatever clock it was given', async () => {
    const { lines, logger } = journal();
    const clock = virtualClock();
    const observed = observe();
    logRun(observed, logger, { clock });
    const fail = () => failing.toArray({ observer: observed.observer }).catch(() => {});
    await fail();
    expect(clock.pendingTimers).toBe(0);
    await fail();
    expect(clock.pendingTimers).toBe(0);
    expect(lines.filter(({ message }) => message === 'more errors')).toMatchObject([{ count: 1 }]);
  });

  test('logRun() tells in the middle of a run how many more errors came', async () => {
    const { lines, logger } = journal();
    const clock = virtualClock();
    const observed = observe();
    logRun(observed, logger, { clock });
    let reject: (index: number) => void = () => {};
    const reading = source<number>({
      name: 'reading',
      open(context) {
        reject = (index) => context.rejected(new TypeError('bad'), index);
        return { read: () => new Promise(() => {}), close() {} };
      },
    });
    const run = reading.run(() => {}, { observer: observed.observer });
    for (let index = 0; index < 3; index++) reject(index);
    await clock.advance(9_999);
    expect(lines.filter(({ message }) => message === 'more errors')).toEqual([]);
    await clock.advance(1);
    expect(lines.filter(({ message }) => message === 'more errors')).toMatchObject([{ count: 2 }]);
    expect(clock.pendingTimers).toBe(0);
    run.abort('enough');
    await expect(run.finished).rejects.toBe('enough');
  });

  test('logRun() logs what a plan warns of, and the console is not told', async () => {
    const { lines, logger } = journal();
    const observed = observe({ name: 'split' });
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const split = () => {
      const [some, all] = range(0, 40).broadcast(2);
      const gathered = some.pipeThrough(batch({ maxItems: 20 })).pipeThrough(flatMap((items) => items));
      return merge(gathered, all).toArray({ observer: observed.observer });
    };
    const log = logRun(observed, logger);
    await split();
    expect(lines.find(({ message }) => message === 'plan warning')).toMatchObject({ level: 'warn', pipeline: 'split' });
    expect(warn).not.toHaveBeenCalled();
    log.close();
    await split();
    expect(warn).toHaveBeenCalledOnce();
    warn.mockRestore();
  });

  test('logRun() stops at close(), and leaves no timer', async () => {
    const { lines, logger } = journal();
    const clock = virtualClock();
    const observed = observe();
    const log = logRun(observed, logger, { clock });
    await failing.toArray({ observer: observed.observer }).catch(() => {});
    const before = lines.length;
    log.close();
    await failing.toArray({ observer: observed.observer }).catch(() => {});
    expect(lines).toHaveLength(before);
    expect(clock.pendingTimers).toBe(0);
  });

  test('logRun() refuses what is not a logger, and unknown options', () => {
    expect(() => logRun(observe(), {} as never)).toThrow('logger.info is undefined');
    expect(() => logRun(observe(), console, { every: 1 } as never)).toThrow('option "every" is unknown');
  });
});
