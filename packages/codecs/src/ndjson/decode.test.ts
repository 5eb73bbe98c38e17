import { CodecError, ndjson } from '@millrace/codecs';
import { type DeadLetter, deadLetter, from, type RunSummary, StageError } from '@millrace/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cut, everyCut, joined, places, utf8 } from '../../test/bytes.js';

type Options = Parameters<typeof ndjson.decode>[0];

function decoded(chunks: readonly Uint8Array[], options?: Options): Promise<unknown[]> {
  return from(chunks).pipeThrough(ndjson.decode(options)).toArray();
}

async function failure(chunks: readonly Uint8Array[], options?: Options): Promise<CodecError> {
  const error: unknown = await decoded(chunks, options).catch((reason) => reason);
  expect(error).toBeInstanceOf(StageError);
  const { cause } = error as StageError;
  expect(cause).toBeInstanceOf(CodecError);
  return cause as CodecError;
}

/** What skipping and dead-lettering made of the bytes. */
async function rejecting(
  chunks: readonly Uint8Array[],
  options: Options = {},
): Promise<{ records: unknown[]; letters: [string, number, number, string][]; summary: RunSummary }> {
  const letters: DeadLetter<Uint8Array>[] = [];
  const onError = deadLetter<Uint8Array>(new WritableStream({ write: (letter) => void letters.push(letter) }));
  const records: unknown[] = [];
  const run = from(chunks)
    .pipeThrough(ndjson.decode({ ...options, onError }))
    .run((record) => void records.push(record));
  const summary = await run.finished;
  return {
    records,
    letters: letters.map(({ error, index, item }) => {
      const { code, byteOffset, recordIndex } = error as CodecError;
      expect(index).toBe(recordIndex);
      return [code, index, byteOffset as number, new TextDecoder().decode(item)];
    }),
    summary,
  };
}

test('ndjson.decode() gives what ndjson.encode() was given, however the bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.jsonValue()), places, async (values, cuts) => {
      // What JSON itself does not keep: -0.
      const records = values.map((value) => JSON.parse(JSON.stringify(value)) as unknown);
      const bytes = joined(await from(records).pipeThrough(ndjson.encode()).toArray());
      expect(await decoded(cut(bytes, cuts))).toEqual(records);
    }),
  );
});

test('ndjson.decode() gives the same records, errors and places for every cut of hard bytes', async () => {
  const bytes = joined([
    utf8('\uFEFF{"a":"grüezi 😀"}\r\n\r\n  \n\n[1,2]\nnot json\n'),
    Uint8Array.of(0x22, 0xff, 0x22, 10),
    utf8('"0123456789012345678901234567890"\r\n"€€€€€€€€€"\n"€€€€€€€€€€€€"\nnull\n{"open":'),
  ]);
  for (const chunks of everyCut(bytes)) {
    const { records, letters, summary } = await rejecting(chunks, { maxRecordBytes: 32 });
    expect(records).toEqual([{ a: 'grüezi 😀' }, [1, 2], '€€€€€€€€€', null]);
    expect(letters).toEqual([
      ['ERR_CODECS_JSON', 2, 37, 'not json'],
      ['ERR_CODECS_UTF8', 3, 46, '"\uFFFD"'],
      ['ERR_CODECS_SIZE', 4, 50, '"0123456789012345678901234567890'],
      ['ERR_CODECS_SIZE', 6, 115, '"€€€€€€€€€€\uFFFD'],
      ['ERR_CODECS_JSON', 8, bytes.length - 8, '{"open":'],
    ]);
    expect(summary).toMatchObject({ deadLettered: 5, emitted: 4, balanced: true });
    expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
  }
});

test('ndjson.decode() accepts a last line with and without its end, and nothing at all', async () => {
  expect(await decoded([utf8('1\n2')])).toEqual([1, 2]);
  expect(await decoded([utf8('1\n2\n')])).toEqual([1, 2]);
  expect(await decoded([utf8('1\r\n2\r')])).toEqual([1, 2]);
  expect(await decoded([])).toEqual([]);
  expect(await decoded([utf8(''), utf8('\uFEFF'), utf8('\n')])).toEqual([]);
});

test('ndjson.decode() fails behind the records before, and says what, where and which', async () => {
  const seen: unknown[] = [];
  const run = from([utf8('1\n'), utf8('2\nthree\n4\n')])
    .pipeThrough(ndjson.decode({ name: 'lines' }))
    .run((record) => void seen.push(record));
  const error: StageError = await run.finished.catch((reason) => reason);
  expect(seen).toEqual([1, 2]);
  expect(error).toMatchObject({ stage: 'lines', cause: { code: 'ERR_CODECS_JSON', byteOffset: 4, recordIndex: 2 } });
  expect((error.cause as Error).message).toBe(
    'Cannot decode NDJSON record 2 at byte 4: it is not JSON (must be one JSON value on one line)',
  );
  expect((error.cause as Error).cause).toBeInstanceOf(SyntaxError);
});

