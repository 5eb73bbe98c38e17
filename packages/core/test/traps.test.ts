import {
  buffer,
  flatMap,
  from,
  interval,
  map,
  mapAsync,
  merge,
  type Pipeline,
  runAll,
  type StageError,
} from '@millrace/core';
import { source } from '@millrace/core/authoring';
import { sinkProbe, sourceProbe, virtualClock } from '@millrace/testkit';
import { describe, expect, test } from 'vitest';

// What goes wrong with streams elsewhere, and not here. Where the platform shows the trap itself, it is shown first.

const { settle } = virtualClock();
const never = new Promise<never>(() => {});

/** An endless source that notes how much was read of it, and whether it was closed. */
class Endless {
  read = 0;
  closes = 0;
  readonly pipeline: Pipeline<number>;

  constructor(isLater = false) {
    this.pipeline = source<number>({
      name: 'endless',
      open: () => ({
        read: () => (isLater ? Promise.resolve([this.read++]) : [this.read++]),
        close: () => void this.closes++,
      }),
    });
  }
}

const endless = (isLater?: boolean): Endless => new Endless(isLater);

/** A promise that never settles, and counts who waits for it. */
function silence(): PromiseLike<never> & { waiting: number } {
  const silent = {
    waiting: 0,
    // biome-ignore lint/suspicious/noThenProperty: what is counted is how often it is waited for.
    then: () => {
      silent.waiting++;
      return never;
    },
  };
  return silent as unknown as PromiseLike<never> & { waiting: number };
}

describe('trap: tee() buffers without limit for the slower branch', () => {
  test('tee() of the platform holds all that the faster branch has read', async () => {
    let read = 0;
    const [fast] = new ReadableStream<number>({ pull: (controller) => controller.enqueue(read++) }).tee();
    const reader = fast.getReader();
    for (let taken = 0; taken < 1000; taken++) await reader.read();
    expect(read).toBeGreaterThanOrEqual(1000);
  });

  test('broadcast() reads no further than its bound while one branch stands still', async () => {
    const numbers = endless();
    const [fast, slow] = numbers.pipeline.broadcast(2);
    const stalled = sinkProbe<number>();
    let seen = 0;
    const run = runAll(
      fast.into(() => void seen++),
      slow.into(stalled.sink),
    );
    run.finished.catch(() => {});
    await settle();
    expect(seen).toBeGreaterThan(0);
    expect(numbers.read).toBeLessThanOrEqual(run.explain().bound);
    run.abort('enough');
    await expect(run.finished).rejects.toBe('enough');
  });
});

describe('trap: Promise.race() leaks a reaction on the promise that lives long, for each one that does not', () => {
  test('a read that never comes is waited for once, however much the other inputs of a merge() give', async () => {
    const silent = silence();
    const quiet = source<number>({ name: 'quiet', open: () => ({ read: () => silent, close() {} }) });
    let seen = 0;
    const run = merge(quiet, endless(true).pipeline).run(() => {
      if (++seen === 2000) run.abort('enough');
    });
    await expect(run.finished).rejects.toBe('enough');
    expect(silent.waiting).toBe(1);
  });

  test('a function that never answers is waited for once, however many others do', async () => {
    const silent = silence();
    let seen = 0;
    const run = endless()
      .pipeline.pipeThrough(
        mapAsync((n) => (n === 0 ? silent : Promise.resolve(n)), { concurrency: 2, ordered: false }),
      )
      .run(() => {
        if (++seen === 2000) run.abort('enough');
      });
    await expect(run.finished).rejects.toBe('enough');
    expect(silent.waiting).toBe(1);
  });
});

describe('trap: a merge that is cancelled leaves an input open', () => {
  test('merge() closes every input when its loop is left: one with more, one in a read, one not yet read', async () => {
    const ready = endless();
    const pending = sourceProbe<number>();
    let cancels = 0;
    const stream = new ReadableStream<number>({ cancel: () => void cancels++ }, { highWaterMark: 0 });
    for await (const n of merge(ready.pipeline, pending.pipeline, from(stream))) {
      if (n === 3) break;
    }
    expect([ready.closes, pending.closes.length, cancels]).toEqual([1, 1, 1]);
  });

  test('merge() closes the other inputs when one fails', async () => {
    const ready = endless();
    const pending = sourceProbe<number>();
    const failing = from([1]).pipeThrough(
      map(() => {
        throw new Error('broken');
      }),
    );
    await expect(merge(ready.pipeline, failing, pending.pipeline).count()).rejects.toThrow('broken');
    expect([ready.closes, pending.closes.length]).toEqual([1, 1]);
  });
});

