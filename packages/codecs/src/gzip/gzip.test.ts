import { gunzip, gzip } from '@millrace/codecs';
import { from } from '@millrace/core';
import { expect, test } from 'vitest';
import { joined, utf8 } from '../../test/bytes.js';

const LINES = utf8('to and fro, '.repeat(2_000));

test('gzip() and gunzip() give back the bytes, for any number of runs', async () => {
  const packed = from([LINES.subarray(0, 7), LINES.subarray(7)]).pipeThrough(gzip());
  for (let run = 0; run < 2; run++) {
    const bytes = joined(await packed.toArray());
    expect(bytes.length).toBeLessThan(LINES.length / 10);
    expect(joined(await from([bytes]).pipeThrough(gunzip()).toArray())).toEqual(LINES);
  }
});

test('gunzip() fails for bytes that are not gzip, and for gzip that is cut short', async () => {
  const packed = joined(await from([LINES]).pipeThrough(gzip()).toArray());
  for (const bytes of [LINES, packed.slice(0, -9)]) {
    const error = await from([bytes])
      .pipeThrough(gunzip())
      .toArray()
      .catch((reason) => reason);
    expect(error).toMatchObject({ stage: 'gunzip', code: 'ERR_CORE_STAGE' });
  }
});

test('gzip() and gunzip() throw at once for options that make no sense', () => {
  expect(() => gzip({ level: 9 } as never)).toThrow(/option "level" is unknown/);
  expect(() => gunzip({ level: 9 } as never)).toThrow(/option "level" is unknown/);
});
