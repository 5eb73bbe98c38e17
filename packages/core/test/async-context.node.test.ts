import { AsyncLocalStorage } from 'node:async_hooks';
import { batch, buffer, filter, flatMap, from, generate, map, mapAsync, merge, type Pipeline } from '@millrace/core';
import { expect, test } from 'vitest';

// Runs share their thread and take turns in it; each function of the user must still see the context its run was started in.

const ITEMS = 60;
const storage = new AsyncLocalStorage<string>();

/** Works for a while, so that a run gives way many times. */
function work(): void {
  const until = performance.now() + 1;
  while (performance.now() < until);
}

const shapes: Record<string, (seen: Set<string | undefined>) => Pipeline<unknown>> = {
  'a loop': (seen) =>
    generate((n) => n).pipeThrough(
      map((n) => {
        seen.add(storage.getStore());
        work();
        return n;
      }),
    ),
  'loops and stages that wait': (seen) => {
    const look = (): boolean => seen.add(storage.getStore()) !== undefined;
    return merge(
      from(async function* () {
        for (let n = 0; ; n++) yield n;
      }),
      generate((n) => n),
    )
      .pipeThrough(filter(look))
      .pipeThrough(
        mapAsync(
          async (n: number) => {
            look();
            work();
            await null;
            look();
            return n;
          },
          { concurrency: 3, ordered: false },
        ),
      )
      .pipeThrough(buffer(4))
      .pipeThrough(batch({ maxItems: 2, maxWaitMs: 5 }))
      .pipeThrough(flatMap((items) => (look() ? items : [])));
  },
};

test.each(Object.keys(shapes))('runs that take turns keep the context they were started in, %s', async (shape) => {
  const seen = ['first', 'second', 'third'].map(async (name) => {
    const own = new Set<string | undefined>();
    const pipeline = shapes[shape]?.(own) as Pipeline<unknown>;
    await storage.run(name, async () => {
      let items = 0;
      const run = pipeline.run(() => {
        own.add(storage.getStore());
        if (++items === ITEMS) run.abort('enough');
      });
      await run.finished.catch(() => {});
    });
    return [name, [...own]];
  });
  expect(await Promise.all(seen)).toEqual(['first', 'second', 'third'].map((name) => [name, [name]]));
});