test('ndjson.decode() counts a skipped line as dropped', async () => {
  const run = from([utf8('1\n{\n3\n')])
    .pipeThrough(ndjson.decode({ onError: 'skip' }))
    .run(() => {});
  expect(await run.finished).toMatchObject({ emitted: 2, dropped: 1, absorbed: 1, abandoned: 0, balanced: true });
});

test('ndjson.decode() refuses a line as soon as it is too long, and goes on behind it', async () => {
  let chunks = 0;
  const endless = from(function* () {
    yield utf8('1\n"');
    for (;;) {
      chunks++;
      yield utf8('x'.repeat(100));
    }
  });
  const run = endless.pipeThrough(ndjson.decode({ maxRecordBytes: 1_000, highWaterMark: 0 })).run(() => {});
  await expect(run.finished).rejects.toMatchObject({
    cause: { code: 'ERR_CODECS_SIZE', byteOffset: 2, recordIndex: 1 },
  });
  expect(chunks).toBe(11);
  const long = ['1\n"', 'x'.repeat(50), 'x'.repeat(50), 'x"\n2\n"', 'y'.repeat(50), '"\n', '3'].map(utf8);
  const { records, letters } = await rejecting(long, { maxRecordBytes: 20 });
  expect(records).toEqual([1, 2, 3]);
  expect(letters).toEqual([
    ['ERR_CODECS_SIZE', 1, 2, `"${'x'.repeat(19)}`],
    ['ERR_CODECS_SIZE', 3, 108, `"${'y'.repeat(19)}`],
  ]);
});

test('ndjson.decode() takes linear time for a record in single bytes', async () => {
  const text = JSON.stringify('x'.repeat(20_000));
  const chunks = Array.from(utf8(text), (byte) => Uint8Array.of(byte));
  expect(await decoded(chunks)).toEqual(['x'.repeat(20_000)]);
});

test('ndjson.decode() parses no more than it is asked for', async () => {
  let reads = 0;
  const source = from(function* () {
    for (;;) {
      reads++;
      yield utf8('1\n2\n3\n');
    }
  });
  const iterator = source.pipeThrough(ndjson.decode({ highWaterMark: 0 })).values();
  for (const expected of [1, 2, 3]) expect(await iterator.next()).toEqual({ done: false, value: expected });
  expect(reads).toBe(1);
  await iterator.return?.();
});

test('ndjson.decode() makes a key __proto__ a property and changes no prototype', async () => {
  const [record] = (await decoded([utf8('{"__proto__":{"isAdmin":true}}\n')])) as [object];
  expect(Object.hasOwn(record, '__proto__')).toBe(true);
  expect(Object.getPrototypeOf(record)).toBe(Object.prototype);
  expect((record as { isAdmin?: boolean }).isAdmin).toBeUndefined();
});

test('ndjson.decode() refuses chunks that are no bytes', async () => {
  const error = await failure(['{"id":1}\n'] as never);
  expect(error).toMatchObject({ code: 'ERR_CODECS_BYTES' });
  expect(error.message).toBe('Cannot decode a chunk: it is of type "string" (must be a Uint8Array; encode text first)');
});

test('ndjson.decode() gives up its chunk when the run is aborted', async () => {
  const reason = new Error('enough');
  const run = from([utf8('1\n2\n3\n')])
    .pipeThrough(ndjson.decode())
    .run({
      open: () => ({
        write() {
          queueMicrotask(() => run.abort(reason));
          return new Promise(() => {});
        },
      }),
      highWaterMark: 0,
    });
  await expect(run.finished).rejects.toBe(reason);
  expect(run.inFlight).toBe(0);
  expect(run.counts()[1]).toMatchObject({ in: 1, made: 1, out: 1, abandoned: 1, held: 0 });
});

test('ndjson.decode() works as a native pair', async () => {
  const stream = new Blob(['1\n2\n', '3\n']).stream().pipeThrough(ndjson.decode<number>());
  expect(await from(stream).toArray()).toEqual([1, 2, 3]);
});

test('ndjson.decode() throws at once for options that make no sense', () => {
  const code = expect.objectContaining({ code: 'ERR_CORE_ARGUMENT' });
  expect(() => ndjson.decode({ maxRecordBytes: 0 })).toThrow(code);
  expect(() => ndjson.decode({ maxRecordBytes: Number.POSITIVE_INFINITY })).toThrow(code);
  expect(() => ndjson.decode({ onError: 'ignore' as 'skip' })).toThrow(/onError is "ignore"/);
  expect(() => ndjson.decode({ maxLineBytes: 5 } as never)).toThrow(/option "maxLineBytes" is unknown/);
});
