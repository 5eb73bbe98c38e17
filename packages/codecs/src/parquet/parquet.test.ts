import { CodecError, type NumberColumn, type ParquetFile, parquet } from '@millrace/codecs';
import { StageError } from '@millrace/core';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { expect, expectTypeOf, test } from 'vitest';

const TEN = parquetWriteBuffer({
  columnData: [{ name: 'n', data: Int32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), type: 'INT32' }],
  rowGroupSize: 4,
});

function counted(bytes: ArrayBuffer): ParquetFile & { slices: number } {
  return {
    slices: 0,
    byteLength: bytes.byteLength,
    slice(start, end) {
      this.slices += 1;
      return bytes.slice(start, end);
    },
  };
}

test('parquet() gives the row groups in order, anew for each run', async () => {
  const groups = parquet(TEN, { columns: { n: 'number' } });
  for (let run = 0; run < 2; run++) {
    const seen = await groups.toArray();
    expect(seen.map(({ rowStart, columns }) => [rowStart, ...columns.n])).toEqual([
      [0, 1, 2, 3, 4],
      [4, 5, 6, 7, 8],
      [8, 9, 10],
    ]);
  }
  expectTypeOf(await groups.first()).toEqualTypeOf<
    | {
        readonly index: number;
        readonly rowStart: number;
        readonly rowCount: number;
        readonly columns: { readonly n: NumberColumn };
      }
    | undefined
  >();
});

test('parquet() reads nothing before it is asked, and no group beyond what is asked for', async () => {
  const file = counted(TEN);
  const groups = parquet(file, { columns: ['n'] });
  expect(groups.explain().bound).toBe(0);
  const iterator = groups.values();
  expect(file.slices).toBe(0);
  await iterator.next();
  const afterOne = file.slices;
  await iterator.return?.();
  expect(file.slices).toBe(afterOne);
});

test('parquet() fails its run with a StageError that has the CodecError as its cause', async () => {
  const error: unknown = await parquet(TEN.slice(0, 40), { columns: ['n'] })
    .toArray()
    .catch((reason) => reason);
  expect(error).toBeInstanceOf(StageError);
  expect(error).toMatchObject({ stage: 'parquet', index: 0, cause: { code: 'ERR_CODECS_PARQUET' } });
  expect((error as StageError).cause).toBeInstanceOf(CodecError);
});

test('parquet() stops reading when its run is aborted in the middle of a group, and rejects with the reason', async () => {
  const reason = new Error('enough');
  const file = counted(TEN);
  const { slice } = file;
  file.slice = (start, end) => {
    if (file.slices === 2) run.abort(reason);
    return slice.call(file, start, end);
  };
  const run = parquet(file, { columns: ['n'] }).run(() => {});
  await expect(run.finished).rejects.toBe(reason);
  expect(file.slices).toBe(3);
});

test('parquet() throws at once for arguments that make no sense', () => {
  const code = expect.objectContaining({ code: 'ERR_CORE_ARGUMENT' });
  expect(() => parquet(TEN, { columns: [] })).toThrow(code);
  expect(() => parquet(TEN, { columns: { n: 'numbers' as 'number' } })).toThrow(/the kind of column "n" is "numbers"/);
  expect(() => parquet('flights.parquet' as never, { columns: ['n'] })).toThrow(/file is "flights.parquet"/);
  expect(() => parquet(TEN, { columns: ['n'], name: '' })).toThrow(code);
  const options = { columns: ['n'], colour: 'red' };
  expect(() => parquet(TEN, options)).toThrow(/option "colour" is unknown/);
});
