import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { from, generate, type PipelineError, range, StageError } from '@millrace/core';
import { parallel, type WorkerModuleOptions, workerModule } from '@millrace/parallel';
import { afterAll, describe, expect, test, vi } from 'vitest';

// Threads start, die and start again; on a busy machine that takes its time.
vi.setConfig({ testTimeout: 60_000 });

type Functions = typeof import('./functions.mjs');

const url = new URL('./functions.mjs', import.meta.url);
const functionsWith = (options?: WorkerModuleOptions) => workerModule<Functions>(url, options);
const functions = functionsWith({ workers: 2 });
afterAll(() => functions.close());

const shared = (length: number) => new Int32Array(new SharedArrayBuffer(4 * length));
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const until = async (isSo: () => boolean) => {
  while (!isSo()) await turn();
};
const failureOf = async (work: Promise<unknown>): Promise<StageError> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StageError);
  return error as StageError;
};
const codeOf = (error: StageError) => (error.cause as PipelineError).code;
const at = (length: number, where: number) => Array.from({ length }, (_, n) => ({ n, at: where }));

describe('parallel() results', () => {
  test('parallel() calls the function on every item and keeps the order', async () => {
    const results = await from(range(0, 5000)).pipeThrough(parallel(functions, 'increment')).toArray();
    expect(results).toEqual(Array.from({ length: 5000 }, (_, n) => n + 1));
  });

  test('parallel() ends at once where there are no items, and starts no worker', async () => {
    const absent = workerModule<Functions>(new URL('./absent.mjs', import.meta.url));
    expect(await from<number>([]).pipeThrough(parallel(absent, 'increment')).toArray()).toEqual([]);
  });

  test('parallel() awaits what the function promises', async () => {
    expect(await from([1, 2, 3]).pipeThrough(parallel(functions, 'later')).toArray()).toEqual([10, 20, 30]);
  });

  test('parallel() tells the function how many items came before', async () => {
    const words = Array.from({ length: 100 }, (_, n) => `${n}`);
    const indexes = await from(words).pipeThrough(parallel(functions, 'indexOf')).toArray();
    expect(indexes).toEqual(words.map(Number));
  });

  test('parallel() keeps the order when later items are finished first', async () => {
    const gate = shared(64);
    const items = Array.from({ length: 64 }, (_, index) => ({ index, gate }));
    const results = from(items).pipeThrough(parallel(functions, 'gated')).toArray();
    for (let index = 63; index >= 0; index--) {
      Atomics.store(gate, index, 1);
      Atomics.notify(gate, index);
      if (index % 5 === 0) await turn();
    }
    expect(await results).toEqual(items.map(({ index }) => index));
  });

  test('parallel() keeps the order of items of very different cost', async () => {
    const items = Array.from({ length: 3000 }, (_, index) => ({
      index,
      turns: index % 97 === 0 ? 300_000 : index % 7,
    }));
    const results = await from(items).pipeThrough(parallel(functions, 'spin')).toArray();
    expect(results).toEqual(items.map(({ index }) => index));
  });

  test('parallel() with ordered: false hands on what is finished before an item that is not', async () => {
    const gate = shared(2);
    Atomics.store(gate, 1, 1);
    const items = [0, 1].map((index) => ({ index, gate }));
    const seen: number[] = [];
    const run = from(items)
      .pipeThrough(parallel(functions, 'gated', { ordered: false }))
      .run((index) => {
        seen.push(index);
        Atomics.store(gate, 0, 1);
        Atomics.notify(gate, 0);
      });
    await run.finished;
    expect(seen).toEqual([1, 0]);
  });

  test('parallel() with ordered: false loses and doubles nothing', async () => {
    const items = Array.from({ length: 5000 }, (_, index) => ({ index, turns: (index * 7919) % 500 }));
    const results = await from(items)
      .pipeThrough(parallel(functions, 'spin', { ordered: false }))
      .toArray();
    expect(results.sort((a, b) => a - b)).toEqual(items.map(({ index }) => index));
  });

  test('parallel() serves several runs of one module at the same time', async () => {
    const runs = [1, 2, 3].map((by) =>
      from(range(0, 500 * by))
        .pipeThrough(parallel(functions, 'increment'))
        .reduce((sum, n) => sum + n, 0),
    );
    expect(await Promise.all(runs)).toEqual([500, 1000, 1500].map((n) => (n * (n + 1)) / 2));
  });

  test('parallel() behind parallel() on the same workers', async () => {
    const twice = from(range(0, 1000)).pipeThrough(parallel(functions, 'increment'));
    const results = await twice.pipeThrough(parallel(functions, 'later')).toArray();
    expect(results).toEqual(Array.from({ length: 1000 }, (_, n) => (n + 1) * 10));
  });

  test('parallel() works as a native pair', async () => {
    const native = from([1, 2, 3]).toReadableStream().pipeThrough(parallel(functions, 'increment'));
    expect(await from(native).toArray()).toEqual([2, 3, 4]);
  });
});

