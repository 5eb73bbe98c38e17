import { from, type ItemsWindow, range, type WindowOptions, window } from '@millrace/core';
import { sinkProbe, sourceProbe, virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';

const itself = (at: number): number => at;

test('window() with allowedLatenessMs goes out again with what comes late, and then no more', async () => {
  const late = window({ sizeMs: 10, allowedLatenessMs: 15, timeMs: itself });
  const seen: string[] = [];
  const run = from([1, 12, 2, 24, 3, 25, 4])
    .pipeThrough(late)
    .run(({ startMs, revision, items }) => {
      seen.push(`${startMs} #${revision}: ${items}`);
    });
  // 25 lets go of the first window.
  expect(await run.finished).toMatchObject({ dropped: 1, absorbed: 6, made: 5, balanced: true });
  expect(seen).toEqual(['0 #0: 1', '0 #1: 1,2', '10 #0: 12', '0 #2: 1,2,3', '20 #0: 24,25']);
});

test('window() fails by name when more items, or windows, are open than may be', async () => {
  const code = 'ERR_CORE_WINDOW';
  const failed = (options: WindowOptions<number>) => {
    const run = from([1, 2, 3, 14, 25])
      .pipeThrough(window({ timeMs: itself, ...options }))
      .run(() => {});
    return expect(run.finished).rejects;
  };
  await failed({ sizeMs: 100, maxItems: 2 }).toMatchObject({ stage: 'window', index: 2, cause: { code } });
  await failed({ sizeMs: 10, maxOutOfOrderMs: 50, maxWindows: 2 }).toMatchObject({
    index: 4,
    cause: { message: 'Cannot open a window: 2 are open already (must be fewer: see maxWindows)' },
  });
  expect(
    await from([1, 2, 13, 14, 25])
      .pipeThrough(window({ sizeMs: 10, timeMs: itself, maxItems: 2 }))
      .count(),
  ).toBe(3);
});

test('window() has the bound of its maxItems, and none without', () => {
  const bound = (options: WindowOptions<number>) => range(0, 9).pipeThrough(window(options)).explain().bound;
  expect(bound({ sizeMs: 10, maxItems: 7 })).toBe(7);
  expect(bound({ sizeMs: 10, timeMs: itself, maxItems: 7 })).toBe(8);
  expect(bound({ sizeMs: 10 })).toBe(Number.POSITIVE_INFINITY);
  const counting = { sizeMs: 10, timeMs: itself, seed: () => 0, fold: (n: number) => n + 1 };
  expect(
    range(0, 9)
      .pipeThrough(window({ ...counting, maxWindows: 3 }))
      .explain().bound,
  ).toBe(256);
});

test('window() discards what is open on an error, counted as abandoned, behind what had closed', async () => {
  const cause = new Error('no');
  const seen: number[][] = [];
  const run = from([1, 2, 13, 14, 15, 26])
    .pipeThrough(
      window({
        sizeMs: 10,
        timeMs: (at) => {
          if (at === 15) throw cause;
          return at;
        },
      }),
    )
    .run(({ items }) => void seen.push(items));
  await expect(run.finished).rejects.toMatchObject({ stage: 'window', index: 4, cause });
  expect(seen).toEqual([[1, 2]]);
  // How many items came with the one that fails is a matter of time.
  const { in: entered = 0, abandoned } = run.counts()[1] ?? {};
  expect(run.counts()[1]).toMatchObject({ absorbed: 2, made: 1, out: 1, held: 0 });
  expect([entered >= 5, abandoned]).toEqual([true, entered - 2]);
  expect(run.inFlight).toBe(0);
  const nowhere = from([1, Number.NaN]).pipeThrough(window({ sizeMs: 10, timeMs: itself }));
  await expect(nowhere.toArray()).rejects.toMatchObject({
    index: 1,
    cause: new TypeError('timeMs returned NaN (must be a finite number of milliseconds)'),
  });
});

test.for(['timeMs', 'keyBy', 'fold'])('window() that is aborted inside %s counts every item', async (where) => {
  const probe = sourceProbe<number>();
  const stop = (name: string, at: number): number => {
    if (name === where && at === 14) run.abort('enough');
    return at;
  };
  const run = probe.pipeline
    .pipeThrough(
      window({
        sizeMs: 10,
        timeMs: (at) => stop('timeMs', at),
        keyBy: (at) => stop('keyBy', at) % 2,
        seed: () => 0,
        fold: (sum, at) => sum + stop('fold', at),
      }),
    )
    .run(() => {});
  const aborted = expect(run.finished).rejects.toBe('enough');
  probe.release(1, 12, 14, 26);
  await aborted;
  await virtualClock().settle();
  expect(run.counts()[1]).toMatchObject({ in: 4, absorbed: 2, abandoned: 2, held: 0 });
  expect(run.inFlight).toBe(0);
});

test('window() lets go of what it held when it is aborted', async () => {
  const probe = sourceProbe<number>();
  const sink = sinkProbe<ItemsWindow<number>>({ highWaterMark: 0 });
  const run = probe.pipeline.pipeThrough(window({ sizeMs: 10, timeMs: itself })).run(sink.sink);
  const aborted = expect(run.finished).rejects.toBe('enough');
  probe.release(1, 12, 23, 34, 35);
  await virtualClock().settle();
  expect(run.counts()[1]).toMatchObject({ held: 4, out: 1 });
  run.abort('enough');
  await aborted;
  expect(run.counts()[1]).toMatchObject({ in: 5, absorbed: 1, abandoned: 4, held: 0 });
  expect(run.inFlight).toBe(0);
});

test('window() opens no window for what comes late', async () => {
  const count = { n: 0 };
  const windows = window({
    sizeMs: 10,
    timeMs: (at: number) => (at === 0 ? 1e9 : 1),
    keyBy: (at) => at,
    maxWindows: 1,
  });
  const run = range(0, 1000)
    .pipeThrough(windows)
    .run(() => void count.n++);
  expect(await run.finished).toMatchObject({ dropped: 999, balanced: true });
  expect(count.n).toBe(1);
});

test('window() refuses wrong options by name', () => {
  const message = (options: object): unknown => {
    try {
      return window(options as never);
    } catch (error) {
      return (error as Error).message.replace('Cannot build window(): ', '');
    }
  };
  const timed = { sizeMs: 10, timeMs: itself };
  const folds = { ...timed, fold: itself, seed: () => 0 };
  expect(
    [
      {},
      { sizeMs: 0 },
      { sizeMs: 10, gapMs: 5 },
      { gapMs: 0 },
      { sizeMs: 10, slideMs: 20 },
      { sizeMs: 10, idleMs: 5 },
      { ...timed, onLate: 'keep' },
      { ...timed, maxOutOfOrderMs: -1 },
      { ...timed, maxItems: 0 },
      { ...timed, seed: () => 0 },
      { ...folds, seed: 0 },
      { ...folds, maxItems: 5 },
      { gapMs: 5, fold: itself, seed: () => 0 },
      { sizeMs: 10, size: 5 },
    ].map(message),
  ).toEqual([
    'sizeMs is undefined (must be given, or gapMs for sessions)',
    'sizeMs is 0 (must be more than 0 milliseconds)',
    'sizeMs is 10 (must be left out with gapMs: sessions have no size)',
    'gapMs is 0 (must be more than 0 milliseconds)',
    'slideMs is 20 (must be more than 0 milliseconds, and at most sizeMs)',
    'idleMs is 5 (must be left out without timeMs)',
    'onLate is "keep" (must be "fail", "skip" or deadLetter(writable))',
    'maxOutOfOrderMs is -1 (must be a number of milliseconds, 0 or more)',
    'maxItems is 0 (must be a whole number of 1 or more)',
    'seed is a function (must be left out without fold)',
    'seed is 0 (must be a function)',
    'maxItems is 5 (must be left out with fold, which keeps no items)',
    'combine is undefined (must be a function)',
    expect.stringMatching(/^option "size" is unknown \(must be one of "name", "sizeMs", /),
  ]);
});
