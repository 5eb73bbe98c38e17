import { type CodecError, cbor, ndjson, type StandardSchema } from '@millrace/codecs';
import { fallback, from, mapAsync, type Pipeline, type StageError } from '@millrace/core';
import { source } from '@millrace/core/authoring';
import { expect, test } from 'vitest';
import { joined, utf8 } from './bytes.js';

// Records that are given for those that cannot be decoded or encoded.

const text = (chunks: readonly Uint8Array[]): string => new TextDecoder().decode(joined(chunks));

interface Told {
  readonly code: string | undefined;
  readonly item: unknown;
  readonly index: number;
  readonly attempts: number;
}

/** Gives the index for each, at once or later, and notes what it is told. */
function instead(isLater: boolean) {
  const told: Told[] = [];
  const policy = fallback((error: unknown, item: unknown, { index, attempts }): number | Promise<number> => {
    const seen = item instanceof Uint8Array ? new TextDecoder().decode(item) : item;
    told.push({ code: (error as CodecError).code, item: seen, index, attempts });
    return isLater ? Promise.resolve(-index) : -index;
  });
  return { told, policy };
}

const even: StandardSchema<number> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => (Number(value) % 2 === 0 ? { value: Number(value) } : { issues: [{ message: 'odd' }] }),
  },
};

const seen = { attempts: 1 };

test.each([true, false])(
  'ndjson.decode() hands on what fallback() gives for a line, in its place (later: %s)',
  async (isLater) => {
    for (const cut of [1, 3, 1_000]) {
      const bytes = utf8('2\noops\n\n4\n5\n123456789012\n6\n{"a":');
      const chunks = Array.from({ length: Math.ceil(bytes.length / cut) }, (_, at) =>
        bytes.slice(at * cut, (at + 1) * cut),
      );
      const { told, policy } = instead(isLater);
      const records: number[] = [];
      const run = from(chunks)
        .pipeThrough(ndjson.decode({ schema: even, maxRecordBytes: 8, onError: policy }))
        .run((record) => void records.push(record));
      const summary = await run.finished;
      expect(records).toEqual([2, -1, 4, -3, -4, 6, -6]);
      expect(told).toEqual([
        { code: 'ERR_CODECS_JSON', item: 'oops', index: 1, ...seen },
        // Nobody asks the schema about -3.
        { code: 'ERR_CODECS_SCHEMA', item: '5', index: 3, ...seen },
        { code: 'ERR_CODECS_SIZE', item: '12345678', index: 4, ...seen },
        { code: 'ERR_CODECS_JSON', item: '{"a":', index: 6, ...seen },
      ]);
      expect(summary).toMatchObject({ made: 7, emitted: 7, dropped: 0, balanced: true });
      expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
      expect(run.inFlight).toBe(0);
    }
  },
);

test('cbor.decode() hands on what fallback() gives for an item whose end is known, and fails for others', async () => {
  const privateTag = [0xd9, 0xdf, 0xff, 0x01];
  const { told, policy } = instead(false);
  const bytes = Uint8Array.of(0x02, ...privateTag, 0x03, 0x04);
  const records = from([bytes]).pipeThrough(cbor.decode({ schema: even, onError: policy }));
  expect(await records.toArray()).toEqual([2, -1, -2, 4]);
  expect(told.map(({ code, index }) => [code, index])).toEqual([
    ['ERR_CODECS_TAG', 1],
    ['ERR_CODECS_SCHEMA', 2],
  ]);
  const broken = from([Uint8Array.of(0x02, 0x1f)]).pipeThrough(cbor.decode({ onError: fallback(() => 0) }));
  await expect(broken.toArray()).rejects.toMatchObject({ stage: 'cbor.decode', cause: { recordIndex: 1 } });
});

test.each([true, false])(
  'ndjson.encode() and cbor.encode() encode what fallback() gives for a record (later: %s)',
  async (isLater) => {
    const items = [undefined, 1, 2n, 3, undefined, undefined];
    const { told, policy } = instead(isLater);
    const chunks: Uint8Array[] = [];
    const run = from(items)
      .pipeThrough(ndjson.encode({ onError: policy }))
      .run((chunk) => void chunks.push(chunk));
    const summary = await run.finished;
    expect(text(chunks)).toBe('0\n1\n-2\n3\n-4\n-5\n');
    expect(told.map(({ item, index }) => [item, index])).toEqual([0, 2, 4, 5].map((n) => [items[n], n]));
    expect(summary).toMatchObject({ read: 6, absorbed: 6, dropped: 0, balanced: true });
    expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
    // What was given to the stage is not changed.
    expect(items).toEqual([undefined, 1, 2n, 3, undefined, undefined]);

    const other = instead(isLater);
    const bytes = from([1, () => {}, 2]).pipeThrough(cbor.encode({ onError: other.policy }));
    expect(joined(await bytes.toArray())).toEqual(Uint8Array.of(1, 0x20, 2));
  },
);

