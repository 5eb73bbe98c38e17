import { cbor, ndjson, type StandardSchema } from '@millrace/codecs';
import { fallback, from, type Pipeline } from '@millrace/core';
import { expectTypeOf, test } from 'vitest';

declare const schema: StandardSchema<{ id: number }>;
const bytes = from([new Uint8Array(0)]);

test('ndjson.decode() and cbor.decode() take a fallback() that gives records of their type', () => {
  for (const decode of [ndjson.decode, cbor.decode]) {
    const records = bytes.pipeThrough(decode({ schema, onError: fallback(() => ({ id: 0 })) }));
    expectTypeOf(records).toEqualTypeOf<Pipeline<{ id: number }>>();
    const later = bytes.pipeThrough(decode<number | null>({ onError: fallback(async () => null) }));
    expectTypeOf(later).toEqualTypeOf<Pipeline<number | null>>();
    decode({ onError: fallback((_error, line) => line.length) });
    // @ts-expect-error the schema says otherwise
    decode({ schema, onError: fallback(() => 'none') });
    // @ts-expect-error it is given bytes
    decode({ onError: fallback((_error, line: string) => line) });
  }
});

test('ndjson.encode() and cbor.encode() take a fallback() for their records that gives anything', () => {
  for (const encode of [ndjson.encode, cbor.encode]) {
    from([{ id: 1n }]).pipeThrough(encode({ onError: fallback((_error, { id }: { id: bigint }) => String(id)) }));
    // @ts-expect-error the records are others
    from([1]).pipeThrough(encode({ onError: fallback((_error, record: string) => record) }));
  }
});
