import { cbor, ndjson } from '@millrace/codecs';
import { type Checkpoint, type Checkpointer, type DeadLetter, deadLetter, from, type Pipeline } from '@millrace/core';
import { source } from '@millrace/core/authoring';
import fc from 'fast-check';
import { expect, test } from 'vitest';

/** Chunks with positions. */
function chunksOf(chunks: readonly Uint8Array[]): Pipeline<Uint8Array> {
  return source<Uint8Array>({
    name: 'chunks',
    open() {
      let next = 0;
      return {
        read(max) {
          const taken = chunks.slice(next, next + max);
          next += taken.length;
          return taken.length === 0 ? undefined : taken;
        },
        close() {},
        position: () => next,
        resume(position) {
          next = position as number;
        },
      };
    },
  });
}

async function bytesOf(chunks: Pipeline<Uint8Array>): Promise<Uint8Array> {
  const all = await chunks.toArray();
  return new Uint8Array(await new Blob(all as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const ends = [...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  return ends.map((end, at) => bytes.slice(at === 0 ? 0 : ends[at - 1], end)).filter(({ length }) => length > 0);
}

const records = [
  { id: 1 },
  { text: 'grün €'.repeat(4) },
  [1, [2, [3, 'four']]],
  'five',
  { six: { seven: 8 } },
  { id: 9 },
];
const lines = new TextEncoder().encode(
  `${records.map((record) => JSON.stringify(record)).join('\n')}\nnot json\n{"id":10}\n${'9'.repeat(90)}\n{"id":11}`,
);

type Seen = { readonly records: unknown[]; readonly letters: unknown[] };
type Decode = (bytes: Pipeline<Uint8Array>, letters: WritableStream<DeadLetter<Uint8Array>>) => Pipeline<unknown>;

async function decoded(
  chunks: readonly Uint8Array[],
  decode: Decode,
  last?: Checkpoint,
): Promise<{ seen: Seen; at: [number, number][]; all: Checkpoint[] }> {
  const seen: Seen = { records: [], letters: [] };
  const at: [number, number][] = [];
  const all: Checkpoint[] = [];
  const letters = new WritableStream<DeadLetter<Uint8Array>>({
    write({ index, error }) {
      seen.letters.push([index, (error as Error).message]);
    },
  });
  const checkpoint: Checkpointer = {
    everyItems: 1,
    load: () => structuredClone(last),
    save: (next) => void all.push(structuredClone(next)),
  };
  const sink = {
    open: () => ({
      write: (items: readonly unknown[]) => void seen.records.push(...items),
      flush: () => void at.push([seen.records.length, seen.letters.length]),
    }),
  };
  await decode(chunksOf(chunks), letters).run(sink, { checkpoint }).finished;
  return { seen, at, all };
}

const codecs: readonly [string, () => Promise<Uint8Array>, Decode][] = [
  [
    'ndjson.decode()',
    async () => lines,
    (bytes, letters) => bytes.pipeThrough(ndjson.decode({ maxRecordBytes: 80, onError: deadLetter(letters) })),
  ],
  [
    'cbor.decode()',
    () => bytesOf(from(records).pipeThrough(cbor.encode())),
    (bytes, letters) => bytes.pipeThrough(cbor.decode({ onError: deadLetter(letters) })),
  ],
];

test.each(codecs)('%s goes on from any checkpoint, also in the middle of a record', async (_, bytes, decode) => {
  const whole = await bytes();
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(), { maxLength: 12 }), fc.nat(), async (cuts, pick) => {
      const chunks = split(whole, cuts);
      const first = await decoded(chunks, decode);
      expect(first.seen.records.length).toBeGreaterThanOrEqual(records.length);
      const number = pick % first.all.length;
      const [seen = first.seen.records.length, letters = first.seen.letters.length] = first.at[number] ?? [];
      const { seen: rest } = await decoded(chunks, decode, first.all[number]);
      expect({
        records: [...first.seen.records.slice(0, seen), ...rest.records],
        letters: [...first.seen.letters.slice(0, letters), ...rest.letters],
      }).toEqual(first.seen);
    }),
    { seed: 20261122, numRuns: 150 },
  );
});
