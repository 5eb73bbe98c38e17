import { type CodecError, cbor, ndjson, type StandardSchema, type StandardSchemaResult } from '@millrace/codecs';
import { type DeadLetter, deadLetter, from, StageError } from '@millrace/core';
import { expect, test } from 'vitest';
import { everyCut, joined, utf8 } from '../test/bytes.js';

interface Even {
  readonly even: number;
}

/** Wants a number, makes an object of an even one, and has issues with an odd one. */
const even: StandardSchema<Even> = schemaOf((value) =>
  typeof value === 'number' && value % 2 === 0 ? { value: { even: value } } : { issues: [{ message: 'it is odd' }] },
);

function schemaOf<T>(
  validate: (value: unknown) => StandardSchemaResult<T> | Promise<StandardSchemaResult<T>>,
): StandardSchema<T> {
  return { '~standard': { version: 1, vendor: 'test', validate } };
}

const NUMBERS = [2, 1, 4, 3, 5, 1_000_000, 7];

interface Format {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly offsets: readonly number[];
  readonly decode: typeof ndjson.decode | typeof cbor.decode;
}

async function formats(): Promise<Format[]> {
  const chunks = await from(NUMBERS).pipeThrough(cbor.encode()).toArray();
  return [
    { bytes: utf8(`2\n1\n\n4\n3\r\n5\n1000000\n7`), offsets: [2, 7, 10, 20], decode: ndjson.decode },
    { bytes: joined(chunks), offsets: [1, 3, 4, 10], decode: cbor.decode },
  ];
}

test('ndjson.decode() and cbor.decode() reject alone what the schema refuses, with its place, for every cut', async () => {
  for (const { bytes, offsets, decode } of await formats()) {
    for (const chunks of everyCut(bytes)) {
      const letters: DeadLetter<Uint8Array>[] = [];
      const onError = deadLetter<Uint8Array>(new WritableStream({ write: (letter) => void letters.push(letter) }));
      const records: Even[] = await from(chunks)
        .pipeThrough(decode({ schema: even, onError }))
        .toArray();
      expect(records).toEqual([{ even: 2 }, { even: 4 }, { even: 1_000_000 }]);
      const errors = letters.map(({ error }) => error as CodecError);
      expect(errors.map(({ code }) => code)).toEqual(Array(4).fill('ERR_CODECS_SCHEMA'));
      expect(errors.map(({ recordIndex }) => recordIndex)).toEqual([1, 3, 4, 6]);
      expect(errors.map(({ byteOffset }) => byteOffset)).toEqual(offsets);
      expect(errors[0]?.cause).toEqual([{ message: 'it is odd' }]);
    }
  }
});

test('ndjson.decode() and cbor.decode() give a dead letter the bytes of the record that the schema refuses', async () => {
  for (const { bytes, decode } of await formats()) {
    const items: Uint8Array[] = [];
    const write = ({ item }: DeadLetter<Uint8Array>): void => void items.push(item);
    await from([bytes])
      .pipeThrough(decode({ schema: even, onError: deadLetter(new WritableStream({ write })) }))
      .toArray();
    const again = items.map((item) => from([item]).pipeThrough(decode()).toArray());
    expect(await Promise.all(again)).toEqual([[1], [3], [5], [7]]);
  }
});

test('ndjson.decode() and cbor.decode() fail behind the records before the one that the schema refuses', async () => {
  for (const { bytes, decode } of await formats()) {
    const seen: Even[] = [];
    const run = from([bytes])
      .pipeThrough(decode({ schema: even }))
      .run((record) => void seen.push(record));
    const error: unknown = await run.finished.catch((reason) => reason);
    expect(error).toBeInstanceOf(StageError);
    expect((error as StageError).cause).toMatchObject({ code: 'ERR_CODECS_SCHEMA', recordIndex: 1 });
    expect(seen).toEqual([{ even: 2 }]);
    expect(run.inFlight).toBe(0);
  }
});

test.each([
  ['throws', schemaOf(() => failing()), 'not today'],
  ['answers with a promise', schemaOf(() => Promise.reject(new Error('too late'))), 'it must be synchronous'],
])('ndjson.decode() and cbor.decode() reject each record where the schema %s', async (_what, schema, why) => {
  for (const { bytes, decode } of await formats()) {
    const causes: unknown[] = [];
    const write = ({ error }: DeadLetter): void => void causes.push((error as CodecError).cause);
    const onError = deadLetter<Uint8Array>(new WritableStream({ write }));
    expect(await from([bytes]).pipeThrough(decode({ schema, onError })).toArray()).toEqual([]);
    expect(causes).toHaveLength(NUMBERS.length);
    for (const cause of causes) expect((cause as Error).message).toContain(why);
  }
});

function failing(): never {
  throw new Error('not today');
}

test('ndjson.decode() and cbor.decode() refuse a schema that is none', () => {
  for (const decode of [ndjson.decode, cbor.decode]) {
    expect(() => decode({ schema: {} as never })).toThrow('a Standard Schema');
    expect(() => decode({ schema: null as never })).toThrow('a Standard Schema');
  }
});
