import {
  batch,
  type DeadLetter,
  deadLetter,
  filter,
  flatMap,
  from,
  generate,
  map,
  mapAsync,
  merge,
  type Pipeline,
  partitionBy,
  type RunOptions,
  range,
  scan,
  take,
} from '@millrace/core';
import { sinkProbe, sourceProbe, virtualClock } from '@millrace/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

interface Item {
  readonly key: number;
  readonly n: number;
}

const keyOf = ({ key }: Item): number => key;

/** Items of keys in turn. */
const items = (count: number, keys: number): Item[] => Array.from({ length: count }, (_, n) => ({ key: n % keys, n }));

async function* later<T>(given: readonly T[]): AsyncGenerator<T> {
  for (const each of given) yield each;
}

const nested = (branch: Pipeline<Item>): Pipeline<Item> =>
  branch.pipeThrough(partitionBy(({ n }: Item) => n % 4, { maxKeys: 4 }, inTurn));

const inTurn = (pipeline: Pipeline<Item>): Pipeline<Item> =>
  pipeline.pipeThrough(mapAsync(async (item) => item, { concurrency: 2 }));

describe('partitionBy()', () => {
  test('partitionBy() gives each key a sub-pipeline with a state of its own', async () => {
    const sums = partitionBy(keyOf, { maxKeys: 10 }, (branch) =>
      branch.pipeThrough(scan((sum: readonly number[], { key, n }: Item) => [key, (sum[1] ?? 0) + n], [] as number[])),
    );
    expect(await from(items(6, 2)).pipeThrough(sums).toArray()).toEqual([
      [0, 0],
      [1, 1],
      [0, 2],
      [1, 4],
      [0, 6],
      [1, 9],
    ]);
  });

  test('partitionBy() completes every sub-pipeline at the end, which hands on what it holds', async () => {
    const batches = partitionBy(keyOf, { maxKeys: 3 }, (branch) => branch.pipeThrough(batch({ maxItems: 4 })));
    const run = from(items(10, 3))
      .pipeThrough(batches)
      .run(() => {});
    const summary = await run.finished;
    expect(summary).toMatchObject({ read: 10, absorbed: 10, made: 3, emitted: 3, balanced: true });
    expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
    expect(run.inFlight).toBe(0);
  });

  test('partitionBy() does what its model does, whatever is inside, in balance and within its bound', async () => {
    const branches = fc.constantFrom<readonly [(branch: Pipeline<Item>) => Pipeline<Item>, (of: Item[]) => Item[]]>(
      [(branch) => branch, (of) => of],
      [(branch) => branch.pipeThrough(map((item) => item)), (of) => of],
      [inTurn, (of) => of],
      [(branch) => branch.pipeThrough(filter(({ n }) => n % 3 > 0)), (of) => of.filter(({ n }) => n % 3 > 0)],
      [(branch) => inTurn(branch.pipeThrough(take(2))), (of) => of.slice(0, 2)],
      [
        (branch) =>
          branch.pipeThrough(batch({ maxItems: 3 })).pipeThrough(flatMap((batched) => [...batched, ...batched])),
        (of) =>
          Array.from({ length: Math.ceil(of.length / 3) }, (_, at) => of.slice(at * 3, at * 3 + 3)).flatMap(
            (batched) => [...batched, ...batched],
          ),
      ],
      [
        (branch) => {
          const [even, odd] = branch.partition(({ n }) => n % 2 === 0);
          return merge(even, inTurn(odd)).pipeThrough(filter(({ n }) => n % 2 === 0));
        },
        (of) => of.filter(({ n }) => n % 2 === 0),
      ],
      [nested, (of) => [...of].sort((a, b) => (a.n % 4) - (b.n % 4) || a.n - b.n)],
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(4), { maxLength: 40 }),
        branches,
        fc.integer({ min: 1, max: 3 }),
        fc.boolean(),
        fc.constantFrom<RunOptions>({}, { fuse: false }, { generate: false }),
        fc.boolean(),
        fc.constantFrom('none', 'skip', 'letters'),
        fc.boolean(),
        async (keys, [build, model], mark, isLater, way, isSlow, policy, isWeighed) => {
          const all = keys.map((key, n) => ({ key, n }));
          const source = isLater ? from(later(all)) : from(all);
          const isOut = ({ n }: Item): boolean => policy !== 'none' && n % 5 === 3;
          const given = all.filter((item) => !isOut(item));
          const letters: Item[] = [];
          const writable = new WritableStream<DeadLetter<Item>>({ write: async ({ item }) => void letters.push(item) });
          const options = {
            maxKeys: 5,
            highWaterMark: mark,
            onError: policy === 'letters' ? deadLetter(writable) : ('skip' as const),
            ...(isWeighed ? { size: ({ n }: Item) => n % 3 } : {}),
          };
          const picky = (item: Item): number => {
            if (isOut(item)) throw new Error('no');
            return item.key;
          };
          const seen: Item[] = [];
          const run = source.pipeThrough(partitionBy(picky, options, build)).run((item) => {
            seen.push(item);
            return isSlow ? Promise.resolve() : undefined;
          }, way);
          const summary = await run.finished;
          expect(summary.balanced).toBe(true);
          expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
          expect(run.inFlight).toBe(0);
          expect(letters).toEqual(policy === 'letters' ? all.filter(isOut) : []);
          for (let key = 0; key < 5; key++) {
            const expected = model(given.filter((item) => item.key === key));
            const actual = seen.filter((item) => item.key === key);
            // A sub-pipeline that has keys of its own keeps the order of each of these only.
            if (build === nested) actual.sort((a, b) => (a.n % 4) - (b.n % 4) || a.n - b.n);
            expect(actual).toEqual(expected);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test('partitionBy() goes on with other keys while that of one is slow', async () => {
    const clock = virtualClock();
    const probe = sourceProbe<Item>();
    const finish: Array<() => void> = [];
    const slow = partitionBy(keyOf, { maxKeys: 3, highWaterMark: 2 }, (branch) =>
      branch.pipeThrough(
        mapAsync(({ key, n }) => (key > 0 ? n : new Promise<number>((resolve) => finish.push(() => resolve(n))))),
      ),
    );
    const seen: number[] = [];
    const run = probe.pipeline.pipeThrough(slow).run((n) => void seen.push(n), { clock });
    probe.release(...items(9, 3));
    await clock.settle();
    // Of key 0 one is in service and two wait; the items of the others are through.
    expect(seen.sort()).toEqual([1, 2, 4, 5, 7, 8]);
    probe.release({ key: 0, n: 9 }, { key: 1, n: 10 });
    await clock.settle();
    // Behind one more of key 0, which has no room, others must wait: that ends when key 0 goes on.
    expect(seen).not.toContain(10);
    finish.shift()?.();
    await clock.settle();
    expect(seen).toContain(10);
    probe.end();
    while (finish.length > 0) {
      finish.shift()?.();
      await clock.settle();
    }
    expect(await run.finished).toMatchObject({ read: 11, emitted: 11, balanced: true });
  });

  test('partitionBy() lets so much weight of each key wait', async () => {
    const clock = virtualClock();
    const probe = sourceProbe<string>();
    const seen: string[] = [];
    const stuck = new Promise<string>(() => {});
    const byLetter = partitionBy(
      (text: string) => text.slice(0, 1),
      { maxKeys: 2, highWaterMark: 6, size: (text) => text.length },
      (branch) => branch.pipeThrough(mapAsync((text) => (text.startsWith('a') ? stuck : text))),
    );
    const run = probe.pipeline.pipeThrough(byLetter).run((text) => void seen.push(text), { clock });
    run.finished.catch(() => {});
    expect(String(run.explain())).toContain('partitionBy in hand: 64');
    expect(String(run.explain())).toContain('partitionBy edge: 12 by size');
    // One in service, and three that wait; another finds no room, and holds up what is behind it.
    probe.release('aa', 'aa', 'aa', 'aa', 'b1', 'aa', 'b2');
    await clock.settle();
    expect(seen).toEqual(['b1']);
    run.abort('enough');
    await run.finished.catch(() => {});
    expect(run.inFlight).toBe(0);
    const heavy = partitionBy(
      (n: number) => n % 2,
      { maxKeys: 2, highWaterMark: 2, size: (n) => (n === 4 ? -1 : 1) },
      (branch) => branch.pipeThrough(mapAsync(() => new Promise<number>(() => {}))),
    );
    const failing = from([0, 2, 4])
      .pipeThrough(heavy)
      .run(() => {});
    await expect(failing.finished).rejects.toMatchObject({ index: 2, cause: { code: 'ERR_CORE_SIZE' } });
    expect(failing.inFlight).toBe(0);
  });

  test('partitionBy() does not deadlock when each sub-pipeline gathers more than may wait', async () => {
    const gathered = partitionBy(keyOf, { maxKeys: 50 }, (branch) => branch.pipeThrough(batch({ maxItems: 100 })));
    const sizes = await from(later(items(10_000, 50)))
      .pipeThrough(gathered)
      .pipeThrough(map(({ length }) => length))
      .toArray();
    expect(sizes).toEqual(Array.from({ length: 100 }, () => 100));
  });

  test('partitionBy() drops the items of a key whose sub-pipeline has ended', async () => {
    const firsts = partitionBy(keyOf, { maxKeys: 5 }, (branch) => branch.pipeThrough(take(1)));
    const run = from(items(20, 5))
      .pipeThrough(firsts)
      .run(() => {});
    expect(await run.finished).toMatchObject({ read: 20, emitted: 5, balanced: true });
  });

  test('partitionBy() fails with what key or a stage throws, and says where', async () => {
    const cause = new Error('no');
    const throwing = (n: number): number => {
      if (n === 3) throw cause;
      return n % 2;
    };
    const byKey = range(0, 9).pipeThrough(partitionBy(throwing, { maxKeys: 2 }, (branch) => branch));
    await expect(byKey.toArray()).rejects.toMatchObject({ stage: 'partitionBy', index: 3, cause });
    const inside = partitionBy(
      (n: number) => n % 2,
      { maxKeys: 2 },
      (branch) => branch.pipeThrough(map(throwing, { name: 'fragile' })),
    );
    const run = range(0, 9)
      .pipeThrough(inside)
      .run(() => {});
    await expect(run.finished).rejects.toMatchObject({ stage: 'fragile', index: 1, cause });
    expect(run.inFlight).toBe(0);
  });

  test('partitionBy() closes everything when a consumer has enough, and when it is aborted', async () => {
    const endless = generate((n) => n);
    const all = partitionBy(
      (n: number) => n % 7,
      { maxKeys: 7 },
      (branch) => branch.pipeThrough(batch({ maxItems: 3 })),
    );
    expect(await endless.pipeThrough(all).pipeThrough(take(5)).count()).toBe(5);
    const clock = virtualClock();
    const probe = sourceProbe<number>();
    const sink = sinkProbe<readonly number[]>({ highWaterMark: 0 });
    const run = probe.pipeline.pipeThrough(all).run(sink.sink, { clock });
    probe.release(...Array.from({ length: 200 }, (_, n) => n));
    await clock.settle();
    expect(run.inFlight).toBeGreaterThan(7);
    expect(run.inFlight).toBeLessThanOrEqual(run.explain().bound);
    run.abort('enough');
    await expect(run.finished).rejects.toBe('enough');
    expect([run.inFlight, probe.closes]).toEqual([0, ['enough']]);
  });

  test('partitionBy() may be aborted from inside its functions', async () => {
    const controller = new AbortController();
    const leaving = partitionBy(
      (n: number) => {
        if (n === 5) controller.abort('inside');
        return n % 3;
      },
      { maxKeys: 3 },
      (branch) => branch.pipeThrough(batch({ maxItems: 3 })),
    );
    const run = range(0, 20)
      .pipeThrough(leaving)
      .run(() => {}, { signal: controller.signal });
    await expect(run.finished).rejects.toBe('inside');
    expect(run.inFlight).toBe(0);
  });

  test('partitionBy() shows its stages once, with the rooms of all keys, and counts them together', async () => {
    const each = partitionBy(
      (n: number) => n % 10,
      { maxKeys: 100 },
      (branch) => branch.pipeThrough(mapAsync(async (n) => n, { concurrency: 2, name: 'look up' })),
    );
    const pipeline = range(0, 50).pipeThrough(each);
    expect(pipeline.explain().rooms).toEqual([
      { stage: 'partitionBy', where: 'edge', items: 164 },
      { stage: 'look up', where: 'concurrency', items: 200 },
      { stage: 'partitionBy merge', where: 'edge', items: 100 },
    ]);
    expect(pipeline.topology().nodes.map(({ name, kind }) => `${kind} ${name}`)).toEqual([
      'source range',
      'split partitionBy',
      'operator look up',
      'merge partitionBy merge',
    ]);
    const run = pipeline.run(() => {});
    await run.finished;
    expect(run.counts().find(({ name }) => name === 'look up')).toMatchObject({ in: 50, out: 50 });
  });

  test('partitionBy() is refused under a checkpoint', () => {
    const each = partitionBy(
      (n: number) => n,
      { maxKeys: 5 },
      (branch) => branch,
    );
    const checkpoint = { load: () => undefined, save: () => {} };
    expect(() =>
      range(0, 3)
        .pipeThrough(each)
        .run(() => {}, { checkpoint }),
    ).toThrow('stage "partitionBy" keeps a sub-pipeline for each key, whose state is not saved');
  });

  test('partitionBy() serves as a native pair, and any number of pipelines', async () => {
    const pairs = () =>
      partitionBy(
        (n: number) => n % 2,
        { maxKeys: 2 },
        (branch) => branch.pipeThrough(batch({ maxItems: 2 })),
      );
    const native = from([1, 2, 3, 4]).toReadableStream().pipeThrough(pairs());
    expect(await from(native).toArray()).toEqual([
      [1, 3],
      [2, 4],
    ]);
    const stage = pairs();
    const twice = range(0, 4)
      .pipeThrough(stage)
      .pipeThrough(flatMap((pair) => pair))
      .pipeThrough(stage);
    expect(await twice.toArray()).toEqual(await twice.toArray());
  });

  test('partitionBy() refuses wrong arguments', () => {
    const same = (branch: Pipeline<number>) => branch;
    const key = (n: number) => n;
    expect(() => partitionBy(1 as never, { maxKeys: 1 }, same)).toThrow('key is 1 (must be a function)');
    expect(() => partitionBy(key, {} as never, same)).toThrow(
      'maxKeys is undefined (must be a whole number of 1 or more)',
    );
    expect(() => partitionBy(key, { maxKeys: 0 }, same)).toThrow('maxKeys is 0');
    expect(() => partitionBy(key, { maxKeys: 1, highWaterMark: 0 }, same)).toThrow('highWaterMark is 0');
    expect(() => partitionBy(key, { maxKeys: 1, overflow: 'block' } as never, same)).toThrow('overflow is "block"');
    expect(() => partitionBy(key, { maxKeys: 1, ttlMs: 5 } as never, same)).toThrow('option "ttlMs" is unknown');
    expect(() => partitionBy(key, { maxKeys: 1 }, undefined as never)).toThrow('build is undefined');
    expect(() => partitionBy(key, { maxKeys: 1 }, () => 5 as never)).toThrow(
      'what build returned is 5 (must be a pipeline)',
    );
    expect(() => partitionBy(key, { maxKeys: 1 }, (branch) => merge(branch, range(0, 3)))).toThrow(
      'a source inside build is "range" (must be left out: all items come from the branch)',
    );
    expect(() => partitionBy(key, { maxKeys: 1 }, (branch) => merge(branch, branch))).toThrow('once: broadcast()');
    const bytes = (branch: Pipeline<Uint8Array<ArrayBuffer>>) => branch.pipeThrough(new CompressionStream('gzip'));
    expect(() => partitionBy(({ length }: Uint8Array) => length, { maxKeys: 1 }, bytes)).toThrow(
      'a pair of streams inside build is "through" (must be made for each key, by foreign())',
    );
    const open = partitionBy(key, { maxKeys: 1 }, (branch) => branch.partition((n) => n > 1)[0]);
    expect(() => range(0, 3).pipeThrough(open).explain()).toThrow('no of "partition" would never be read');
  });
});
