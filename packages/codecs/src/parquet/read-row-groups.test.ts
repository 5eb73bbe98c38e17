import { type NumberColumn, type ParquetColumn, type ParquetFile, readRowGroups } from '@millrace/codecs';
import { type FileMetaData, parquetMetadata } from 'hyparquet';
import { ByteWriter, type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import { expect, expectTypeOf, test } from 'vitest';

function write(columnData: ColumnSource[], rowGroupSize = 4): ArrayBuffer {
  return parquetWriteBuffer({ columnData, rowGroupSize });
}

/** Puts another footer after the pages of a file. */
function withFooter(file: Uint8Array, metadata: FileMetaData): ArrayBuffer {
  const writer = new ByteWriter();
  writer.appendBytes(file.subarray(0, file.length - metadata.metadata_length - 8));
  writeMetadata(writer, metadata);
  writer.appendUint32(0x31524150);
  return writer.getBuffer();
}

async function readColumn(file: ParquetFile, name: string): Promise<ParquetColumn[]> {
  const columns: ParquetColumn[] = [];
  for await (const group of readRowGroups(file, { columns: [name] }))
    columns.push(group.columns[name] as ParquetColumn);
  return columns;
}

async function failure(generator: AsyncGenerator): Promise<Error & { code?: string }> {
  try {
    for await (const _ of generator);
  } catch (error) {
    return error as Error;
  }
  throw new Error('Nothing was thrown');
}

test('readRowGroups() yields each group with its place in the file', async () => {
  const file = write([{ name: 'n', data: Int32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), type: 'INT32' }]);
  const seen: unknown[] = [];
  for await (const { index, rowStart, rowCount, columns } of readRowGroups(file, { columns: { n: 'number' } })) {
    expectTypeOf(columns.n).toEqualTypeOf<NumberColumn>();
    seen.push([index, rowStart, rowCount, [...columns.n]]);
  }
  expect(seen).toEqual([
    [0, 0, 4, [1, 2, 3, 4]],
    [1, 4, 4, [5, 6, 7, 8]],
    [2, 8, 2, [9, 10]],
  ]);
});

test('readRowGroups() makes typed arrays as narrow as the stored type', async () => {
  const at = new Date('2001-06-30T23:59:00.123Z');
  const file = write([
    { name: 'int32', data: Int32Array.of(-1, 2), type: 'INT32' },
    { name: 'int64', data: BigInt64Array.of(-(2n ** 53n) + 1n, 2n ** 53n - 1n), type: 'INT64' },
    { name: 'float', data: Float32Array.of(0.5, -1.5), type: 'FLOAT' },
    { name: 'double', data: Float64Array.of(0.1, Infinity), type: 'DOUBLE' },
    { name: 'instant', data: [at, new Date(0)], type: 'TIMESTAMP' },
    { name: 'boolean', data: [true, false], type: 'BOOLEAN' },
    { name: 'text', data: ['grüezi', ''], type: 'STRING' },
  ]);
  expect(await readColumn(file, 'int32')).toEqual([Int32Array.of(-1, 2)]);
  expect(await readColumn(file, 'int64')).toEqual([Float64Array.of(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)]);
  expect(await readColumn(file, 'float')).toEqual([Float32Array.of(0.5, -1.5)]);
  expect(await readColumn(file, 'double')).toEqual([Float64Array.of(0.1, Infinity)]);
  expect(await readColumn(file, 'instant')).toEqual([Float64Array.of(at.getTime(), 0)]);
  expect(await readColumn(file, 'boolean')).toEqual([Uint8Array.of(1, 0)]);
  expect(await readColumn(file, 'text')).toEqual([['grüezi', '']]);
});

test('readRowGroups() keeps whole milliseconds whole, however the file counts them', async () => {
  const ms = Date.UTC(2001, 5, 30, 23, 59, 0, 123);
  const data = [BigInt(ms), BigInt(ms) * 1_000n, BigInt(ms) * 1_000_000n];
  for (const [i, unit] of (['MILLIS', 'MICROS', 'NANOS'] as const).entries()) {
    const file = parquetWriteBuffer({
      columnData: [{ name: 't', data: [data[i]] }],
      schema: [
        { name: 'root', num_children: 1 },
        {
          name: 't',
          type: 'INT64',
          repetition_type: 'REQUIRED',
          logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit },
        },
      ],
    });
    expect(await readColumn(file, 't')).toEqual([Float64Array.of(ms)]);
  }
});

