import { from, generate, map, range, StageError, take } from '@millrace/core';
import { type SourceProbe, sourceProbe, virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';

const released = (...items: number[]): SourceProbe<number> => {
  const probe = sourceProbe<number>();
  probe.release(...items);
  return probe;
};

test.for([
  ['first()', 1, (probe: SourceProbe<number>) => probe.pipeline.first(), 1],
  ['find()', 2, (probe: SourceProbe<number>) => probe.pipeline.find((n) => n === 2), 2],
  ['some()', 2, (probe: SourceProbe<number>) => probe.pipeline.some((n) => n === 2), true],
  ['every()', 3, (probe: SourceProbe<number>) => probe.pipeline.every((n) => n < 3), false],
] as const)('%s reads no further than item %s, and closes the source', async ([, read, ask, answer]) => {
  const probe = released(1, 2, 3, 4, 5);
  expect(await ask(probe)).toBe(answer);
  expect(probe.read).toBe(read);
  expect(probe.closes).toHaveLength(1);
});

test('terminals of nothing give what there is of nothing', async () => {
  const nothing = from<number>([]);
  expect(await nothing.toArray()).toEqual([]);
  expect(await nothing.first()).toBeUndefined();
  expect(await nothing.last()).toBeUndefined();
  expect(await nothing.find(() => true)).toBeUndefined();
  expect(await nothing.some(() => true)).toBe(false);
  expect(await nothing.every(() => false)).toBe(true);
  expect(await nothing.count()).toBe(0);
  expect(await nothing.reduce((sum, n) => sum + n, 7)).toBe(7);
});

test('find() and every() take what is as good as true, and refuse a promise', async () => {
  expect(await range(0, 3).find(((n: number) => n) as never)).toBe(1);
  expect(await range(1, 3).every(((n: number) => n) as never)).toBe(true);
  for (const terminal of ['find', 'some', 'every'] as const) {
    const failed = range(0, 3)[terminal]((async () => true) as never);
    await expect(failed).rejects.toMatchObject({ stage: terminal, index: 0, cause: expect.any(TypeError) });
  }
});

test('collectInto() fails where there is no room, and gives how many there were', async () => {
  expect(await range(0, 2).collectInto(new Uint8Array(2))).toBe(2);
  const target = new Uint8Array(2);
  await expect(range(5, 9).collectInto(target)).rejects.toMatchObject({
    stage: 'collectInto',
    index: 2,
    cause: new RangeError('the array is full (must have room for all items): 2'),
  });
  expect([...target]).toEqual([5, 6]);
});

test('forEach() awaits each promise before the next item, and fails with what it rejects with', async () => {
  const cause = new Error('no');
  const seen: string[] = [];
  const failed = range(0, 9).forEach(async (n, index) => {
    seen.push(`begin ${n} ${index}`);
    await undefined;
    if (n === 2) throw cause;
    seen.push(`end ${n}`);
  });
  await expect(failed).rejects.toMatchObject({ stage: 'forEach', index: 2, cause });
  expect(seen).toEqual(['begin 0 0', 'end 0', 'begin 1 1', 'end 1', 'begin 2 2']);
});

test('reduce() awaits promises on the way', async () => {
  const later = range(1, 5).reduce<number>(async (sum, n) => (await sum) + n, 0);
  expect(await later).toBe(10);
  const failed = range(1, 5).reduce<number>((sum, n) => (n === 3 ? Promise.reject(new Error('three')) : sum + n), 0);
  await expect(failed).rejects.toMatchObject({ stage: 'reduce', index: 2 });
});

test.for([
  [{}, 1, 0],
  [{ preventClose: true }, 0, 0],
] as const)('pipeTo() with %o closes the writable %s times at the end', async ([options, closes, aborts]) => {
  const writable = recorder();
  await range(0, 3).pipeTo(writable.stream, options);
  expect(writable).toMatchObject({ items: [0, 1, 2], closes, aborts: Array(aborts).fill(expect.anything()) });
  expect(writable.stream.locked).toBe(false);
});

test.for([
  [{}, 1],
  [{ preventAbort: true }, 0],
] as const)('pipeTo() with %o aborts the writable %s times with the error of the run', async ([options, aborts]) => {
  const writable = recorder();
  const boom = map((n: number) => {
    if (n === 2) throw new Error('two');
    return n;
  });
  const error = await range(0, 3)
    .pipeThrough(boom)
    .pipeTo(writable.stream, options)
    .catch((reason) => reason);
  expect(error).toBeInstanceOf(StageError);
  expect(writable.items).toEqual([0, 1]);
  expect(writable.closes).toBe(0);
  expect(writable.aborts).toEqual(Array(aborts).fill(error));
  expect(writable.stream.locked).toBe(false);
});

function recorder() {
  const seen = { items: [] as number[], closes: 0, aborts: [] as unknown[] };
  const stream = new WritableStream<number>({
    write: (item) => void seen.items.push(item),
    close: () => void seen.closes++,
    abort: (reason) => void seen.aborts.push(reason),
  });
  return Object.assign(seen, { stream });
}

test('pipeTo() ends when the writable errors on its own, while nothing is written', async () => {
  let controller: WritableStreamDefaultController | undefined;
  const writable = new WritableStream<number>({
    start(given) {
      controller = given;
    },
  });
  const probe = released(1);
  const failed = expect(probe.pipeline.pipeTo(writable)).rejects.toMatchObject({
    stage: 'writable',
    cause: new Error('gone'),
  });
  await virtualClock().settle();
  expect(probe.isAsked).toBe(true);
  controller?.error(new Error('gone'));
  await failed;
  expect(probe.closes).toHaveLength(1);
});

test('toReadableStream() reads nothing ahead unless it is told to, and cancels the source with the reason', async () => {
  for (const [highWaterMark, read] of [
    [0, 0],
    [2, 2],
  ] as const) {
    const probe = released(1, 2, 3, 4);
    const stream = probe.pipeline.toReadableStream({ highWaterMark });
    await virtualClock().settle();
    expect(probe.read).toBe(read);
    const reader = stream.getReader();
    expect((await reader.read()).value).toBe(1);
    await reader.cancel('enough');
    expect(probe.closes).toHaveLength(1);
  }
});

test('toReadableStream() fails with a StageError', async () => {
  const boom = map((): never => {
    throw new Error('boom');
  });
  const reader = range(0, 1).pipeThrough(boom).toReadableStream().getReader();
  await expect(reader.read()).rejects.toMatchObject({ code: 'ERR_CORE_STAGE', stage: 'map', index: 0 });
});

test('values() reads an item when it is asked for, answers overlapping calls in turn, and closes when left', async () => {
  const probe = released(1, 2, 3, 4);
  const items = probe.pipeline.values();
  expect(probe.read).toBe(0);
  const three = [items.next(), items.next(), items.next()];
  expect((await Promise.all(three)).map(({ value }) => value)).toEqual([1, 2, 3]);
  expect(probe.read).toBe(3);
  await items.return?.();
  expect(probe.closes).toHaveLength(1);
  expect(await items.next()).toEqual({ done: true, value: undefined });
});

test('pipeThrough() leaves the pipeline before it as it is', async () => {
  const numbers = range(0, 3);
  const doubled = numbers.pipeThrough(map((n) => n * 2));
  expect(await numbers.toArray()).toEqual([0, 1, 2]);
  expect(await doubled.toArray()).toEqual([0, 2, 4]);
});

test('run() begins after the code that called it', async () => {
  let made = 0;
  const run = generate(() => made++)
    .pipeThrough(take(1))
    .run(() => {});
  expect(made).toBe(0);
  await run.finished;
  expect(made).toBe(1);
});

test('a pipeline is printed by the names of its stages', () => {
  const print = (value: object): unknown => {
    const inspect = (value as Record<symbol, unknown>)[Symbol.for('nodejs.util.inspect.custom')];
    return (inspect as () => string).call(value);
  };
  const doubled = range(0, 3).pipeThrough(map((n) => n * 2, { name: 'double' }));
  expect(print(range(0, 3))).toBe('Pipeline { range }');
  expect(print(doubled.pipeThrough(take(1)))).toBe('Pipeline { range → double → take }');
});