describe('trap: break in for await leaves the source running', () => {
  test('a loop that is left clears the timer of interval()', async () => {
    const clock = virtualClock();
    const left = (async () => {
      for await (const n of interval(10).values({ clock })) if (n === 1) break;
    })();
    await clock.advance(20);
    await left;
    expect(clock.pendingTimers).toBe(0);
  });

  test('a loop that is left closes its source behind stages that work ahead', async () => {
    const numbers = endless();
    const ahead = numbers.pipeline
      .pipeThrough(mapAsync(async (n) => n, { concurrency: 4 }))
      .pipeThrough(buffer(8))
      .pipeThrough(flatMap((n) => [n, n]));
    for await (const n of ahead) if (n === 5) break;
    expect(numbers.closes).toBe(1);
    const { read } = numbers;
    await settle();
    expect(numbers.read).toBe(read);
  });

  test('a loop that is left runs the finally of its generator before it goes on', async () => {
    const told: string[] = [];
    async function* numbers(): AsyncGenerator<number> {
      try {
        for (let n = 0; ; n++) yield n;
      } finally {
        await settle();
        told.push('finally');
      }
    }
    for await (const _ of from(numbers)) break;
    told.push('behind');
    expect(told).toEqual(['finally', 'behind']);
  });
});

describe('trap: a later error hides the first', () => {
  test('a run fails with the error that came first, and has those that came with it in others', async () => {
    const rejects: Array<(error: Error) => void> = [];
    const run = from([1, 2, 3])
      .pipeThrough(
        mapAsync(() => new Promise<number>((_, reject) => void rejects.push(reject)), {
          concurrency: 3,
          ordered: false,
        }),
      )
      .run(() => {});
    const failed = run.finished.catch((error: StageError) => error);
    await settle();
    const [first, second, third] = ['first', 'second', 'third'].map((message) => new Error(message));
    rejects[1]?.(first as Error);
    rejects[0]?.(second as Error);
    rejects[2]?.(third as Error);
    const error = (await failed) as StageError;
    expect([error.cause, error.index]).toEqual([first, 1]);
    expect(error.others.map((other) => (other as StageError).cause)).toEqual([second, third]);
  });

  test('an error that comes behind an abort does not take the place of its reason', async () => {
    let reject: (error: Error) => void = () => {};
    const failing = new Promise((_, no) => {
      reject = no;
    });
    const run = from([1]).run(() => failing);
    const failed = run.finished.catch((reason: unknown) => reason);
    await settle();
    run.abort('the reason');
    reject(new Error('later'));
    expect(await failed).toBe('the reason');
  });
});

describe('trap: a clean-up that throws masks the error it cleans up after', () => {
  test('a finally that throws masks the first error, where the platform does it by hand', async () => {
    async function* numbers(): AsyncGenerator<number> {
      try {
        yield 1;
      } finally {
        // biome-ignore lint/correctness/noUnsafeFinally: the trap itself.
        throw new Error('clean-up');
      }
    }
    const read = async (): Promise<void> => {
      const reading = numbers();
      try {
        await reading.next();
        throw new Error('first');
      } finally {
        await reading.return(undefined);
      }
    };
    await expect(read()).rejects.toThrow('clean-up');
  });

  test('a source, an iterator and a sink that fail to close are told in others, behind the error', async () => {
    const cause = new Error('first');
    const numbers = source<number>({
      name: 'numbers',
      open: () => ({
        read: () => [1, 2, 3],
        close() {
          throw new Error('source');
        },
      }),
    });
    const sink = {
      name: 'sink',
      open: () => ({
        write() {
          throw cause;
        },
        abort() {
          throw new Error('sink');
        },
      }),
    };
    const unfold = flatMap(() => ({
      [Symbol.iterator]: () => ({
        next: () => ({ done: false, value: 1 }),
        return(): IteratorResult<number> {
          throw new Error('iterator');
        },
      }),
    }));
    const error: StageError = await numbers
      .pipeThrough(unfold)
      .run(sink)
      .finished.then(
        () => undefined as never,
        (reason) => reason,
      );
    expect([error.stage, error.cause]).toEqual(['sink', cause]);
    const others = error.others.map((other) => ((other as Error).cause as Error).message);
    expect(others.sort()).toEqual(['iterator', 'sink', 'source']);
  });
});

