import { readFileSync } from 'node:fs';

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
}

const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as Manifest;

/** Gives the version of a peer: the manifest names exactly one. */
export function versionOf(name: string): string {
  return dependencies[name] ?? '';
}
