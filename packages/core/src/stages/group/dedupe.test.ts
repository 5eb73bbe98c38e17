import { type Checkpoint, dedupe, from, range } from '@millrace/core';
import { sourceProbe, virtualClock } from '@millrace/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';

/** What passes, by a plain array of the keys that are remembered, oldest first. */
function model(items: readonly number[], maxKeys: number): number[] {
  const keys: number[] = [];
  return items.filter((item) => {
    const key = item % 10;
    if (keys.includes(key)) return false;
    if (keys.length === maxKeys) keys.shift();
    keys.push(key);
    return true;
  });
}

test('dedupe() passes what a list of the last keys lets pass, with whatever maxKeys', async () => {
  const ways = fc.constantFrom({}, { fuse: false }, { generate: false });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(99)), fc.integer({ min: 1, max: 11 }), ways, async (items, maxKeys, options) => {
      const once = from(items).pipeThrough(dedupe({ key: (n) => n % 10, maxKeys }));
      expect(await once.toArray(options)).toEqual(model(items, maxKeys));
    }),
  );
});

test('dedupe() counts what it leaves out; keys are compared as a Map does', async () => {
  const one = {};
  const items = [undefined, Number.NaN, 0, '0', one, -0, {}, Number.NaN, one, undefined];
  const run = from<unknown>(items)
    .pipeThrough(dedupe())
    .run(() => {});
  expect(await run.finished).toMatchObject({ read: 10, deduped: 4, emitted: 6, balanced: true });
});

test('dedupe() with ttlMs forgets a key so long after the item that passed with it, whatever came meanwhile', async () => {
  const clock = virtualClock();
  const probe = sourceProbe<string>();
  const seen: string[] = [];
  const run = probe.pipeline
    .pipeThrough(dedupe({ ttlMs: 100 }))
    .run((item) => void seen.push(`${item} at ${clock.now()}`), { clock });
  for (const items of [['a'], ['a', 'b'], ['a'], ['a', 'b'], ['b']]) {
    probe.release(...items);
    await clock.advance(40);
  }
  probe.end();
  await run.finished;
  expect(seen).toEqual(['a at 0', 'b at 40', 'a at 120', 'b at 160']);
  expect(clock.pendingTimers).toBe(0);
});

test('dedupe() remembers after a restart what it knew before, with what was left of its time', async () => {
  const saved: Checkpoint[] = [];
  const once = (last: Checkpoint | undefined, items: readonly number[], clock = virtualClock()) => {
    const seen: number[] = [];
    const checkpoint = { load: () => last, save: (each: Checkpoint) => void saved.push(structuredClone(each)) };
    const run = from(items)
      .pipeThrough(dedupe({ ttlMs: 100, maxKeys: 3 }))
      .run((item) => void seen.push(item), { clock, checkpoint });
    return run.finished.then(() => seen);
  };
  expect(await once(undefined, [1, 2, 1, 3, 4], virtualClock(5_000))).toEqual([1, 2, 3, 4]);
  // A source that goes on behind the first five.
  const items = [1, 2, 1, 3, 4, 4, 2, 1];
  expect(await once(saved.at(-1), items, virtualClock(20))).toEqual([1]);
});

test('dedupe() fails with what the key throws, or leaves such items out', async () => {
  const key = (text: string): number => text.length;
  const words = from(['a', null as never, 'b']);
  await expect(words.pipeThrough(dedupe({ key })).toArray()).rejects.toMatchObject({ stage: 'dedupe', index: 1 });
  expect(await words.pipeThrough(dedupe({ key, onError: 'skip' })).toArray()).toEqual(['a']);
});

test('dedupe() refuses wrong options by name', () => {
  const refused = (options: object): unknown => {
    try {
      return dedupe(options as never);
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect([{ key: 1 }, { maxKeys: 0 }, { maxKeys: 1e9 }, { ttlMs: -1 }, { ttl: 1 }].map(refused)).toEqual([
    'Cannot build dedupe(): key is 1 (must be a function)',
    'Cannot build dedupe(): maxKeys is 0 (must be a whole number of 1 or more)',
    'Cannot build dedupe(): maxKeys is 1000000000 (must be 8388608 or less)',
    'Cannot build dedupe(): ttlMs is -1 (must be a number of milliseconds, 0 or more)',
    'Cannot build dedupe(): option "ttl" is unknown (must be one of "name", "highWaterMark", "onError", "key", "ttlMs", "maxKeys")',
  ]);
});

test('dedupe() forgets one key for each new one in time that does not grow with maxKeys', async () => {
  // A walk from the beginning of the table for each key would take minutes.
  const once = range(0, 300_000).pipeThrough(dedupe({ maxKeys: 100_000 }));
  expect(await once.count()).toBe(300_000);
});
