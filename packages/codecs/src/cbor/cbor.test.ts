import { CodecError, cbor } from '@millrace/codecs';
import { type DeadLetter, deadLetter, from, type RunSummary, StageError } from '@millrace/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cut, everyCut, joined, places } from '../../test/bytes.js';

type Options = Parameters<typeof cbor.decode>[0];

function hex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text.match(/[0-9a-f]{2}/g) ?? [], (byte) => Number.parseInt(byte, 16));
}

function decoded(chunks: readonly Uint8Array[], options?: Options): Promise<unknown[]> {
  return from(chunks).pipeThrough(cbor.decode(options)).toArray();
}

async function encoded(records: readonly unknown[]): Promise<Uint8Array<ArrayBuffer>> {
  return joined(await from(records).pipeThrough(cbor.encode()).toArray());
}

/** What came before the end of a run, and its error. */
async function failing(chunks: readonly Uint8Array[], options?: Options): Promise<[unknown[], CodecError]> {
  const records: unknown[] = [];
  const run = from(chunks)
    .pipeThrough(cbor.decode(options))
    .run((record) => void records.push(record));
  const error: unknown = await run.finished.catch((reason) => reason);
  expect(error).toBeInstanceOf(StageError);
  expect((error as StageError).cause).toBeInstanceOf(CodecError);
  expect(run.inFlight).toBe(0);
  return [records, (error as StageError).cause as CodecError];
}

async function rejecting(
  chunks: readonly Uint8Array[],
  options: Options = {},
): Promise<{ records: unknown[]; letters: [string, number, number, number][]; summary: RunSummary }> {
  const letters: DeadLetter<Uint8Array>[] = [];
  const onError = deadLetter<Uint8Array>(new WritableStream({ write: (letter) => void letters.push(letter) }));
  const records: unknown[] = [];
  const run = from(chunks)
    .pipeThrough(cbor.decode({ ...options, onError }))
    .run((record) => void records.push(record));
  const summary = await run.finished;
  return {
    records,
    letters: letters.map(({ error, index, item }) => {
      const { code, byteOffset } = error as CodecError;
      return [code, index, byteOffset as number, item.length];
    }),
    summary,
  };
}

const text = fc.string({ unit: 'grapheme' });
const key = text.filter((name) => name !== '__proto__');
const { value: anything } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(null, undefined, true, false),
    fc.double().map((n) => (n === 0 ? 0 : n)),
    fc.integer(),
    fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
    text,
    fc.string({ unit: 'grapheme', minLength: 50, maxLength: 400 }),
    fc.uint8Array(),
    fc.float64Array(),
    // Seconds as a 64-bit float have milliseconds up to about the year 100,000.
    fc.date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') }),
    fc.array(tie('value')),
    fc.dictionary(key, tie('value'), { noNullPrototype: true }),
  ),
}));

test('cbor.decode() gives what cbor.encode() was given, however the bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anything), places, async (records, cuts) => {
      expect(await decoded(cut(await encoded(records), cuts))).toEqual(records);
    }),
  );
});

test('cbor.decode() reads strings and containers of indefinite length, in any form of header', async () => {
  const bytes = hex(
    '7f 61 61 62 c3bc 60 ff 5f 41 01 42 0203 ff 9f 01 7f ff ff bf 61 61 7f 61 62 ff ff 7b 0000000000000001 78 82 7f ff 5f ff',
  );
  for (const chunks of everyCut(bytes)) {
    expect(await decoded(chunks)).toEqual([
      'aü',
      Uint8Array.of(1, 2, 3),
      [1, ''],
      { a: 'b' },
      'x',
      ['', new Uint8Array(0)],
    ]);
  }
});

