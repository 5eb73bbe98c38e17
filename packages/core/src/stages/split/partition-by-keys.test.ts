import { batch, from, mapAsync, partitionBy, type StageError } from '@millrace/core';
import { describe, expect, test } from 'vitest';

async function* later<T>(given: readonly T[]): AsyncGenerator<T> {
  for (const each of given) yield each;
}

describe('partitionBy() with more keys than maxKeys', () => {
  test('partitionBy() with more keys than maxKeys completes the one used least recently, and warns once', async () => {
    const warnings: string[] = [];
    const batches = partitionBy(
      (n: number) => n,
      { maxKeys: 2, name: 'by key' },
      (branch) => branch.pipeThrough(batch({ maxItems: 10 })),
    );
    const run = from([1, 2, 1, 3, 1, 2, 4])
      .pipeThrough(batches)
      .pipeThrough(batch({ maxItems: 9 }))
      .run((all) => expect(all).toEqual([[2], [3], [1, 1, 1], [2], [4]]), {
        observer: { warned: (message) => void warnings.push(message) },
      });
    expect(await run.finished).toMatchObject({ read: 7, balanced: true });
    expect(warnings).toEqual([
      '"by key" has more than 2 keys: the one used least recently is completed to make room for another, and begins anew when it comes again (must have a larger maxKeys, or fewer keys)',
    ]);
  });

  test('partitionBy() waits for the sub-pipeline that gives way, and goes on then, with endless new keys', async () => {
    const slow = partitionBy(
      (n: number) => n,
      { maxKeys: 3 },
      (branch) => branch.pipeThrough(mapAsync(async (n) => n, { concurrency: 2 })).pipeThrough(batch({ maxItems: 2 })),
    );
    const run = from(later(Array.from({ length: 500 }, (_, n) => n)))
      .pipeThrough(slow)
      .run(() => {}, { observer: { warned: () => {} } });
    const summary = await run.finished;
    expect(summary).toMatchObject({ read: 500, emitted: 500, balanced: true });
    expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
  });

  test("partitionBy() fails at one key too many with overflow: 'fail'", async () => {
    const some = partitionBy(
      (n: number) => n,
      { maxKeys: 2, overflow: 'fail' },
      (branch) => branch,
    );
    const seen: number[] = [];
    const run = from([1, 2, 1, 3])
      .pipeThrough(some)
      .run((n) => void seen.push(n));
    const error: StageError = await run.finished.then(undefined, (reason) => reason);
    expect([error.stage, error.index]).toEqual(['partitionBy', 3]);
    expect(error.cause).toMatchObject({
      code: 'ERR_CORE_KEYS',
      message: "Cannot begin another key: 2 are open already (must be fewer, a larger maxKeys, or overflow: 'evict')",
    });
    expect(seen).toEqual([1, 2, 1]);
    expect(run.inFlight).toBe(0);
  });
});
