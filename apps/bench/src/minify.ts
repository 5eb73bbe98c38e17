import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { PACKAGE } from './package.js';

/** What makes a program smaller before it is published. */
export type Minifier = 'esbuild' | 'terser';

/** Bundles a module of this package with the packages that it uses, as an application is, minifies it and loads it. */
export async function importMinified<Module>(module: string, by: Minifier): Promise<Module> {
  const text = await bundled(fileURLToPath(new URL(module, PACKAGE)), by);
  const folder = await mkdtemp(join(tmpdir(), 'millrace-minified-'));
  try {
    const file = join(folder, 'bundle.mjs');
    await writeFile(file, text);
    return (await import(pathToFileURL(file).href)) as Module;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function bundled(entry: string, by: Minifier): Promise<string> {
  const { build } = await import('esbuild');
  const minify = by === 'esbuild';
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: 'esm', write: false, minify });
  const { text = '' } = outputFiles[0] ?? {};
  if (minify) return text;
  const { minify: shorten } = await import('terser');
  return (await shorten(text, { module: true })).code ?? '';
}
