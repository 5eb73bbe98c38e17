import {
  type Checkpoint,
  type DeadLetter,
  deadLetter,
  type ItemsWindow,
  mapAsync,
  merge,
  range,
  type Sink,
  type WindowOptions,
  window,
} from '@millrace/core';
import { type Answer, isLater, Mark, operator } from '@millrace/core/authoring';
import { sinkProbe, sourceProbe, virtualClock } from '@millrace/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const itself = (at: number): number => at;

/** Makes watermarks of the items that are some. */
const marks = operator<number | Mark, number>({
  name: 'marks',
  open(upstream, { counts, inside }) {
    const one = (answer: Answer<number | Mark>): Answer<number> => {
      if (!Array.isArray(answer)) return answer;
      const item = answer[0] as number | Mark;
      counts.in++;
      if (!(item instanceof Mark)) {
        counts.out++;
        return [item];
      }
      counts.dropped++;
      inside(-1);
      return item;
    };
    return {
      pull() {
        const pulled = upstream.pull(1);
        return isLater(pulled) ? pulled.then(one) : one(pulled);
      },
      close: (reason) => upstream.close(reason),
    };
  },
});

/** A run over windows of what the probes release: what goes out, and when. */
function watched(options: WindowOptions<number>, sources: number = 1, inputs = 'items') {
  const clock = virtualClock();
  const seen: string[] = [];
  const probes = Array.from({ length: sources }, (_, at) => sourceProbe<number | Mark>({ name: `probe ${at}` }));
  const pipelines = probes.map(({ pipeline }) => pipeline.pipeThrough(marks));
  const joined = inputs === 'merged' ? merge(...pipelines) : (pipelines[0] as (typeof pipelines)[number]);
  const run = joined
    .pipeThrough(window(options))
    .run(({ startMs, endMs, items }) => void seen.push(`${startMs}-${endMs}: ${items} at ${clock.now()}`), { clock });
  return { clock, seen, run, probes, probe: probes[0] as (typeof probes)[number] };
}

const watermark = (ms: number): Mark => new Mark('watermark', ms);

test('window() by arrival closes by the clock, with no timer and no window while nothing comes', async () => {
  const { clock, seen, run, probe } = watched({ sizeMs: 100 });
  await clock.advance(520);
  expect(clock.pendingTimers).toBe(0);
  probe.release(1);
  await clock.advance(60);
  probe.release(2);
  await clock.advance(20);
  expect(seen).toEqual(['500-600: 1,2 at 600']);
  await clock.advance(1000);
  expect(clock.pendingTimers).toBe(0);
  probe.release(3);
  probe.end();
  expect(await run.finished).toMatchObject({ balanced: true, absorbed: 3, made: 2 });
  expect(seen).toEqual(['500-600: 1,2 at 600', '1600-1700: 3 at 1600']);
  expect(clock.pendingTimers).toBe(0);
});

test('window() by arrival has sessions that end when nothing came for gapMs', async () => {
  const { clock, seen, run, probe } = watched({ gapMs: 100 });
  for (const item of [1, 2, 3]) {
    probe.release(item);
    await clock.advance(90);
  }
  expect(seen).toEqual([]);
  await clock.advance(10);
  expect(seen).toEqual(['0-280: 1,2,3 at 280']);
  await run.drain();
});

test('window() by arrival reads no more than maxItems until a window closes', async () => {
  const { clock, seen, run, probe } = watched({ sizeMs: 100, maxItems: 3 });
  probe.release(1, 2, 3, 4, 5);
  await clock.advance(99);
  expect([probe.read, seen]).toEqual([3, []]);
  await clock.advance(1);
  expect([probe.read, seen]).toEqual([5, ['0-100: 1,2,3 at 100']]);
  await clock.advance(100);
  probe.end();
  expect(await run.finished).toMatchObject({ balanced: true });
  expect(seen.at(-1)).toBe('100-200: 4,5 at 200');
  expect(run.explain().rooms).toContainEqual({ stage: 'window', where: 'open windows', items: 3 });
});

test('window() closes the last windows when nothing came for idleMs, and not before', async () => {
  const { clock, seen, run, probe } = watched({ sizeMs: 10, timeMs: itself, idleMs: 500 });
  probe.release(1, 2);
  await clock.advance(400);
  probe.release(15, 16);
  await clock.advance(499);
  expect(seen).toEqual(['0-10: 1,2 at 400']);
  await clock.advance(1);
  expect(seen).toEqual(['0-10: 1,2 at 400', '10-20: 15,16 at 900']);
  expect(clock.pendingTimers).toBe(0);
  probe.release(17, 21);
  probe.end();
  expect(await run.finished).toMatchObject({ dropped: 1, balanced: true });
  expect(seen.at(-1)).toBe('20-30: 21 at 900');
});

