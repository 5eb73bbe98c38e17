import { fromReader, map, range, take } from '@millrace/core';
import { expect, test } from 'vitest';

test('fromReader() gives what is left of a stream, and releases it at the end', async () => {
  const stream = range(0, 4).toReadableStream();
  const reader = stream.getReader();
  await reader.read();
  expect(await fromReader(reader).toArray()).toEqual([1, 2, 3]);
  expect(stream.locked).toBe(false);
});

test('fromReader() reads nothing before it is asked to, and cancels and releases where the run ends early', async () => {
  const pulled: number[] = [];
  const cancelled: unknown[] = [];
  const source = new ReadableStream<number>(
    {
      pull(controller) {
        pulled.push(pulled.length);
        controller.enqueue(pulled.length);
      },
      cancel: (reason) => void cancelled.push(reason),
    },
    { highWaterMark: 0 },
  );
  const numbers = fromReader(source.getReader());
  const firsts = numbers.pipeThrough(take(2));
  expect(pulled).toEqual([]);
  expect(await firsts.toArray()).toEqual([1, 2]);
  expect([pulled, cancelled, source.locked]).toEqual([[0, 1], [undefined], false]);
  await expect(numbers.toArray()).rejects.toMatchObject({
    stage: 'reader',
    index: 0,
    cause: {
      code: 'ERR_CORE_SOURCE_USED',
      message: 'Cannot read from the reader: a run has read from it (must be another reader; one serves one run)',
    },
  });
});

test('fromReader() cancels with the reason of an abort, also before anything is read', async () => {
  const cancelled: unknown[] = [];
  const source = new ReadableStream<number>({ cancel: (reason) => void cancelled.push(reason) });
  const run = fromReader(source.getReader()).run(() => {});
  run.abort('enough');
  await expect(run.finished).rejects.toBe('enough');
  expect([cancelled, source.locked]).toEqual([['enough'], false]);
});

test('fromReader() fails with what the stream fails with, behind what came before', async () => {
  const cause = new Error('torn');
  let reads = 0;
  const source = new ReadableStream<number>(
    {
      pull(controller) {
        if (reads++ < 2) controller.enqueue(reads);
        else controller.error(cause);
      },
    },
    { highWaterMark: 0 },
  );
  const seen: number[] = [];
  const failed = fromReader(source.getReader()).forEach((n) => void seen.push(n));
  await expect(failed).rejects.toMatchObject({ stage: 'reader', index: 2, cause });
  expect([seen, source.locked]).toEqual([[1, 2], false]);
});

test('fromReader() reads anything with a read(), without the methods that it has not', async () => {
  const items = ['a', undefined, 'b'];
  const reader = { read: async () => (items.length > 0 ? { value: items.shift() } : { done: true }) };
  expect(await fromReader<string | undefined>(reader).toArray()).toEqual(['a', undefined, 'b']);
  let left = 5;
  const endless = {
    read: async () => ({ done: false, value: left-- }),
    cancel: async () => {
      left = -1;
    },
  };
  expect(await fromReader(endless).pipeThrough(take(2)).toArray()).toEqual([5, 4]);
  expect(left).toBe(-1);
});

test('fromReader() reads bytes into buffers of chunkBytes, each the own of its item', async () => {
  const bytes = Uint8Array.from({ length: 10 }, (_, at) => at);
  const stream = new Blob([bytes]).stream();
  const chunks = fromReader(stream.getReader({ mode: 'byob' }), { chunkBytes: 4 });
  const all = await chunks.pipeThrough(map((chunk) => [...chunk])).toArray();
  expect(all.every((chunk) => chunk.length <= 4)).toBe(true);
  expect(all.flat()).toEqual([...bytes]);
  expect(stream.locked).toBe(false);
});

test('fromReader() refuses wrong arguments by name', () => {
  const reader = range(0, 1).toReadableStream().getReader();
  expect(() => fromReader({} as never)).toThrow(
    'Cannot build fromReader(): reader is an object (Object) (must be an object with read())',
  );
  expect(() => fromReader(reader, { chunkBytes: 0 })).toThrow('chunkBytes is 0 (must be a whole number of 1 or more)');
  expect(() => fromReader(reader, { mode: 'byob' } as never)).toThrow('option "mode" is unknown');
});