describe('parallel() bound', () => {
  test('parallel() never has more items inside than explain() says, and fills up to that with a stalled sink', async () => {
    let release = () => {};
    const stalled = new Promise<void>((resolve) => {
      release = resolve;
    });
    const run = from(generate((index) => index))
      .pipeThrough(parallel(functions, 'increment', { maxItemsInWorkers: 8, highWaterMark: 4 }))
      .run(() => stalled);
    const { bound } = run.explain();
    // The item that the sink has begun is not counted as inside by the run itself.
    await until(() => run.inFlight >= bound - 1);
    for (let turns = 0; turns < 50; turns++) {
      await turn();
      expect(run.inFlight).toBeLessThanOrEqual(bound);
    }
    release();
    const summary = await run.drain();
    expect(summary.inFlightMax).toBeLessThanOrEqual(bound);
    expect(summary.balanced).toBe(true);
  });

  test('parallel() takes no more than eight bursts for each worker, so that big items do not pile up', async () => {
    const items = Array.from({ length: 100 }, (_, index) => ({ index, turns: 3_000_000 }));
    let release = () => {};
    const stalled = new Promise<void>((resolve) => {
      release = resolve;
    });
    const one = functionsWith({ workers: 1 });
    const run = from(items)
      .pipeThrough(parallel(one, 'spin', { highWaterMark: 0 }))
      .run(() => stalled);
    const inStage = () => {
      const [, stage] = run.counts();
      return (stage?.in ?? 0) - (stage?.out ?? 0);
    };
    await until(() => inStage() === 8);
    for (let turns = 0; turns < 50; turns++) {
      await turn();
      expect(inStage()).toBeLessThanOrEqual(8);
    }
    run.abort(new Error('enough'));
    release();
    await run.finished.catch(() => {});
    await one.close();
  });

  test('parallel() reads nothing before it is asked', async () => {
    let isRead = false;
    const source = generate(() => {
      isRead = true;
      return 1;
    });
    const items = from(source).pipeThrough(parallel(functions, 'increment')).values();
    await turn();
    expect(isRead).toBe(false);
    await items.return?.();
  });
});

describe('parallel() errors', () => {
  test('parallel() hands over what was thrown, whole, behind the results before it', async () => {
    const seen: number[] = [];
    const work = from(at(400, 300))
      .pipeThrough(parallel(functions, 'throwAt'))
      .forEach((n) => void seen.push(n));
    const error = await failureOf(work);
    expect(error.index).toBe(300);
    expect(error.stage).toBe('parallel');
    expect(seen).toHaveLength(300);
    const cause = error.cause as RangeError & { code: string; details: unknown; call: unknown };
    expect(cause).toBeInstanceOf(RangeError);
    expect(cause.constructor.name).toBe('OddError');
    expect(cause.message).toBe('odd 300');
    expect(cause.stack).toContain('functions.mjs');
    expect(cause.code).toBe('E_ODD');
    expect(cause.details).toEqual({ n: 300 });
    expect(cause.call).toBeUndefined();
    expect(cause.cause).toBeInstanceOf(TypeError);
  });

  test('parallel() hands over a value that is not an error', async () => {
    const error = await failureOf(from([1]).pipeThrough(parallel(functions, 'throwText')).toArray());
    expect(error.cause).toBe('a text');
  });

  test('parallel() counts what is inside as abandoned when an item throws', async () => {
    const run = from(at(2000, 700))
      .pipeThrough(parallel(functions, 'throwAt'))
      .run(() => {});
    const error = await failureOf(run.finished);
    expect(error.index).toBe(700);
    const [source, stage, sink] = run.counts();
    expect(sink?.out).toBe(700);
    expect(stage?.in).toBe(source?.out);
    expect((stage?.out ?? 0) + (stage?.abandoned ?? 0)).toBe(stage?.in);
    expect(run.inFlight).toBe(0);
  });

  test('parallel() names the item that cannot be cloned', async () => {
    const items = [1, 2, 3, (() => 4) as unknown as number, 5];
    const seen: number[] = [];
    const work = from(items)
      .pipeThrough(parallel(functions, 'increment'))
      .forEach((n) => void seen.push(n));
    const error = await failureOf(work);
    expect(error.index).toBe(3);
    expect((error.cause as DOMException).name).toBe('DataCloneError');
    expect(seen).toEqual([2, 3, 4]);
  });

  test('parallel() names the item whose result cannot be cloned', async () => {
    const error = await failureOf(from(at(50, 41)).pipeThrough(parallel(functions, 'unclonableAt')).toArray());
    expect(error.index).toBe(41);
    expect((error.cause as DOMException).name).toBe('DataCloneError');
  });
});