test('window() closes although an input of a merge is idle', async () => {
  const options = { sizeMs: 10, timeMs: itself };
  const { clock, seen, run, probes } = watched(options, 2, 'merged');
  const [busy] = probes;
  busy?.release(1, 2, 12);
  await clock.settle();
  expect(seen).toEqual(['0-10: 1,2 at 0']);
  run.abort('enough');
  await run.finished.catch(() => {});
});

test('window() that only watermarks close goes on after idleMs where an idle input holds them back', async () => {
  const options = { sizeMs: 10, timeMs: itself, maxOutOfOrderMs: Number.POSITIVE_INFINITY, idleMs: 300 };
  const { clock, seen, run, probes } = watched(options, 2, 'merged');
  const [busy, idle] = probes;
  busy?.release(1, watermark(1), 12, watermark(12), 13);
  idle?.release(2, watermark(2));
  await clock.advance(200);
  busy?.release(24, watermark(24), 25);
  await clock.advance(100);
  expect(seen).toEqual(['0-10: 1,2 at 300', '10-20: 12,13 at 300']);
  await clock.advance(300);
  expect(seen.at(-1)).toBe('20-30: 24,25 at 600');
  run.abort('enough');
  await run.finished.catch(() => {});
  expect(clock.pendingTimers).toBe(0);
});

test('window() does not count time as idle in which the consumer is busy', async () => {
  const clock = virtualClock();
  const probe = sourceProbe<number>();
  const seen: string[] = [];
  const slow = mapAsync(async ({ startMs, items }: ItemsWindow<number>) => {
    seen.push(`${startMs}: ${items} at ${clock.now()}`);
    await clock.sleep(1000);
  });
  const run = probe.pipeline
    .pipeThrough(window({ sizeMs: 10, timeMs: itself, idleMs: 300 }))
    .pipeThrough(slow)
    .run(() => {}, { clock });
  // The first two windows close at once; the second waits, so that nothing is read.
  probe.release(1, 12, 23);
  await clock.advance(10);
  probe.release(24);
  await clock.advance(1200);
  expect(seen).toEqual(['0: 1 at 0', '10: 12 at 1000']);
  await clock.advance(3000);
  expect(seen.at(-1)).toBe('20: 23,24 at 2000');
  probe.end();
  expect(await clock.until(run.finished)).toMatchObject({ dropped: 0, balanced: true });
});

test('window() closes by watermarks of upstream, behind the items before them, and lets them pass', async () => {
  const { clock, seen, run, probe } = watched({
    sizeMs: 10,
    timeMs: itself,
    maxOutOfOrderMs: Number.POSITIVE_INFINITY,
  });
  probe.release(1, 25, 3, watermark(10), 4, watermark(30), 33);
  await clock.settle();
  expect(seen).toEqual(['0-10: 1,3 at 0', '20-30: 25 at 0']);
  probe.end();
  expect(await run.finished).toMatchObject({ balanced: true });
  expect(run.counts()[2]).toMatchObject({ in: 5, dropped: 1 });
  expect(seen.at(-1)).toBe('30-40: 33 at 0');
});

test('window() hands on at a flush mark what is open, and begins anew', async () => {
  const { clock, seen, run, probe } = watched({ sizeMs: 10, timeMs: itself });
  probe.release(1, 2, new Mark('flush'), 3);
  await clock.settle();
  expect(seen).toEqual(['0-10: 1,2 at 0']);
  probe.end();
  await run.finished;
  expect(seen).toEqual(['0-10: 1,2 at 0', '0-10: 3 at 0']);
});

/** Keeps all checkpoints. */
const memory = (last?: Checkpoint, everyItems = 3) => {
  const all: Checkpoint[] = [];
  return { all, everyItems, load: () => last, save: (each: Checkpoint) => void all.push(structuredClone(each)) };
};