test('readRowGroups() gives NaN or null for a null, also in an INT32 column', async () => {
  const file = write([
    { name: 'int32', data: [1, null, 3, 4, 5], type: 'INT32', nullable: true },
    { name: 'int64', data: [null, 2n, 3n, 4n, 5n], type: 'INT64', nullable: true },
    { name: 'text', data: ['a', null, 'b', 'c', 'd'], type: 'STRING', nullable: true },
  ]);
  expect(await readColumn(file, 'int32')).toEqual([Float64Array.of(1, Number.NaN, 3, 4), Int32Array.of(5)]);
  expect(await readColumn(file, 'int64')).toEqual([Float64Array.of(Number.NaN, 2, 3, 4), Int32Array.of(5)]);
  expect(await readColumn(file, 'text')).toEqual([['a', null, 'b', 'c'], ['d']]);
});

test('readRowGroups() names column and row of a null among booleans and of an integer beyond 2^53', async () => {
  const file = write([
    { name: 'yes', data: [true, true, true, true, true, null], type: 'BOOLEAN', nullable: true },
    { name: 'big', data: [1n, 2n, 3n, 4n, 5n, 2n ** 53n], type: 'INT64' },
  ]);
  const boolean = await failure(readRowGroups(file, { columns: ['yes'] }));
  expect(boolean.code).toBe('ERR_CODECS_PARQUET');
  expect(boolean.message).toBe('Cannot decode column "yes" at row 5: it holds null (it must hold true or false)');
  const big = await failure(readRowGroups(file, { columns: ['big'] }));
  expect(big.code).toBe('ERR_CODECS_PARQUET');
  expect(big.message).toMatch(/^Cannot decode column "big" at row 5: it holds an integer beyond 2\^53/);
});

test('readRowGroups() lists the columns there are when one is missing', async () => {
  const file = write([
    { name: 'date', data: [1], type: 'INT32' },
    { name: 'delay', data: [1], type: 'INT32' },
  ]);
  const error = await failure(readRowGroups(file, { columns: ['datum'] }));
  expect(error.code).toBe('ERR_CODECS_PARQUET');
  expect(error.message).toBe('Cannot read column "datum": it is not in the file (which has "date", "delay")');
});

test('readRowGroups() refuses a column of another kind than asked for, or of none', async () => {
  const file = write([
    { name: 'text', data: ['a'], type: 'STRING' },
    { name: 'json', data: [{ a: 1 }], type: 'JSON' },
  ]);
  const other = await failure(readRowGroups(file, { columns: { text: 'number' } }));
  expect(other.message).toBe('Cannot read column "text": it is of kind "string" ("number" was asked for)');
  const none = await failure(readRowGroups(file, { columns: ['json'] }));
  expect(none.message).toMatch(/^Cannot read column "json": it is neither numbers nor text \(.*JSON\)/);
});

test('readRowGroups() says in one error what is wrong with bytes that are no Parquet file', async () => {
  const good = new Uint8Array(write([{ name: 'n', data: [1, 2, 3], type: 'INT32' }]));
  const text = new TextEncoder().encode('date,delay\n2001-01-01,5\n');
  for (const bytes of [new Uint8Array(0), text, good.slice(0, -1), good.slice(good.length - 12)]) {
    const error = await failure(readRowGroups(bytes.buffer, { columns: ['n'] }));
    expect(error.code).toBe('ERR_CODECS_PARQUET');
    expect(error.message).toMatch(/^Cannot read a Parquet file: /);
  }
});