describe('parallel() modules', () => {
  test.each([
    ['absent.mjs', /Cannot find module/],
    ['throws-at-load.mjs', /not today/],
    ['exits-at-load.mjs', /exited with code 4/],
  ])('parallel() fails with ERR_PARALLEL_MODULE for %s', async (file, message) => {
    const module = workerModule<Functions>(new URL(`./${file}`, import.meta.url), { workers: 1 });
    const error = await failureOf(from([1]).pipeThrough(parallel(module, 'increment')).toArray());
    expect(codeOf(error)).toBe('ERR_PARALLEL_MODULE');
    expect(error.message).toMatch(message);
    await module.close();
  });

  test('parallel() fails with ERR_PARALLEL_MODULE for a module with a syntax error, and with an import that is not there', async () => {
    const failing = async (text: string) => {
      await using module = workerModule<Functions>(new URL(`data:text/javascript,${text}`), { workers: 1 });
      const error = await failureOf(from([1]).pipeThrough(parallel(module, 'increment')).toArray());
      expect(codeOf(error)).toBe('ERR_PARALLEL_MODULE');
      return error;
    };
    const wrong = await failing('export const increment = (n) => {');
    expect(wrong.message).toMatch(
      /Cannot load the worker module data:\S+ .*: Unexpected end of input \(must be a module that Node can load\)/,
    );
    expect((wrong.cause as Error).cause).toBeInstanceOf(SyntaxError);
    expect((await failing('import { absent } from "node:fs"; export const increment = absent')).message).toMatch(
      /does not provide an export named 'absent'/,
    );
  });

  test('parallel() fails with ERR_PARALLEL_EXPORT for a module that exports nothing to call', async () => {
    for (const text of ['', 'export const increment = 1', 'export default (n) => n']) {
      await using module = workerModule<Functions>(new URL(`data:text/javascript,${text}`), { workers: 1 });
      const error = await failureOf(from([1]).pipeThrough(parallel(module, 'increment')).toArray());
      expect(codeOf(error)).toBe('ERR_PARALLEL_EXPORT');
      expect(error.message).toMatch(/it exports (no function|"default") \(must export a function of that name\)/);
    }
  });

  test('a program whose modules do not load ends by itself, with nothing closed', async () => {
    const script = fileURLToPath(new URL('./modules-that-fail.mjs', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 30_000 });
    expect(stdout).toBe(
      'absent.mjs ERR_PARALLEL_MODULE\nthrows-at-load.mjs ERR_PARALLEL_MODULE\nexits-at-load.mjs ERR_PARALLEL_MODULE\n' +
        'hangs-at-load.mjs ERR_PARALLEL_MODULE\nfunctions.mjs ERR_PARALLEL_EXPORT\n',
    );
  });

  test('parallel() fails with ERR_PARALLEL_MODULE for a module that hangs while it loads', async () => {
    const module = workerModule<Functions>(new URL('./hangs-at-load.mjs', import.meta.url), { startTimeoutMs: 50 });
    const error = await failureOf(from([1]).pipeThrough(parallel(module, 'increment')).toArray());
    expect(codeOf(error)).toBe('ERR_PARALLEL_MODULE');
    expect(error.message).toContain('50 ms');
  });

  test('parallel() fails with ERR_PARALLEL_EXPORT and lists the functions there are', async () => {
    for (const name of ['absent', 'value']) {
      const error = await failureOf(
        from([1])
          .pipeThrough(parallel(functions, name as 'increment'))
          .toArray(),
      );
      expect(codeOf(error)).toBe('ERR_PARALLEL_EXPORT');
      expect(error.message).toContain('"increment"');
    }
  });

  test('close() of a module fails the runs that use it, and later ones', async () => {
    const module = functionsWith({ workers: 1 });
    const began = shared(1);
    const work = from([{ n: 1, at: 1, began }])
      .pipeThrough(parallel(module, 'hangAt'))
      .toArray();
    const failed = failureOf(work);
    await until(() => Atomics.load(began, 0) > 0);
    await module.close();
    expect(codeOf(await failed)).toBe('ERR_PARALLEL_CLOSED');
    const again = await failureOf(from([1]).pipeThrough(parallel(module, 'increment')).toArray());
    expect(codeOf(again)).toBe('ERR_PARALLEL_CLOSED');
  });
});