test('window() goes on from any checkpoint with what was open', async () => {
  const spans = fc.constantFrom<object>({ sizeMs: 10 }, { sizeMs: 12, slideMs: 4 }, { gapMs: 5 });
  const events = fc.array(fc.tuple(fc.nat(30), fc.nat(1)), { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(events, spans, fc.constantFrom(0, 15), fc.nat(), async (drawn, span, allowedLatenessMs, pick) => {
      const run = async (last?: Checkpoint) => {
        const seen: unknown[] = [];
        const at: number[] = [];
        const sink: Sink<unknown> = {
          open: () => ({ write: (items) => void seen.push(...items), flush: () => void at.push(seen.length) }),
        };
        const checkpoint = memory(last);
        const numbers = range(0, drawn.length).pipeThrough(
          window({
            ...span,
            allowedLatenessMs,
            timeMs: (n) => (drawn[n]?.[0] ?? 0) + n * 2,
            keyBy: (n) => drawn[n]?.[1],
          } as WindowOptions<number>),
        );
        expect(await numbers.run(sink, { checkpoint }).finished).toMatchObject({ balanced: true });
        return { seen, at, all: checkpoint.all };
      };
      const first = await run();
      const which = pick % first.all.length;
      const rest = await run(first.all[which]);
      const before = first.seen.slice(0, which === first.all.length - 1 ? undefined : first.at[which]);
      expect([...before, ...rest.seen]).toEqual(first.seen);
    }),
    { seed: 20261122, examples: [[JOINING, { gapMs: 5 }, 15, 0]] },
  );
});

/** The last joins a session that has closed, and is kept for late items, with one that is open. */
const JOINING: [number, number][] = [
  [7, 0],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 1],
  [3, 0],
];

test('window() closes a session that a late item has joined with an open one when that ends', async () => {
  const { clock, seen, run, probe } = watched({ gapMs: 5, timeMs: itself, allowedLatenessMs: 15 });
  probe.release(7, 1, 4, 12);
  await clock.settle();
  expect(seen).toEqual(['1-6: 1 at 0', '1-12: 1,7,4 at 0']);
  probe.end();
  expect(await run.finished).toMatchObject({ balanced: true });
});

test('window() by arrival goes on from a checkpoint with what was left of its time', async () => {
  const run = (startMs: number, last?: Checkpoint) => {
    const clock = virtualClock(startMs);
    const seen: string[] = [];
    const checkpoint = memory(last, 2);
    const probe = sourceProbe<void>();
    const items = range(0, 5).pipeThrough(mapAsync((n) => (n < 3 ? n : probe.pipeline.first().then(() => n))));
    const handle = items
      .pipeThrough(window({ sizeMs: 100 }))
      .run(({ items: numbers }) => void seen.push(`${numbers} at ${clock.now()}`), { clock, checkpoint });
    return { clock, seen, checkpoint, handle };
  };
  const first = run(30);
  await first.clock.settle();
  first.handle.abort('killed');
  await first.handle.finished.catch(() => {});
  const last = first.checkpoint.all.at(-1);
  expect(last?.positions).toEqual({ range: 2 });
  const second = run(7_000, last);
  await second.clock.advance(69);
  expect(second.seen).toEqual([]);
  await second.clock.advance(1);
  expect(second.seen).toEqual(['0,1,2 at 7070']);
  expect(second.clock.pendingTimers).toBe(0);
  second.handle.abort('enough');
  await second.handle.finished.catch(() => {});
});

test('window() that is aborted while a late item is being written counts it once', async () => {
  const letters: DeadLetter<number>[] = [];
  const side = new WritableStream<DeadLetter<number>>({
    write: (letter) => {
      letters.push(letter);
      return new Promise(() => {});
    },
  });
  const clock = virtualClock();
  const probe = sourceProbe<number>();
  const run = probe.pipeline
    .pipeThrough(window({ sizeMs: 10, timeMs: itself, onLate: deadLetter(side) }))
    .run(sinkProbe<ItemsWindow<number>>().sink, { clock, closeGraceMs: 0 });
  const aborted = expect(run.finished).rejects.toBe('enough');
  probe.release(1, 12, 3, 13, 14);
  await clock.settle();
  expect(letters).toMatchObject([{ item: 3, index: 2, stage: 'window', error: { code: 'ERR_CORE_LATE' } }]);
  run.abort('enough');
  await clock.advance(10);
  await aborted;
  expect(run.counts()[1]).toMatchObject({
    in: 5,
    absorbed: 1,
    made: 1,
    out: 1,
    abandoned: 4,
    deadLettered: 0,
    held: 0,
  });
  expect(run.inFlight).toBe(0);
});