test('readRowGroups() never ends quietly with rows missing when bytes are changed', async () => {
  const data = Float64Array.from({ length: 30 }, (_, i) => i / 7);
  const good = new Uint8Array(write([{ name: 'n', data, type: 'DOUBLE', encoding: 'PLAIN' }], 10));
  let broken = 0;
  for (let at = 0; at < good.length; at++) {
    const bytes = good.slice();
    bytes[at] = (bytes[at] as number) ^ 0xff;
    try {
      for await (const group of readRowGroups(bytes.buffer, { columns: { n: 'number' } })) {
        expect(group.columns.n).toHaveLength(group.rowCount);
      }
    } catch (error) {
      expect(error).toMatchObject({ name: 'CodecError', code: 'ERR_CODECS_PARQUET' });
      broken += 1;
    }
  }
  expect(broken).toBeGreaterThan(good.length / 4);
});

test('readRowGroups() refuses pages that do not hold the rows their group claims', async () => {
  // Two groups of two rows, whose footer is that of one group of four.
  const column: ColumnSource = { name: 'n', data: Int32Array.of(1, 2, 3, 4), type: 'INT32', encoding: 'PLAIN' };
  const two = new Uint8Array(parquetWriteBuffer({ columnData: [column], rowGroupSize: 2, codec: 'UNCOMPRESSED' }));
  const metadata = parquetMetadata(two);
  const [first] = metadata.row_groups;
  if (first === undefined) throw new Error('The writer has written no row group');
  const file = withFooter(two, { ...metadata, row_groups: [{ ...first, num_rows: 4n }] });
  const error = await failure(readRowGroups(file, { columns: ['n'] }));
  expect(error.message).toBe('Cannot decode column "n" in row group 0: its pages hold 2 rows (its row group has 4)');
});

test('readRowGroups() refuses a group that claims more rows than maxGroupRows', async () => {
  const file = write([{ name: 'n', data: [1, 2, 3, 4], type: 'INT32' }]);
  const error = await failure(readRowGroups(file, { columns: ['n'], maxGroupRows: 3 }));
  expect(error.message).toBe('Cannot decode row group 0: it claims 4 rows (at most 3 by maxGroupRows)');
});

test('readRowGroups() passes on what the file throws, unchanged, and notices when bytes are missing', async () => {
  const good = write([{ name: 'n', data: [1, 2, 3], type: 'INT32' }]);
  const cause = new Error('the disk is gone');
  let calls = 0;
  const failing: ParquetFile = {
    byteLength: good.byteLength,
    slice(start, end) {
      calls += 1;
      if (calls === 3) throw cause;
      return good.slice(start, end);
    },
  };
  expect(await failure(readRowGroups(failing, { columns: ['n'] }))).toBe(cause);
  const short: ParquetFile = {
    byteLength: good.byteLength,
    slice: (start, end) => good.slice(start, (end ?? good.byteLength) - 1),
  };
  const error = await failure(readRowGroups(short, { columns: ['n'] }));
  expect(error.message).toMatch(/^Cannot read a Parquet file: 3 of 4 bytes came from byte \d+/);
});

test('readRowGroups() rejects with the reason of its signal, before and between groups', async () => {
  const file = write([{ name: 'n', data: [1, 2, 3, 4, 5], type: 'INT32' }]);
  const reason = new Error('enough');
  const aborted = readRowGroups(file, { columns: ['n'], signal: AbortSignal.abort(reason) });
  expect(await failure(aborted)).toBe(reason);
  const controller = new AbortController();
  let slices = 0;
  const counted: ParquetFile = {
    byteLength: file.byteLength,
    slice(start, end) {
      slices += 1;
      return file.slice(start, end);
    },
  };
  const groups = readRowGroups(counted, { columns: ['n'], signal: controller.signal });
  await groups.next();
  const before = slices;
  controller.abort(reason);
  expect(await failure(groups)).toBe(reason);
  expect(slices).toBe(before);
});

test('readRowGroups() throws at once for arguments that make no sense', () => {
  const code = expect.objectContaining({ code: 'ERR_CORE_ARGUMENT' });
  const file = new ArrayBuffer(0);
  expect(() => readRowGroups(file, { columns: [] })).toThrow(code);
  expect(() => readRowGroups(file, { columns: ['n'], maxGroupRows: 0 })).toThrow(code);
  const options = { columns: ['n'], colour: 'red' };
  expect(() => readRowGroups(file, options)).toThrow(/option "colour" is unknown/);
});
