import { cached, from } from '@millrace/core';
import { sourceProbe, virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';

test('cached() looks a key up once while it is being looked up', async () => {
  const asked: string[] = [];
  let answer = (_value: number): void => {};
  const clock = virtualClock();
  const looked = from(['a', 'a', 'a'])
    .pipeThrough(
      cached(
        (item: string) => {
          asked.push(item);
          return new Promise<number>((resolve) => {
            answer = resolve;
          });
        },
        { concurrency: 3, into: (item, n) => `${item}${n}` },
      ),
    )
    .toArray();
  await clock.settle();
  expect(asked).toEqual(['a']);
  answer(7);
  expect(await looked).toEqual(['a7', 'a7', 'a7']);
});

test('cached() compares keys as a Map does, and begins each run with nothing', async () => {
  const asked: number[] = [];
  const looked = from([{ id: Number.NaN }, { id: Number.NaN }, { id: 1 }]).pipeThrough(
    cached(({ id }: { id: number }) => asked.push(id), { key: ({ id }) => id }),
  );
  expect(await looked.toArray()).toEqual([1, 1, 2]);
  expect(await looked.toArray()).toEqual([3, 3, 4]);
});

test('cached() uses a result for `ttlMs` from when it was asked for', async () => {
  const clock = virtualClock();
  const probe = sourceProbe<string>();
  const seen: string[] = [];
  let asked = 0;
  const run = probe.pipeline
    .pipeThrough(cached(async (item: string) => `${item}${++asked}`, { ttlMs: 100 }))
    .run((text) => void seen.push(text), { clock });
  await clock.settle();
  probe.release('a');
  await clock.advance(99);
  probe.release('a');
  await clock.advance(1);
  probe.release('a');
  await clock.settle();
  expect(seen).toEqual(['a1', 'a1', 'a2']);
  probe.end();
  await run.finished;
});

test('cached() lets go of the result that was not used for longest', async () => {
  const asked: string[] = [];
  const look = cached((item: string) => void asked.push(item), { maxEntries: 2 });
  await from(['a', 'b', 'a', 'c', 'a', 'b']).pipeThrough(look).toArray();
  expect(asked).toEqual(['a', 'b', 'c', 'b']);
});

test.for([false, true])(
  'cached() does not keep a look-up that failed, be it thrown (%s) or rejected',
  async (isThrown) => {
    let asked = 0;
    const cause = new Error('no');
    const look = (_item: string): Promise<number> => {
      asked++;
      if (isThrown) throw cause;
      return Promise.reject(cause);
    };
    const looked = from(['a', 'a']).pipeThrough(cached(look, { concurrency: 2 }));
    await expect(looked.toArray()).rejects.toMatchObject({ stage: 'cached', index: 0, cause });
    expect(asked).toBe(1);
  },
);

test('cached() fails with what `key` or `into` throws', async () => {
  const cause = new Error('no');
  const fail = (): never => {
    throw cause;
  };
  for (const options of [{ key: fail }, { into: fail }]) {
    const looked = from(['a']).pipeThrough(cached(async (item: string) => item, options));
    await expect(looked.toArray()).rejects.toMatchObject({ stage: 'cached', index: 0, cause });
  }
});
