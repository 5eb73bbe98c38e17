import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cbor } from '@millrace/codecs';
import { from } from '@millrace/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Flight } from './night/flight.js';
import { openRejectArchive } from './reject-archive.js';
import { rejectImpossible } from './reject-impossible.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'demo-rejects-'));
});

afterAll(() => rm(folder, { recursive: true }));

function flight(number: number): Flight {
  const isImpossible = number % 2 === 1;
  return {
    departureWallMs: isImpossible && number % 3 === 0 ? Number.NaN : Date.UTC(2001, 0, 1) + number * 60_000,
    delayMinutes: isImpossible ? -9_999 : 3,
    distanceMiles: 533,
    origin: 'ATL',
    destination: 'IAD',
  };
}

const read = (path: string): Promise<unknown[]> =>
  readFile(path).then((bytes) => from([bytes]).pipeThrough(cbor.decode()).toArray());

test('openRejectArchive() keeps each impossible flight, its place and what is wrong with it, as a sequence of CBOR items', async () => {
  const path = join(folder, 'all.cborseq');
  await writeFile(path, 'of an earlier run');
  const archive = await openRejectArchive(path);
  const flights = Array.from({ length: 2_000 }, (_, number) => flight(number));
  const run = from(flights)
    .pipeThrough(rejectImpossible(archive.office))
    .run(() => {});
  const summary = await run.finished;
  await archive.close();
  expect(summary.stages[1]).toMatchObject({ in: 2_000, out: 1_000, deadLettered: 1_000, abandoned: 0 });
  expect(summary.balanced).toBe(true);
  const records = await read(path);
  expect(records).toEqual(
    flights.flatMap((each, index) =>
      index % 2 === 1 ? [{ fault: index % 3 === 0 ? 'departure' : 'delay', index, ...each }] : [],
    ),
  );
});

test('openRejectArchive() leaves an empty file where nothing is rejected, and may be closed twice', async () => {
  const path = join(folder, 'none.cborseq');
  const archive = await openRejectArchive(path);
  await archive.close();
  await archive.close();
  expect(await readFile(path, 'utf8')).toBe('');
});

test('openRejectArchive() says at once that a file cannot be written', async () => {
  const nowhere = openRejectArchive(join(folder, 'no/such/folder'));
  await expect(nowhere).rejects.toThrow(
    /^Cannot write the rejected flights to ".*folder": ENOENT.* \(it must be .*\)$/,
  );
});
