import { batch, filter, from, generate, map, mapAsync, merge, range, type StageError, take } from '@millrace/core';
import { type Answer, isLater, Mark, operator, source } from '@millrace/core/authoring';
import { sinkProbe, sourceProbe, virtualClock } from '@millrace/testkit';
import { describe, expect, test } from 'vitest';

async function* later<T>(...items: T[]): AsyncGenerator<T> {
  for (const item of items) yield item;
}

/** Items that are given at once, and not by a loop, which may have to give way to the thread between two of them. */
function atHand(...items: number[]) {
  return source<number>({
    name: 'atHand',
    open: () => {
      const left = [...items];
      return { read: (max) => (left.length > 0 ? left.splice(0, max) : undefined), close: () => {} };
    },
  });
}

describe('merge()', () => {
  test('merge() gives one item of each input in turn where they are at hand', async () => {
    const merged = merge(atHand(1, 2, 3), atHand(10, 20), atHand(100, 101, 102, 103));
    expect(await merged.toArray()).toEqual([1, 10, 100, 2, 20, 101, 3, 102, 103]);
  });

  test('merge() of loops gives the items of each in their order, whenever the time of the thread is up', async () => {
    const items = await merge(from([1, 2, 3]), from([10, 20]), range(100, 104)).toArray();
    const between = (low: number, high: number) => items.filter((n) => n >= low && n < high);
    expect([between(0, 10), between(10, 100), between(100, 200)]).toEqual([
      [1, 2, 3],
      [10, 20],
      [100, 101, 102, 103],
    ]);
    expect(items).toHaveLength(9);
  });

  test('merge() leaves the arrays that its inputs give as they are', async () => {
    const twice = (array: readonly number[]) => {
      let reads = 0;
      const read = async () => (reads++ < 2 ? array : undefined);
      return source<number>({ name: 'twice', open: () => ({ read, close: () => {} }) });
    };
    const arrays = [[1], [20, 21], [300]].map((array) => Object.freeze(array));
    const [first, ...others] = arrays.map(twice) as [ReturnType<typeof twice>, ...ReturnType<typeof twice>[]];
    expect((await merge(first, ...others).toArray()).sort((a, b) => a - b)).toEqual([1, 1, 20, 20, 21, 21, 300, 300]);
  });

  test('merge() of one pipeline gives its items', async () => {
    expect(await merge(from([1, 2, 3])).toArray()).toEqual([1, 2, 3]);
  });

  test('merge() gives items as they arrive', async () => {
    const clock = virtualClock();
    const [a, b] = [sourceProbe<string>(), sourceProbe<string>()];
    const seen: string[] = [];
    const run = merge(a.pipeline, b.pipeline).run((item) => void seen.push(item), { clock });
    await clock.settle();
    b.release('b1');
    await clock.settle();
    b.release('b2');
    await clock.settle();
    a.release('a1');
    await clock.settle();
    expect(seen).toEqual(['b1', 'b2', 'a1']);
    a.end();
    b.release('b3');
    await clock.settle();
    b.end();
    expect(await run.finished).toMatchObject({ read: 4, emitted: 4, balanced: true });
    expect(seen.at(-1)).toBe('b3');
  });

  test('merge() lets as many items of each input wait as its highWaterMark says, and counts them in the bound', async () => {
    const clock = virtualClock();
    const [a, b] = [sourceProbe<number>(), sourceProbe<number>()];
    a.release(...Array.from({ length: 50 }, (_, n) => n));
    b.release(...Array.from({ length: 50 }, (_, n) => -n));
    const probe = sinkProbe<number>({ highWaterMark: 0 });
    const run = merge(a.pipeline, b.pipeline, { highWaterMark: 3 }).run(probe.sink, { clock });
    run.finished.catch(() => {});
    await clock.settle();
    expect(run.explain().bound).toBe(7);
    expect(run.inFlight).toBe(7);
    expect([a.read, b.read].sort()).toEqual([3, 4]);
    run.abort('enough');
    await run.finished.catch(() => {});
    expect(run.inFlight).toBe(0);
    expect([a.closes, b.closes]).toEqual([['enough'], ['enough']]);
  });

  test('merge() reads nothing of a loop beyond what is asked for', async () => {
    let made = 0;
    const endless = generate(() => made++);
    expect(await merge(endless, from([-1])).first()).toBe(0);
    expect(made).toBe(1);
  });

  test('merge() lets a slow loop not hold up others', async () => {
    const nothing = generate((n) => n).pipeThrough(filter((n) => n < 0));
    expect(
      await merge(nothing, from(later(1, 2, 3)), range(4, 6))
        .pipeThrough(take(5))
        .toArray(),
    ).toEqual(expect.arrayContaining([1, 2, 3, 4, 5]));
  });

  test('merge() lets no more of a loop wait than of others, however much it was asked for when it had nothing', async () => {
    const clock = virtualClock();
    let isOpen = false;
    let passed = 0;
    const late = generate((n) => n).pipeThrough(filter(() => isOpen && ++passed > 0));
    const probe = sourceProbe<number>();
    const run = merge(late, probe.pipeline).run(() => new Promise(() => {}), { clock });
    run.finished.catch(() => {});
    await clock.settle();
    probe.release(...Array.from({ length: 100 }, (_, n) => n));
    await clock.settle();
    isOpen = true;
    await clock.settle();
    expect(run.explain().bound).toBe(67);
    expect(run.inFlight).toBeLessThanOrEqual(67);
    expect(passed).toBeLessThanOrEqual(1);
    run.abort('enough');
    await expect(run.finished).rejects.toBe('enough');
  });

  test('merge() fails with the error of one input, where it was, and closes the others', async () => {
    const cause = new Error('broken');
    const probe = sourceProbe<number>();
    const failing = from([1, 2, 3]).pipeThrough(
      map(
        (n) => {
          if (n === 3) throw cause;
          return n;
        },
        { name: 'check' },
      ),
    );
    const seen: number[] = [];
    const run = merge(failing, probe.pipeline).run((n) => void seen.push(n));
    const error: StageError = await run.finished.then(
      () => undefined,
      (reason) => reason,
    );
    expect([error.stage, error.index, error.cause]).toEqual(['check', 2, cause]);
    expect(seen).toEqual([1, 2]);
    expect(probe.closes).toHaveLength(1);
    expect(run.inFlight).toBe(0);
  });

  test('merge() hands on what had arrived before a failure', async () => {
    const clock = virtualClock();
    const [a, b] = [sourceProbe<string>(), sourceProbe<string>()];
    const probe = sinkProbe<string>({ highWaterMark: 0 });
    const run = merge(a.pipeline, b.pipeline).run(probe.sink, { clock });
    const failed = expect(run.finished).rejects.toMatchObject({ stage: 'probe 2' });
    a.release('a1', 'a2');
    await clock.settle();
    b.fail(new Error('broken'));
    await clock.settle();
    await probe.take(2);
    void probe.take(1);
    await clock.settle();
    await failed;
    expect(probe.items).toEqual(['a1', 'a2']);
  });

  test('merge() names both of two failures', async () => {
    const failing = (name: string) =>
      from(later(1)).pipeThrough(
        mapAsync(() => Promise.reject(new Error(name)), {
          name,
        }),
      );
    const error: StageError = await merge(failing('one'), failing('two'))
      .toArray()
      .then(undefined, (reason) => reason);
    expect(error.stage).toBe('one');
  });

  test('merge() ends when the last input has', async () => {
    const clock = virtualClock();
    const [a, b] = [sourceProbe<number>(), sourceProbe<number>()];
    const items = merge(a.pipeline, b.pipeline).toArray({ clock });
    a.release(1);
    a.end();
    await clock.settle();
    b.release(2, 3);
    b.end();
    expect(await items).toEqual([1, 2, 3]);
  });

  test('merge() of merges, with stages of every kind, is in balance and within its bound', async () => {
    const inner = merge(
      range(0, 100).pipeThrough(batch({ maxItems: 7 })),
      from(later(1, 2, 3)).pipeThrough(map((n) => [n])),
    );
    const outer = merge(
      inner.pipeThrough(mapAsync(async (items) => items.length, { concurrency: 3 })),
      from([-1, -2, -3]),
    );
    const run = outer.run(() => {});
    const summary = await run.finished;
    expect(summary).toMatchObject({ read: 106, emitted: 21, balanced: true });
    expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
    expect(run.inFlight).toBe(0);
    expect(summary.stages.map(({ name }) => name)).toEqual([
      'range',
      'batch',
      'async iterable',
      'map',
      'merge',
      'mapAsync',
      'array',
      'merge 2',
      'forEach',
    ]);
  });

  test('merge() drains all of its sources', async () => {
    const clock = virtualClock();
    const probe = sourceProbe<number>();
    const run = merge(
      probe.pipeline,
      generate((n) => n),
    ).run(() => {}, { clock, closeGraceMs: 10 });
    probe.release(1);
    await new Promise((resolve) => setTimeout(resolve, 1));
    const drained = run.drain({ deadlineMs: 20 });
    await clock.advance(20);
    expect(await drained).toMatchObject({ balanced: true, abandoned: 0 });
  });

  test('merge() can be run again', async () => {
    const merged = merge(from([1, 3]), from([2]));
    expect(await merged.toArray()).toEqual([1, 2, 3]);
    expect(await merged.toArray()).toEqual([1, 2, 3]);
  });

  test('merge() refuses what is not a pipeline, and wrong options', () => {
    expect(() => merge()).toThrow('Cannot build merge(): the first pipeline is undefined (must be a pipeline)');
    expect(() => merge(from([1]), [2] as never)).toThrow(TypeError);
    expect(() => merge(from([1]), { highWaterMark: 0 })).toThrow('highWaterMark is 0');
    expect(() => merge(from([1]), { ordered: true } as never)).toThrow('option "ordered" is unknown');
  });

  test('merge() gives weights to items of unequal weight, so that nothing is left inside', async () => {
    const clock = virtualClock();
    const probe = sinkProbe<number | number[]>({ highWaterMark: 0 });
    const singles = sourceProbe<number>();
    singles.release(1, 2, 3, 4);
    const run = merge(range(0, 12).pipeThrough(batch({ maxItems: 4 })), singles.pipeline).run(probe.sink, { clock });
    await clock.settle();
    expect(run.explain().rooms.map(({ items }) => items)).toEqual([5, 4]);
    expect(run.inFlight).toBeLessThanOrEqual(9);
    singles.end();
    await probe.take(7);
    expect(await run.finished).toMatchObject({ balanced: true, emitted: 7 });
    expect(run.inFlight).toBe(0);
  });
});

