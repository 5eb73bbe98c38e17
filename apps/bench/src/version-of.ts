import { readFileSync } from 'node:fs';
import { PACKAGE } from './package.js';

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
}

const { dependencies } = JSON.parse(readFileSync(new URL('package.json', PACKAGE), 'utf8')) as Manifest;

/** Gives the version of a peer: the manifest names exactly one. */
export function versionOf(name: string): string {
  return dependencies[name] ?? '';
}
