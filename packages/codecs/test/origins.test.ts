import { ndjson } from '@millrace/codecs';
import { type DeadLetter, deadLetter, mapAsync, type Pipeline } from '@millrace/core';
import { source } from '@millrace/core/authoring';
import { expect, test } from 'vitest';

/** Items with the places they have in a log. */
function log<T>(items: readonly T[]): Pipeline<T> {
  return source<T>({
    name: 'log',
    open(context) {
      const left = items.map((item, offset) => context.carry(item, { offset }));
      return { read: (max) => (left.length > 0 ? left.splice(0, max) : undefined), close() {} };
    },
  });
}

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const offsetOf = mapAsync((_item: unknown, { origin }) => origin?.offset);

test('ndjson.decode() gives a record the origin of the chunk that it ends in, and so a letter', async () => {
  const letters: DeadLetter<Uint8Array>[] = [];
  const onError = deadLetter(new WritableStream<DeadLetter<Uint8Array>>({ write: (each) => void letters.push(each) }));
  const chunks = ['1\n2\n[3', ',3]\noops\n4\n', '5'].map(bytes);
  const offsets = log(chunks).pipeThrough(ndjson.decode({ onError })).pipeThrough(offsetOf);
  expect(await offsets.toArray({ context: true })).toEqual([0, 0, 1, 1, 2]);
  expect(letters.map(({ origin, item }) => [origin?.offset, new TextDecoder().decode(item)])).toEqual([[1, 'oops']]);
});

test('ndjson.encode() gives a chunk the origin of its last record, and a letter that of its own', async () => {
  const letters: DeadLetter<unknown>[] = [];
  const onError = deadLetter(new WritableStream<DeadLetter<unknown>>({ write: (each) => void letters.push(each) }));
  const offsets = log<unknown>([1, 2, 3n, 4, 5]).pipeThrough(ndjson.encode({ onError })).pipeThrough(offsetOf);
  expect(await offsets.toArray({ context: true })).toEqual([1, 4]);
  expect(letters).toMatchObject([{ item: 3n, index: 2, origin: { offset: 2 } }]);
});
