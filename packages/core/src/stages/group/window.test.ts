import {
  batch,
  type DeadLetter,
  deadLetter,
  flatten,
  from,
  type ItemsWindow,
  type RunOptions,
  range,
  type WindowOptions,
  window,
} from '@millrace/core';
import { sinkProbe, sourceProbe, virtualClock } from '@millrace/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';

interface Event {
  readonly n: number;
  readonly at: number;
  readonly key: number;
}

interface Shape {
  readonly sizeMs: number;
  readonly slideMs: number | undefined;
  readonly maxOutOfOrderMs: number;
  readonly allowedLatenessMs: number;
}

type Out = Pick<ItemsWindow<number, number>, 'key' | 'startMs' | 'endMs' | 'revision' | 'items'>;

/** What goes out, by a plain list of windows that is gone through for each item; and what is late. */
function model(events: readonly Event[], { sizeMs, slideMs, maxOutOfOrderMs, allowedLatenessMs }: Shape) {
  let open: Array<Out & { closings: number; isClosed: boolean }> = [];
  const out: Out[] = [];
  const late: number[] = [];
  let watermark = Number.NEGATIVE_INFINITY;
  const close = (untilMs: number): void => {
    for (const each of [...open].sort((a, b) => a.endMs - b.endMs)) {
      if (each.isClosed || each.endMs > untilMs) continue;
      const { key, startMs, endMs, items } = each;
      out.push({ key, startMs, endMs, revision: each.closings++, items: [...items] });
      each.isClosed = true;
    }
    open = open.filter(({ endMs }) => endMs + allowedLatenessMs > untilMs);
  };
  const take = (startMs: number, endMs: number, { key, n }: Event): void => {
    const near = open
      .filter((each) => each.key === key)
      .filter((each) =>
        slideMs === undefined ? each.startMs < endMs && startMs < each.endMs : each.startMs === startMs,
      )
      .sort((a, b) => a.startMs - b.startMs);
    open = open.filter((each) => !near.includes(each));
    open.push({
      key,
      startMs: Math.min(startMs, ...near.map((each) => each.startMs)),
      endMs: Math.max(endMs, ...near.map((each) => each.endMs)),
      items: [...near.flatMap(({ items }) => items), n],
      closings: Math.max(0, ...near.map(({ closings }) => closings)),
      isClosed: false,
      revision: 0,
    });
  };
  for (const event of events) {
    watermark = Math.max(watermark, event.at - maxOutOfOrderMs);
    close(watermark);
    const ranges: [number, number][] = [];
    if (slideMs === undefined) ranges.push([event.at, event.at + sizeMs]);
    else
      for (let start = -200; start <= event.at; start += slideMs)
        if (event.at < start + sizeMs) ranges.push([start, start + sizeMs]);
    const isNear = open.some(
      ({ key, startMs, endMs }) => key === event.key && startMs < event.at + sizeMs && event.at < endMs,
    );
    const kept = ranges.filter(([, end]) => end + allowedLatenessMs > watermark || (slideMs === undefined && isNear));
    if (kept.length === 0) late.push(event.n);
    for (const [start, end] of kept) take(start, end, event);
    close(watermark);
  }
  close(Number.POSITIVE_INFINITY);
  return { out, late };
}

const times = fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.nat(2)), { maxLength: 40 });
const drifting = times.map((all) => all.map(([at, key], n): Event => ({ n, at: at + n * 3, key })));
const shapes = fc.oneof(
  fc.tuple(fc.constantFrom(10, 20, 7), fc.constantFrom(1, 2)).map(([sizeMs, times]) => ({
    sizeMs,
    // So that the model, which begins at -200, meets the same grid.
    slideMs: sizeMs === 7 ? 4 : sizeMs / times,
  })),
  fc.constantFrom(3, 10, 25).map((sizeMs) => ({ sizeMs, slideMs: undefined })),
);
const policies = fc.constantFrom({}, { onError: 'skip' as const });
const limits = fc.record({
  maxOutOfOrderMs: fc.constantFrom(0, 5, 40),
  allowedLatenessMs: fc.constantFrom(0, 0, 12, 30),
});

