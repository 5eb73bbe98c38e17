import { setMaxListeners } from 'node:events';
import {
  batch,
  buffer,
  filter,
  flatMap,
  from,
  generate,
  map,
  mapAsync,
  merge,
  type RunOptions,
  range,
} from '@millrace/core';
import { expect, test } from 'vitest';

// Law 7. Times are those of the processor, not of the clock on the wall: a busy machine makes no timer late here.

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** How much work was done between the time at which a timer was due and the time at which it fired. */
function latenessMs(delayMs: number): Promise<number> {
  const dueMs = performance.now() + delayMs;
  let cpuWhenDueMs: number | undefined;
  return new Promise((resolve) => {
    const look = (): void => {
      const nowMs = performance.now();
      // The last look before it was due is at most one turn of the thread earlier.
      if (nowMs < dueMs) cpuWhenDueMs = cpuMs() + (dueMs - nowMs);
    };
    const looking = setInterval(look, 1);
    look();
    setTimeout(() => {
      clearInterval(looking);
      resolve(Math.max(0, cpuMs() - (cpuWhenDueMs ?? 0)));
    }, delayMs);
  });
}

/** Runs without end, each of another kind. */
const endless: ReadonlyArray<(options: RunOptions) => Promise<unknown>> = [
  (options) =>
    generate((n) => n)
      .pipeThrough(map((n) => n + 1))
      .count(options),
  (options) => range(0, Number.POSITIVE_INFINITY).reduce((sum, n) => (sum + n) % 1000, 0, options),
  (options) =>
    generate((n) => n)
      .pipeThrough(filter((n) => n < 0))
      .forEach(() => {}, options),
  (options) =>
    from([0])
      .pipeThrough(
        flatMap(function* () {
          for (let n = 0; ; n++) yield n;
        }),
      )
      .forEach(() => {}, options),
  (options) =>
    generate((n) => n)
      .pipeThrough(mapAsync((n) => n, { concurrency: 4 }))
      .count(options),
  (options) =>
    generate((n) => n)
      .pipeThrough(mapAsync(async (n) => n))
      .count(options),
  (options) =>
    generate((n) => n)
      .pipeThrough(buffer(4))
      .pipeThrough(batch({ maxItems: 100 }))
      .count(options),
  (options) =>
    merge(
      generate((n) => n),
      generate((n) => -n),
    ).count(options),
  async (options) => {
    for await (const _ of generate((n) => n).values(options));
  },
  (options) => generate((n) => n).pipeTo(new WritableStream(), options),
];

test('timers fire within 25 ms of work beside 50 endless runs', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  setMaxListeners(60, signal);
  const ended = Array.from({ length: 50 }, (_, at) =>
    endless[at % endless.length]?.({ signal, generate: at % 3 > 0, fuse: at % 4 > 0 }).catch((error: unknown) => error),
  );
  await latenessMs(50);
  const late: number[] = [];
  while (late.length < 40) late.push(await latenessMs((late.length * 7) % 20));
  controller.abort('enough');
  expect(await Promise.all(ended)).toEqual(ended.map(() => 'enough'));
  // Now and then the threads that collect garbage and compile work as well.
  late.sort((a, b) => a - b);
  expect(late[35]).toBeLessThan(25);
});

test.each(endless.map((run, at) => [at, run] as const))(
  'a signal aborts an endless run of cheap items within 50 ms of work: %i',
  async (_, run) => {
    const late: number[] = [];
    while (late.length < 5) {
      const controller = new AbortController();
      const ended = run({ signal: controller.signal }).catch((error: unknown) => error);
      const lateMs = await latenessMs(20);
      const beforeMs = cpuMs();
      controller.abort('enough');
      expect(await ended).toBe('enough');
      late.push(lateMs + cpuMs() - beforeMs);
    }
    late.sort((a, b) => a - b);
    expect(late[3]).toBeLessThan(50);
  },
);

test('nothing is worked on any more once a signal has aborted the run', async () => {
  const controller = new AbortController();
  let worked = 0;
  const run = generate((n) => n)
    .pipeThrough(map((n) => worked++ + n))
    .run(() => {}, { signal: controller.signal });
  run.finished.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 5));
  controller.abort('enough');
  const before = worked;
  await expect(run.finished).rejects.toBe('enough');
  expect(before).toBeGreaterThan(0);
  expect(worked).toBe(before);
});