test('cbor.decode() gives the same records, errors and places for every cut of hard bytes', async () => {
  // 1, a text that is no UTF-8, {"a": 2}, a shared record, a map with a map as its key, [3], a text cut short.
  const bytes = hex('01 62 c328 a1 61 61 02 d9 dfff 83 01 81 61 61 02 a1 a1 01 02 03 81 03 64 616263');
  for (const chunks of everyCut(bytes)) {
    const { records, letters, summary } = await rejecting(chunks);
    expect(records).toEqual([1, { a: 2 }, [3]]);
    expect(letters).toEqual([
      ['ERR_CODECS_UTF8', 1, 1, 3],
      ['ERR_CODECS_TAG', 3, 8, 9],
      ['ERR_CODECS_CBOR', 4, 17, 5],
      ['ERR_CODECS_TRUNCATED', 6, 24, 4],
    ]);
    expect(summary).toMatchObject({ emitted: 3, deadLettered: 4, balanced: true });
    expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
  }
});

test('cbor.decode() fails behind the records before for what is not well-formed, whatever onError says', async () => {
  for (const bad of ['1c', 'ff', '3f', 'df', 'f8 1f', '7f 41 61 ff', '5f 7f ff ff', 'bf 01 ff', '81 ff', 'fd']) {
    for (const chunks of everyCut(joined([hex('81 01'), hex(bad), hex('02')]))) {
      const [records, error] = await failing(chunks, { onError: 'skip' });
      expect(records).toEqual([[1]]);
      expect(error).toMatchObject({ code: 'ERR_CODECS_CBOR', byteOffset: 2, recordIndex: 1 });
    }
  }
});

test('cbor.decode() refuses lengths, nesting and numbers that are made to hurt', async () => {
  const hostile = {
    '9b ffffffffffffffff': 'ERR_CODECS_SIZE',
    'bb 0000000000080000': 'ERR_CODECS_SIZE',
    '5b 7fffffffffffffff': 'ERR_CODECS_SIZE',
    '7a 00100000': 'ERR_CODECS_SIZE',
    [`${'81'.repeat(100_000)}`]: 'ERR_CODECS_DEPTH',
    [`${'c1'.repeat(65)}00`]: 'ERR_CODECS_DEPTH',
    [`${'9f'.repeat(65)}`]: 'ERR_CODECS_DEPTH',
  };
  for (const [bytes, code] of Object.entries(hostile)) {
    const [, error] = await failing([hex(bytes)]);
    expect(error).toMatchObject({ code, byteOffset: 0, recordIndex: 0 });
  }
  expect(await decoded([hex(`${'81'.repeat(64)}00`)])).toHaveLength(1);
  const [, bignum] = await failing([hex(`c2 59 0401 ${'ff'.repeat(1025)}`)]);
  expect(bignum).toMatchObject({ code: 'ERR_CODECS_INTEGER' });
  const [, pieces] = await failing([hex(`c3 5f ${`59 0200 ${'ff'.repeat(512)}`.repeat(3)} ff`)]);
  expect(pieces).toMatchObject({ code: 'ERR_CODECS_INTEGER' });
  const blob = hex(`82 c2 41 05 59 0800 ${'ff'.repeat(2048)}`);
  expect(await decoded([blob])).toEqual([[5n, new Uint8Array(2048).fill(255)]]);
});

test('cbor.decode() refuses an item of more than maxRecordBytes, whole or in pieces', async () => {
  for (const item of [
    `9f ${'00'.repeat(50)} ff`,
    `82 ${`98 18 ${'00'.repeat(24)}`.repeat(2)}`,
    `78 32 ${'61'.repeat(50)}`,
  ]) {
    for (const chunks of everyCut(joined([hex('01'), hex(item), hex('02')]))) {
      const [records, error] = await failing(chunks, { maxRecordBytes: 50 });
      expect(records).toEqual([1]);
      expect(error).toMatchObject({ code: 'ERR_CODECS_SIZE', byteOffset: 1, recordIndex: 1 });
      expect(await decoded(chunks, { maxRecordBytes: 53 })).toHaveLength(3);
    }
  }
});

test('cbor.decode() keeps no more of an item than maxRecordBytes, and takes linear time for single bytes', async () => {
  const record = { blob: new Uint8Array(20_000).fill(7) };
  const bytes = await encoded([record]);
  const chunks = Array.from(bytes, (byte) => Uint8Array.of(byte));
  expect(await decoded(chunks)).toEqual([record]);
  const [, error] = await failing(chunks, { maxRecordBytes: 10_000 });
  expect(error.code).toBe('ERR_CODECS_SIZE');
  expect(await decoded(chunks, { maxRecordBytes: bytes.length })).toEqual([record]);
});

