import { readFileSync } from 'node:fs';
import type { Options } from 'tsup';

interface Manifest {
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, unknown>>>>;
}

/**
 * Makes the tsup options of a published package. Entries are the files that the manifest's exports name under
 * `@millrace/source`, so the manifest is the only place that lists them; `extraEntries` are files that are loaded by
 * URL, such as workers. Declarations are emitted by `tsc -p tsconfig.build.json`.
 */
export function library(extraEntries: readonly string[] = []): Options {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
  return {
    entry: [...new Set([...sourceEntries(manifest.exports), ...extraEntries])],
    format: 'esm',
    target: 'es2022',
    platform: 'node',
    splitting: true,
    sourcemap: true,
    clean: true,
    dts: false,
    silent: true,
    removeNodeProtocol: false,
  };
}

/** Makes the tsup options of a program that Node runs and nobody imports. */
export function program(entry: readonly string[] = ['src/main.ts']): Options {
  return {
    entry: [...entry],
    format: 'esm',
    target: 'node20',
    platform: 'node',
    skipNodeModulesBundle: true,
    splitting: true,
    sourcemap: true,
    clean: true,
    dts: false,
    silent: true,
    removeNodeProtocol: false,
  };
}

function sourceEntries(exports: unknown): string[] {
  if (typeof exports !== 'object' || exports === null) return [];
  return Object.entries(exports).flatMap(([condition, target]) =>
    condition === '@millrace/source' && typeof target === 'string' ? [target] : sourceEntries(target),
  );
}