/** Hands on numbers, and marks where an item is one. */
const marks = () =>
  operator<number | Mark, number>({
    name: 'marks',
    open(upstream, { counts }) {
      const one = (answer: Answer<number | Mark>): Answer<number> => {
        if (!Array.isArray(answer)) return answer;
        counts.in++;
        const [item] = answer;
        if (item instanceof Mark) {
          counts.dropped++;
          return item;
        }
        counts.out++;
        return [item as number];
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

/** Writes down what passes, marks included. */
const noting = (seen: unknown[]) =>
  operator<number, number>({
    name: 'noting',
    open(upstream, { counts }) {
      const note = (answer: Answer<number>): Answer<number> => {
        if (Array.isArray(answer)) {
          counts.out = counts.in += answer.length;
          seen.push(...answer);
        } else if (answer instanceof Mark) seen.push(`${answer.kind} ${answer.value}`);
        return answer;
      };
      return {
        pull(max) {
          const pulled = upstream.pull(max);
          return isLater(pulled) ? pulled.then(note) : note(pulled);
        },
        close: (reason) => upstream.close(reason),
      };
    },
  });

describe('merge() of marks', () => {
  const barrier = new Mark('barrier', 1);
  const watermark = (value: number): Mark => new Mark('watermark', value);

  test('merge() lets a barrier pass once, when all open inputs have come to it', async () => {
    const seen: unknown[] = [];
    const a = from([1, barrier, 2]).pipeThrough(marks());
    const b = from(later<number | Mark>(10, 20, 30, barrier, 40)).pipeThrough(marks());
    const ended = from<number | Mark>([]).pipeThrough(marks());
    await merge(a, b, ended).pipeThrough(noting(seen)).toArray();
    const at = seen.indexOf('barrier 1');
    expect(new Set(seen.slice(0, at))).toEqual(new Set([1, 10, 20, 30]));
    expect(new Set(seen.slice(at + 1))).toEqual(new Set([2, 40]));
  });

  test('merge() hands on the least watermark of all inputs', async () => {
    const seen: unknown[] = [];
    const a = from<number | Mark>([watermark(5), 1, watermark(9)]).pipeThrough(marks());
    const b = from(later<number | Mark>(watermark(3), 2, watermark(7))).pipeThrough(marks());
    await merge(a, b).pipeThrough(noting(seen)).toArray();
    expect(seen.filter((each) => typeof each === 'string')).toEqual(['watermark 3', 'watermark 7']);
  });
});
