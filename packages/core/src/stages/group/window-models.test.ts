import {
  batch,
  type DeadLetter,
  deadLetter,
  flatten,
  from,
  type ItemsWindow,
  type RunOptions,
  window,
} from '@millrace/core';
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
