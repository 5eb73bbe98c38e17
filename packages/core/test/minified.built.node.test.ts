import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { minify } from 'terser';
import { afterAll, beforeAll, expect, test } from 'vitest';

// The copied loops are only fast while their textual copies stay apart: a minifier that merged equal classes would undo
// them. And a loop that is generated names its parts itself, so that renaming must not touch them.

const bundled = async (isMinified: boolean): Promise<string> => {
  const entryPoints = [fileURLToPath(import.meta.resolve('@millrace/core'))];
  const { outputFiles } = await build({ entryPoints, bundle: true, minify: isMinified, format: 'esm', write: false });
  return outputFiles[0]?.text ?? '';
};

const minifiers: Record<string, () => Promise<string>> = {
  esbuild: () => bundled(true),
  terser: async () => (await minify(await bundled(false), { module: true })).code ?? '',
};

let folder: string;
const texts = new Map<string, string>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-minified-'));
  for (const [by, text] of Object.entries(minifiers)) {
    texts.set(by, await text());
    await writeFile(join(folder, `${by}.mjs`), texts.get(by) as string);
  }
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

test.for(Object.keys(minifiers))('the bundle minified by %s keeps all copies of the loops', (by) => {
  const classes = texts.get(by)?.match(/class extends \w+\s?\{push\(/g) ?? [];
  expect(classes.length).toBeGreaterThanOrEqual(128 + 64 + 4 * 32);
});

const ways = Object.keys(minifiers).flatMap((by) => [true, false].map((generate) => ({ by, generate })));

test.for(ways)('the bundle minified by $by gives the same results, with generated loops: $generate', async (way) => {
  const { by, generate } = way;
  const core: typeof import('@millrace/core') = await import(pathToFileURL(join(folder, `${by}.mjs`)).href);
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
