import {
  batch,
  concat,
  flatMap,
  from,
  interleave,
  map,
  mapAsync,
  merge,
  mergeSorted,
  type Pipeline,
  partitionBy,
  runAll,
  window,
  zip,
} from '@millrace/core';
import { Mark } from '@millrace/core/authoring';
import { describe, expect, test } from 'vitest';
import { type Item, marks, seen } from './mark-stages.js';

const flush = new Mark('flush');
const watermark = (value: number): Mark => new Mark('watermark', value);

/** The same items at hand, and one by one. */
const sources: Record<string, (items: readonly Item[]) => Pipeline<number>> = {
  'at hand': (items) => from(items).pipeThrough(marks),
  'one by one': (items) =>
    from(async function* () {
      yield* items;
    }).pipeThrough(marks),
};

const shown = (item: unknown): unknown =>
  item instanceof Mark ? (item.kind === 'flush' ? 'flush' : `${item.kind} ${String(item.value)}`) : item;

async function through(pipeline: Pipeline<unknown>): Promise<unknown[]> {
  const items = await pipeline.pipeThrough(seen as never).toArray();
  return items.map(shown);
}

const marksOf = (items: readonly unknown[]): unknown[] => items.filter((item) => typeof item === 'string');

describe.each(Object.keys(sources))('marks of inputs whose items come %s', (kind) => {
  const items = sources[kind] as (typeof sources)[string];

  const joins: Record<string, (a: Pipeline<number>, b: Pipeline<number>) => Pipeline<unknown>> = {
    merge: (a, b) => merge(a, b),
    zip: (a, b) => zip(a, b),
    interleave: (a, b) => interleave(a, b),
    mergeSorted: (a, b) => mergeSorted(a, b, { by: (n) => n }),
  };

  test.each(Object.keys(joins))(
    '%s() hands on the least watermark of its inputs, behind the items before it',
    async (name) => {
      const join = joins[name] as (typeof joins)[string];
      const a = items([1, watermark(5), 6, watermark(20), 21]);
      const b = items([2, watermark(3), 7, watermark(9), 22]);
      const out = await through(join(a, b));
      const told = marksOf(out);
      // A merge goes by arrival: the input that says 9 may have ended before the other comes to its 20.
      expect(name === 'merge' ? ['watermark 9', 'watermark 20'] : ['watermark 9']).toContain(told.at(-1));
      expect(told).toEqual([...told].sort((x, y) => Number(String(x).slice(10)) - Number(String(y).slice(10))));
      // Nothing that a watermark says is over comes behind it.
      const behind = (mark: string): number[] => out.slice(out.indexOf(mark)).flat().map(Number);
      for (const mark of told) {
        const [, value] = String(mark).split(' ');
        expect(behind(String(mark)).filter((n) => n < Number(value))).toEqual([]);
      }
    },
  );

  test.each(Object.keys(joins))('%s() hands a flush on as it is, behind what came before it', async (name) => {
    const join = joins[name] as (typeof joins)[string];
    const out = await through(join(items([1, 3, flush, 5]), items([2, 4, 6])));
    expect(marksOf(out)).toEqual(['flush']);
    const before = out.slice(0, out.indexOf('flush')).flat();
    expect(before).toEqual(expect.arrayContaining([1, 3]));
    expect(before).not.toContain(5);
  });

  test('concat() hands a flush on in its place, and watermarks when only the last input is left', async () => {
    const out = await through(concat(items([1, flush, watermark(9), 2]), items([3, watermark(4), 5, flush])));
    expect(out).toEqual([1, 'flush', 2, 3, 'watermark 4', 5, 'flush']);
  });

  const splits: Record<string, (p: Pipeline<number>) => readonly Pipeline<number>[]> = {
    broadcast: (p) => p.broadcast(2),
    partition: (p) => p.partition((n) => n % 2 === 0),
    route: (p) => Object.values(p.route({ even: (n) => n % 2 === 0, odd: () => true })),
    balance: (p) => p.balance(2),
  };

  test.each(Object.keys(splits))(
    '%s() hands a mark on in each branch, behind what came before it and before the rest',
    async (name) => {
      const split = splits[name] as (typeof splits)[string];
      const branches = split(items([1, 2, 3, watermark(3), 4, 5, 6, flush, 7, 8]));
      const out: unknown[][] = branches.map(() => []);
      await runAll(
        ...branches.map((branch, at) =>
          (branch.pipeThrough(seen) as Pipeline<unknown>).into((item) => void out[at]?.push(shown(item))),
        ),
      ).finished;
      for (const each of out) {
        expect(marksOf(each)).toEqual(['watermark 3', 'flush']);
        const [one, other] = [each.indexOf('watermark 3'), each.indexOf('flush')];
        expect(each.slice(0, one).every((n) => Number(n) <= 3)).toBe(true);
        expect(each.slice(one + 1, other).every((n) => Number(n) > 3 && Number(n) <= 6)).toBe(true);
        expect(each.slice(other + 1).every((n) => Number(n) > 6)).toBe(true);
      }
      const all = out.flat().filter((item) => typeof item === 'number');
      expect(new Set(all).size).toBe(8);
      expect(all.length).toBe(name === 'broadcast' ? 16 : 8);
    },
  );

  const inside: Record<string, (branch: Pipeline<number>) => Pipeline<number[]>> = {
    loops: (branch) => branch.pipeThrough(batch({ maxItems: 9 })),
    nodes: (branch) =>
      branch.pipeThrough(mapAsync(async (n) => n, { concurrency: 2 })).pipeThrough(batch({ maxItems: 9 })),
  };

  test.each(Object.keys(inside))(
    'partitionBy() of %s lets a flush through all keys, which hand on what they hold, and then on',
    async (name) => {
      const byKey = partitionBy((n: number) => n % 2, { maxKeys: 2 }, inside[name] as (typeof inside)[string]);
      const flat = items([1, 2, 3, flush, 4, 5])
        .pipeThrough(byKey)
        .pipeThrough(map((all) => all.join('+')));
      const out = await through(flat);
      expect(out.slice(0, 2).sort()).toEqual(['1+3', '2']);
      expect(out[2]).toBe('flush');
      expect(out.slice(3).sort()).toEqual(['4', '5']);
    },
  );

  test('partitionBy() hands a watermark to the windows of all keys, those that begin behind it too', async () => {
    const timeMs = (n: number): number => n;
    const byKey = partitionBy(
      (n: number) => n % 2,
      { maxKeys: 2 },
      (branch) =>
        branch
          .pipeThrough(window({ sizeMs: 10, timeMs, maxOutOfOrderMs: Number.POSITIVE_INFINITY }))
          .pipeThrough(flatMap((each) => each.items)),
    );
    const out = await through(items([1, 3, watermark(10), 4, 11, 12, watermark(20), 22]).pipeThrough(byKey));
    // The 4 is late for the key that it opens: what the watermark says holds there too.
    expect(out).toEqual([1, 3, 'watermark 10', 11, 12, 'watermark 20', 22]);
  });
});