test('window() gives what a plain list of windows gives, in order of time, with whatever comes late', async () => {
  const ways = fc.constantFrom<RunOptions>({}, { fuse: false }, { generate: false });
  const kinds = fc.constantFrom('array', 'async');
  await fc.assert(
    fc.asyncProperty(
      drifting,
      shapes,
      limits,
      ways,
      kinds,
      fc.boolean(),
      async (drawn, spans, more, options, kind, isKeyed) => {
        const events = isKeyed ? drawn : drawn.map((event) => ({ ...event, key: 0 }));
        const late: number[] = [];
        const side = new WritableStream<DeadLetter<Event>>({ write: ({ item }) => void late.push(item.n) });
        const { sizeMs, slideMs } = spans;
        const source =
          kind === 'array'
            ? events
            : async function* () {
                yield* events;
              };
        const windows = from<Event>(source).pipeThrough(
          window({
            ...(slideMs === undefined ? { gapMs: sizeMs } : { sizeMs, slideMs }),
            ...more,
            timeMs: ({ at }) => at,
            ...(isKeyed && { keyBy: ({ key }: Event) => key }),
            onLate: deadLetter(side),
          }),
        );
        const seen: Out[] = [];
        const run = windows.run(
          ({ items, key = 0, ...rest }) => void seen.push({ ...rest, key, items: items.map(({ n }) => n) }),
          options,
        );
        const summary = await run.finished;
        const expected = model(events, { ...spans, ...more });
        expect(late).toEqual(expected.late);
        expect(summary).toMatchObject({
          balanced: true,
          deadLettered: late.length,
          absorbed: events.length - late.length,
        });
        expect(seen.map(({ endMs }) => endMs)).toEqual(expected.out.map(({ endMs }) => endMs));
        for (const key of [0, 1, 2]) {
          expect(seen.filter((each) => each.key === key)).toEqual(expected.out.filter((each) => each.key === key));
        }
      },
    ),
    { numRuns: 400 },
  );
});

test('window() with fold gives what folding the items of each window gives', async () => {
  await fc.assert(
    fc.asyncProperty(
      drifting,
      shapes,
      limits,
      fc.boolean(),
      policies,
      async (events, spread, more, isKeyed, policy) => {
        const { sizeMs, slideMs } = spread;
        const spans = slideMs === undefined ? { gapMs: sizeMs } : { sizeMs, slideMs };
        const keys = isKeyed ? { keyBy: ({ key }: Event) => key } : {};
        const options = { ...spans, ...more, ...keys, timeMs: ({ at }: Event) => at };
        const whole = await from(events).pipeThrough(window(options)).toArray();
        const run = from(events).pipeThrough(
          window({
            ...options,
            ...policy,
            seed: (): number[] => [],
            fold: (folded, { n }) => [...folded, n],
            combine: (a, b) => [...a, ...b],
          }),
        );
        expect(await run.toArray()).toEqual(
          whole.map(({ items, ...rest }) => ({ ...rest, value: items.map(({ n }) => n) })),
        );
      },
    ),
  );
});

test('window() asks for the time of each item once, and leaves out those on which it, or fold, fails', async () => {
  const failing = fc.array(fc.constantFrom('', '', '', '', 'timeMs', 'fold'), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(failing, fc.constantFrom(4, 10), fc.constantFrom(1, 2), async (where, sizeMs, times) => {
      const asked: number[] = [];
      const failWhere = (name: string, at: number): void => {
        if (where[at] === name) throw new Error(`${at}`);
      };
      const windows = window({
        sizeMs,
        slideMs: sizeMs / times,
        timeMs: (at: number, index) => {
          asked.push(index);
          failWhere('timeMs', at);
          return at;
        },
        seed: (): number[] => [],
        fold: (folded, at: number) => {
          failWhere('fold', at);
          return [...folded, at];
        },
        onError: 'skip',
      });
      const run = from(where.keys())
        .pipeThrough(batch({ maxItems: 9 }))
        .pipeThrough(flatten())
        .pipeThrough(windows);
      const made = await run.toArray();
      expect(asked).toEqual([...where.keys()]);
      const kept = [...where.keys()].filter((at) => where[at] === '');
      expect(made.map(({ startMs, value }) => [startMs, value])).toEqual(
        [...new Set(made.map(({ startMs }) => startMs))].map((startMs) => [
          startMs,
          kept.filter((at) => at >= startMs && at < startMs + sizeMs),
        ]),
      );
      expect(made.flatMap(({ value }) => value)).toHaveLength(kept.length * times);
    }),
  );
});

test('window() of a fraction of a millisecond puts an item into one window, whatever a division rounds to', async () => {
  const tenths = Array.from({ length: 200 }, (_, n) => n / 10);
  const made = await from(tenths)
    .pipeThrough(window({ sizeMs: 0.1, timeMs: (at) => at }))
    .toArray();
  expect(made.flatMap(({ items }) => items)).toEqual(tenths);
});

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