describe('parallel() workers that die', () => {
  test('parallel() names the item whose worker exits, replaces the worker and serves the next run', async () => {
    const error = await failureOf(from(at(1000, 600)).pipeThrough(parallel(functions, 'exitAt')).toArray());
    expect(codeOf(error)).toBe('ERR_PARALLEL_WORKER_DIED');
    expect(error.index).toBe(600);
    expect(await from([1]).pipeThrough(parallel(functions, 'increment')).toArray()).toEqual([2]);
  });

  test('parallel() with onWorkerDeath: "retry" tries the item again, by itself, and loses and doubles nothing', async () => {
    for (const ordered of [true, false]) {
      const seen = shared(1000);
      const items = at(1000, 600).map((item) => ({ ...item, seen }));
      const stage = parallel(functions, 'exitOnce', { onWorkerDeath: 'retry', ordered });
      const results = await from(items).pipeThrough(stage).toArray();
      expect(results.sort((a, b) => a - b)).toEqual(items.map(({ n }) => n));
      expect(seen[600]).toBe(2);
    }
  });

  test('parallel() with onWorkerDeath: "retry" gives up on an item that kills its worker twice', async () => {
    const seen: number[] = [];
    const stage = parallel(functions, 'exitAt', { onWorkerDeath: 'retry' });
    const error = await failureOf(
      from(at(1000, 600))
        .pipeThrough(stage)
        .forEach((n) => void seen.push(n)),
    );
    expect(codeOf(error)).toBe('ERR_PARALLEL_WORKER_DIED');
    expect(error.index).toBe(600);
    expect(error.attempt).toBe(2);
    expect(seen).toHaveLength(600);
  });

  test('parallel() reports a worker that runs out of memory', async () => {
    await using small = functionsWith({ workers: 1, memoryLimitMb: 24 });
    const error = await failureOf(from([1]).pipeThrough(parallel(small, 'exhaust')).toArray());
    expect(codeOf(error)).toBe('ERR_PARALLEL_WORKER_DIED');
    expect(((error.cause as Error).cause as PipelineError).code).toBe('ERR_WORKER_OUT_OF_MEMORY');
    expect(await from([1]).pipeThrough(parallel(small, 'increment')).toArray()).toEqual([2]);
  });

  test('parallel() reports an exception that nobody in the worker caught', async () => {
    const error = await failureOf(from([1]).pipeThrough(parallel(functions, 'crashLater')).toArray());
    expect(codeOf(error)).toBe('ERR_PARALLEL_WORKER_DIED');
    expect(error.message).toContain('out of the blue');
  });

  test('parallel() ends a worker that is stuck after timeoutMs, and names the item', async () => {
    const stage = parallel(functions, 'hangAt', { timeoutMs: 400 });
    const seen: number[] = [];
    const error = await failureOf(
      from(at(4, 2))
        .pipeThrough(stage)
        .forEach((n) => void seen.push(n)),
    );
    expect(codeOf(error)).toBe('ERR_PARALLEL_TIMEOUT');
    expect(error.index).toBe(2);
  });

  test('parallel() does not take many short items for a stuck one', async () => {
    const items = Array.from({ length: 60 }, (_, index) => ({ index, turns: 500_000 }));
    const results = await from(items)
      .pipeThrough(parallel(functions, 'spin', { timeoutMs: 20_000 }))
      .toArray();
    expect(results).toHaveLength(60);
  });
});