test('cbor.decode() gives 64-bit integers as BigInts or, if they are safe, as numbers', async () => {
  const safe = hex('82 1b 001fffffffffffff 3b 001ffffffffffffe');
  expect(await decoded([safe])).toEqual([[BigInt(Number.MAX_SAFE_INTEGER), BigInt(Number.MIN_SAFE_INTEGER)]]);
  expect(await decoded([safe], { int64: 'number' })).toEqual([[Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]]);
  for (const unsafe of ['1b 0020000000000000', '3b 001fffffffffffff', '81 1b ffffffffffffffff']) {
    const { records, letters } = await rejecting([hex(unsafe), hex('01')], { int64: 'number' });
    expect(records).toEqual([1]);
    expect(letters).toEqual([['ERR_CODECS_INTEGER', 0, 0, hex(unsafe).length]]);
  }
});

test('cbor.decode() changes no prototype for a key __proto__', async () => {
  const [record] = (await decoded([hex('a1 69 5f5f70726f746f5f5f a1 61 61 01')])) as [object];
  expect(Object.getPrototypeOf(record)).toBe(Object.prototype);
  expect(record).toEqual({ __proto_: { a: 1 } });
});

test('cbor.decode() gives bytes of their own, which do not change with the chunk', async () => {
  const chunk = hex('43 010203');
  const [bytes] = (await decoded([chunk])) as [Uint8Array];
  chunk.fill(0);
  expect(bytes).toEqual(Uint8Array.of(1, 2, 3));
  expect(bytes.constructor).toBe(Uint8Array);
});

test('cbor.encode() makes standard CBOR, in chunks of about 64 KiB and at most 256 records', async () => {
  expect(await encoded([1, 'a', { b: [null] }])).toEqual(hex('01 61 61 a1 61 62 81 f6'));
  const chunks = await from(Array.from({ length: 100 }, () => ({ text: 'x'.repeat(30_000) })))
    .pipeThrough(cbor.encode())
    .toArray();
  expect(joined(chunks)).toHaveLength(100 * 30_009);
  expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThan(131_072);
  for (const chunk of chunks) expect(chunk.byteOffset + chunk.length).toBe(chunk.buffer.byteLength);
});

test('cbor.encode() fails behind the chunk of the records before, or skips, or writes a dead letter', async () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  for (const value of [() => {}, Symbol('s'), cycle, { deep: [() => {}] }]) {
    const seen: Uint8Array[] = [];
    const run = from([1, 2, value, 4])
      .pipeThrough(cbor.encode())
      .run((chunk) => void seen.push(chunk));
    const error = await run.finished.catch((reason) => reason);
    expect(joined(seen)).toEqual(hex('01 02'));
    expect(error).toMatchObject({ index: 2, cause: { code: 'ERR_CODECS_VALUE', recordIndex: 2 } });
    const skipping = from([value, 1, value, value, 2, value]).pipeThrough(cbor.encode({ onError: 'skip' }));
    seen.length = 0;
    const summary = await skipping.run((chunk) => void seen.push(chunk)).finished;
    expect(joined(seen)).toEqual(hex('01 02'));
    expect(summary).toMatchObject({ dropped: 4, absorbed: 2, balanced: true });
  }
});

test('cbor.decode() and cbor.encode() throw at once for options that make no sense', () => {
  const code = expect.objectContaining({ code: 'ERR_CORE_ARGUMENT' });
  expect(() => cbor.decode({ maxRecordBytes: 0 })).toThrow(code);
  expect(() => cbor.decode({ maxDepth: 513 })).toThrow(/maxDepth is 513 \(must be at most 512\)/);
  expect(() => cbor.decode({ int64: 'float' as 'number' })).toThrow(/int64 is "float"/);
  expect(() => cbor.decode({ onError: 'ignore' as 'skip' })).toThrow(code);
  expect(() => cbor.decode({ records: true } as never)).toThrow(/option "records" is unknown/);
  expect(() => cbor.encode({ records: true } as never)).toThrow(/option "records" is unknown/);
});
