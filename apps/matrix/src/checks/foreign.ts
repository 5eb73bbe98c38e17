import { batch, filter, flatMap, from, map, range } from '@millrace/core';
import { type Check, reasonOf, same } from '../check.js';

const streamOf = (items: readonly number[], onCancel: () => void = () => {}): ReadableStream<number> => {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at < items.length) controller.enqueue(items[at++] as number);
      else controller.close();
    },
    cancel: onCancel,
  });
};

const doubling = (): TransformStream<number, number> =>
  new TransformStream({ transform: (n, controller) => controller.enqueue(n * 2) });

async function collected<T>(stream: ReadableStream<T>): Promise<T[]> {
  const items: T[] = [];
  await stream.pipeTo(new WritableStream({ write: (item) => void items.push(item) }));
  return items;
}

/** Streams of the platform, on both ends and in the middle. */
export const FOREIGN_CHECKS: readonly Check[] = [
  {
    name: 'from a stream, through a TransformStream, to a WritableStream',
    async run() {
      const seen: number[] = [];
      await from(streamOf([1, 2, 3, 4]))
        .pipeThrough(filter((n) => n !== 2))
        .pipeThrough(doubling())
        .pipeThrough(map((n) => n + 1))
        .pipeTo(new WritableStream({ write: (n) => void seen.push(n) }));
      same(seen, [3, 7, 9]);
    },
  },
  {
    name: 'to a ReadableStream',
    async run() {
      same(
        await collected(
          range(0, 5)
            .pipeThrough(map((n) => n * n))
            .toReadableStream(),
        ),
        [0, 1, 4, 9, 16],
      );
    },
  },
  {
    name: 'a stage as a native pair',
    async run() {
      same(await collected(streamOf([1, 2, 3]).pipeThrough(map((n) => n * 2))), [2, 4, 6]);
      const many = flatMap((n: number) => [n, n]);
      const batches = streamOf([1, 2])
        .pipeThrough(many)
        .pipeThrough(batch<number>({ maxItems: 3 }));
      same(await collected(batches), [[1, 1, 2], [2]]);
    },
  },
  {
    name: 'text through TextDecoderStream',
    async run() {
      const bytes = from(['4', '2', 'é']).pipeThrough(map((text) => new TextEncoder().encode(text)));
      const decoder = new TextDecoderStream() as unknown as TransformStream<Uint8Array, string>;
      same((await bytes.pipeThrough(decoder).toArray()).join(''), '42é');
    },
  },
  {
    name: 'leaving early cancels the stream',
    async run() {
      const calls: string[] = [];
      const source = from(streamOf([1, 2, 3], () => void calls.push('cancel')));
      same([await source.first(), calls], [1, ['cancel']]);
    },
  },
  {
    name: 'a write that fails is the error of the run',
    async run() {
      const failing = new WritableStream<number>({ write: () => Promise.reject(new Error('full')) });
      const error = (await reasonOf(range(0, 3).pipeTo(failing))) as Error;
      same((error.cause as Error | undefined)?.message ?? error.message, 'full');
    },
  },
];