describe('parallel() whatever happens', () => {
  const random = (seed: number) => {
    let state = seed;
    return () => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return state / 2 ** 31;
    };
  };

  test('parallel() settles every run, loses and doubles nothing, and names the item, in random runs side by side', async () => {
    const next = random(7);
    const one = async () => {
      const length = Math.floor(next() * 2000);
      const where = Math.floor(next() * length * 2);
      const how = ['exit', 'throw', 'reject'][Math.floor(next() * 3)] as string;
      const ordered = next() < 0.5;
      const onWorkerDeath = next() < 0.5 ? 'retry' : 'fail';
      const seen: number[] = [];
      const run = from(at(length, where).map((item) => ({ ...item, how })))
        .pipeThrough(parallel(functions, 'failAt', { ordered, onWorkerDeath }))
        .run((n) => void seen.push(n));
      const error = await run.finished.then(
        () => undefined,
        (reason: StageError) => reason,
      );
      const [, stage] = run.counts();
      expect((stage?.out ?? 0) + (stage?.abandoned ?? 0)).toBe(stage?.in);
      expect(run.inFlight).toBe(0);
      expect(error?.index).toBe(where < length ? where : undefined);
      expect(new Set(seen).size).toBe(seen.length);
      if (ordered) expect(seen).toEqual(seen.map((_, n) => n));
      if (error === undefined) expect(seen).toHaveLength(length);
      else if (ordered && (how !== 'exit' || onWorkerDeath === 'retry')) expect(seen).toHaveLength(where);
    };
    for (let round = 0; round < 20; round++) await Promise.all([one(), one(), one()]);
  });

  test('parallel() tells an observer of the time in service, and of every item once', async () => {
    let served = 0;
    let worked = 0;
    const results = from(range(0, 500)).pipeThrough(parallel(functions, 'increment'));
    await results.toArray({
      observer: {
        served: (_node, items) => {
          served += items;
        },
        burst: (node, items) => {
          if (node === 1) worked += items;
        },
      },
    });
    expect([served, worked]).toEqual([500, 500]);
  });
});

describe('parallel() abort', () => {
  test.each(['untilAborted', 'untilSignal'] as const)('parallel() tells the function of an abort: %s', async (name) => {
    const began = shared(1);
    const ended = shared(1);
    const run = from([{ began, ended }])
      .pipeThrough(parallel(functions, name, { abortGraceMs: 60_000 }))
      .run(() => {}, {
        closeGraceMs: 60_000,
      });
    await until(() => Atomics.load(began, 0) === 1);
    const reason = new Error('enough');
    run.abort(reason);
    await expect(run.finished).rejects.toBe(reason);
    expect(Atomics.load(ended, 0)).toBe(1);
  });

  test('parallel() ends a worker that does not listen, and the other runs on it go on', async () => {
    const one = functionsWith({ workers: 1 });
    const began = shared(1);
    const stage = parallel(one, 'hangAt', { abortGraceMs: 20 });
    const run = from([{ n: 1, at: 1, began }])
      .pipeThrough(stage)
      .run(() => {});
    await until(() => Atomics.load(began, 0) === 1);
    const other = from(range(0, 100)).pipeThrough(parallel(one, 'increment')).toArray();
    await turn();
    const reason = new Error('enough');
    run.abort(reason);
    await expect(run.finished).rejects.toBe(reason);
    expect(await other).toHaveLength(100);
    await one.close();
  });

  test('a program that closes nothing ends by itself', async () => {
    const script = fileURLToPath(new URL('./ends-by-itself.mjs', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 30_000 });
    expect(stdout).toBe('100\nenough\n');
  });
});

describe('parallel() moves', () => {
  test('parallel() moves buffers both ways without a copy', async () => {
    const columns = Array.from({ length: 20 }, (_, n) => new Float64Array(100).fill(n));
    const stage = parallel(functions, 'squares', { transfer: (column) => [column.buffer as ArrayBuffer] });
    const results = await from(columns).pipeThrough(stage).toArray();
    expect(results.map((column) => column[99])).toEqual(columns.map((_, n) => n * n));
    expect(columns.every(({ length }) => length === 0)).toBe(true);
  });

  test('parallel() names the item whose buffer was moved with an earlier one', async () => {
    const both = new Float64Array([2, 3]);
    const halves = [both.subarray(0, 1), both.subarray(1, 2)];
    const stage = parallel(functions, 'squares', { transfer: ({ buffer }) => [buffer as ArrayBuffer] });
    const error = await failureOf(from(halves).pipeThrough(stage).toArray());
    expect(error.index).toBe(1);
    expect(error.message).toContain('detached');
  });

  test('parallel() names the item whose result was moved with an earlier one', async () => {
    await using one = functionsWith({ workers: 1 });
    const error = await failureOf(from([1, 2, 3]).pipeThrough(parallel(one, 'moveTwice')).toArray());
    expect(error.index).toBe(1);
    expect(error.message).toContain('detached');
  });
});
