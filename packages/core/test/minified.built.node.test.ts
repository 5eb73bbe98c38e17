import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';

// The copied loops are only fast while their textual copies stay apart: a minifier that merged equal classes would undo
// them. And a loop that is generated names its parts itself, so that renaming must not touch them.

let folder: string;
let bundle: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-minified-'));
  bundle = join(folder, 'core.mjs');
  const entry = fileURLToPath(import.meta.resolve('@millrace/core'));
  await build({ entryPoints: [entry], outfile: bundle, bundle: true, minify: true, format: 'esm', treeShaking: true });
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

test('the minified bundle keeps all copies of the loops', async () => {
  const classes = (await readFile(bundle, 'utf8')).match(/class extends \w+\{push\(/g) ?? [];
  expect(classes.length).toBeGreaterThanOrEqual(128 + 64 + 4 * 32);
});

test.for([true, false])('the minified bundle gives the same results, with generated loops: %s', async (generate) => {
  const core: typeof import('@millrace/core') = await import(pathToFileURL(bundle).href);
  const sums = await core
    .from([1, 2, 3, 4, 5, 6])
    .pipeThrough(core.filter((n) => n !== 2))
    .pipeThrough(core.flatMap((n) => [n, n * 10]))
    .pipeThrough(core.scan((sum, n: number) => sum + n, 0))
    .pipeThrough(core.batch({ maxItems: 4 }))
    .pipeThrough(core.take(2))
    .toArray({ generate });
  expect(sums).toEqual([
    [1, 11, 14, 44],
    [48, 88, 93, 143],
  ]);
});