test.each([ndjson, cbor])(
  'encode() leaves the array of a source as it is, whatever fallback() gives',
  async ({ encode }) => {
    const circle: unknown[] = [];
    circle.push(circle);
    const records = Object.freeze([1, circle, 3]);
    let left: readonly unknown[] | undefined = records;
    const read = (): readonly unknown[] | undefined => {
      const given = left;
      left = undefined;
      return given;
    };
    const frozen = source<unknown>({ name: 'frozen', open: () => ({ read, close: () => {} }) });
    const chunks = await frozen.pipeThrough(encode({ onError: fallback(() => 0) })).toArray();
    expect(joined(chunks)).toEqual(joined(await from<unknown>([1, 0, 3]).pipeThrough(encode()).toArray()));
    expect(records).toEqual([1, circle, 3]);
  },
);

test('ndjson.encode() fails where what fallback() gives cannot be encoded either, with the first error beside it', async () => {
  const calls: unknown[] = [];
  const onError = fallback((_error, record) => {
    calls.push(record);
    return 9n;
  });
  const chunks: Uint8Array[] = [];
  const run = from<unknown>([1, 2n, 3])
    .pipeThrough(ndjson.encode({ onError }))
    .run((chunk) => void chunks.push(chunk));
  const error = (await run.finished.catch((reason) => reason)) as StageError;
  expect(error).toMatchObject({ stage: 'ndjson.encode', index: 1, cause: { code: 'ERR_CODECS_VALUE' } });
  expect(error.others).toMatchObject([{ code: 'ERR_CODECS_VALUE', recordIndex: 1 }]);
  expect([calls, text(chunks), run.inFlight]).toEqual([[2n], '1\n', 0]);
});

test.each(['throws', 'promises and breaks'])('a decoder and an encoder fail with what fallback() %s', async (how) => {
  const problem = new Error('nothing to give');
  const onError = fallback((): Promise<number> => {
    if (how === 'throws') throw problem;
    return Promise.reject(problem);
  });
  const decoded = from([utf8('1\noops\n')]).pipeThrough(ndjson.decode<number>({ onError }));
  await expect(decoded.toArray()).rejects.toMatchObject({
    index: 1,
    cause: problem,
    others: [{ code: 'ERR_CODECS_JSON' }],
  });
  const encoded = from<unknown>([1, 2n]).pipeThrough(ndjson.encode({ onError }));
  await expect(encoded.toArray()).rejects.toMatchObject({
    index: 1,
    cause: problem,
    others: [{ code: 'ERR_CODECS_VALUE' }],
  });
});

test('a decoder and an encoder count what is inside as abandoned that waits for fallback() when the run is aborted', async () => {
  for (const what of ['decode', 'encode'] as const) {
    let begin = (): void => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const onError = fallback((): Promise<number> => {
      begin();
      return new Promise<number>(() => {});
    });
    const run =
      what === 'decode'
        ? from([utf8('oops\n')])
            .pipeThrough(ndjson.decode<number>({ onError }))
            .run(() => {})
        : from<unknown>([1n])
            .pipeThrough(ndjson.encode({ onError }))
            .run(() => {});
    await begun;
    const reason = new Error('enough');
    run.abort(reason);
    await expect(run.finished).rejects.toBe(reason);
    expect(run.inFlight).toBe(0);
    expect(run.counts()[1]).toMatchObject({ in: 1, abandoned: 1, held: 0 });
  }
});

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

test('what fallback() gives for a record has its origin', async () => {
  const originOf = mapAsync((item: unknown, { origin }) => [item, origin?.offset]);
  const decoded = log(['1\n', 'oops\n', '3\n'].map(utf8))
    .pipeThrough(ndjson.decode<number>({ onError: fallback(() => 0) }))
    .pipeThrough(originOf);
  expect(await decoded.toArray({ context: true })).toEqual([
    [1, 0],
    [0, 1],
    [3, 2],
  ]);
  const encoded = log<unknown>([1, 2n])
    .pipeThrough(ndjson.encode({ onError: fallback(() => 0) }))
    .pipeThrough(mapAsync((chunk, { origin }) => [text([chunk]), origin?.offset]));
  expect(await encoded.toArray({ context: true })).toEqual([
    ['1\n', 0],
    ['0\n', 1],
  ]);
});

test('decoders and encoders refuse retry, which would meet the same bytes or record again', () => {
  const retry = { attempts: 3 };
  for (const make of [ndjson.decode, ndjson.encode, cbor.decode, cbor.encode]) {
    expect(() => make({ retry } as object)).toThrow(/option "retry" is unknown/);
    expect(() => make({ onError: { fallback: 1 } as never })).toThrow(/fallback\(fn\)\)/);
  }
});