/** A signal that counts the listeners on it. */
function countedSignal(): { readonly signal: AbortSignal; readonly heard: Set<unknown>; most: number } {
  const { signal } = new AbortController();
  const counted = { signal, heard: new Set<unknown>(), most: 0 };
  const add = signal.addEventListener.bind(signal) as (...args: unknown[]) => void;
  const remove = signal.removeEventListener.bind(signal) as (...args: unknown[]) => void;
  Object.assign(signal, {
    addEventListener(...args: unknown[]) {
      counted.heard.add(args[1]);
      counted.most = Math.max(counted.most, counted.heard.size);
      add(...args);
    },
    removeEventListener(...args: unknown[]) {
      counted.heard.delete(args[1]);
      remove(...args);
    },
  });
  return counted;
}

describe('trap: listeners pile up on a signal that lives long', () => {
  test('a signal has one listener while a run of many items is under way, and none behind it, however it ends', async () => {
    const counted = countedSignal();
    const { signal } = counted;
    const work = (): Pipeline<number> => endless().pipeline.pipeThrough(mapAsync(async (n) => n, { concurrency: 4 }));
    for (let times = 0; times < 20; times++) {
      await work().find((n) => n === 100, { signal });
      for await (const n of work().values({ signal })) if (n === 100) break;
      const broken = work().run((n) => n === 100 && Promise.reject(new Error('broken')), { signal });
      await expect(broken.finished).rejects.toThrow('broken');
      const aborted = work().run((n) => n === 100 && aborted.abort('enough'), { signal });
      await expect(aborted.finished).rejects.toBe('enough');
      expect(counted.heard.size).toBe(0);
    }
    expect(counted.most).toBe(1);
  });

  test('the functions of all items are given one signal, which ends with the run', async () => {
    const signals = new Set<AbortSignal>();
    const run = from([1, 2, 3]).pipeThrough(
      mapAsync(async (_: number, { signal }) => signals.add(signal), { concurrency: 2 }),
    );
    await run.count();
    expect(signals.size).toBe(1);
  });
});

describe('trap: a controller that errors skips flush and cancel', () => {
  test('a TransformStream of the platform neither flushes nor cancels when its controller errors', async () => {
    const told: string[] = [];
    const transformer: Transformer<number, number> & { cancel(): void } = {
      transform: (_, controller) => controller.error(new Error('broken')),
      flush: () => void told.push('flush'),
      cancel: () => void told.push('cancel'),
    };
    const transform = new TransformStream<number, number>(transformer);
    const numbers = new ReadableStream<number>({ pull: (controller) => controller.enqueue(1) });
    await expect(numbers.pipeThrough(transform).getReader().read()).rejects.toThrow('broken');
    await settle();
    expect(told).toEqual([]);
  });

  test('a stage that fails closes the source before it, the iterator it is in, and aborts the sink behind it', async () => {
    const numbers = endless();
    const told: string[] = [];
    const unfold = flatMap(function* (n: number) {
      try {
        yield n;
        yield n;
      } finally {
        told.push(`left ${n}`);
      }
    });
    const fail = map((n: number): number => {
      if (n === 1) throw new Error('broken');
      return n;
    });
    const sink = { open: () => ({ write: () => {}, abort: () => void told.push('aborted') }) };
    const { finished } = numbers.pipeline.pipeThrough(unfold).pipeThrough(fail).run(sink);
    await expect(finished).rejects.toThrow('broken');
    expect(told).toEqual(['left 0', 'left 1', 'aborted']);
    expect(numbers.closes).toBe(1);
  });

  test('a foreign transform whose controller errors does not keep its source open or its sink waiting', async () => {
    const numbers = endless();
    const transform = new TransformStream<number, number>({
      transform: (_, controller) => controller.error(new Error('broken')),
    });
    let aborts = 0;
    const sink = { open: () => ({ write: () => {}, abort: () => void aborts++ }) };
    await expect(numbers.pipeline.pipeThrough(transform).run(sink).finished).rejects.toThrow('broken');
    expect([numbers.closes, aborts]).toEqual([1, 1]);
  });
});
