import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What the tools read of a package.json. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** A folder of `packages` or `apps` that has a package.json. */
export interface Workspace {
  readonly manifest: Manifest;
  /** Absolute path. */
  readonly directory: string;
  /** Path from the root of the repository, with slashes. */
  readonly path: string;
  /** Whether it goes to the registry: all that is not private does. */
  readonly isPublished: boolean;
  /** Whether it also runs outside Node: it says so by having a `tsconfig.neutral.json`. */
  readonly isNeutral: boolean;
}

/** Absolute path of the root of the repository, without a slash at the end. */
export const ROOT: string = fileURLToPath(new URL('../../..', import.meta.url)).replace(/[\\/]$/, '');

/** Lists every package and app of a checkout, by path. */
export function workspaces(root: string = ROOT): Workspace[] {
  return ['packages', 'apps'].flatMap((group) => {
    const groupDirectory = join(root, group);
    if (!existsSync(groupDirectory)) return [];
    return readdirSync(groupDirectory)
      .sort()
      .filter((folder) => existsSync(join(groupDirectory, folder, 'package.json')))
      .map((folder) => {
        const directory = join(groupDirectory, folder);
        const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest;
        return {
          manifest,
          directory,
          path: `${group}/${folder}`,
          isPublished: manifest.private !== true,
          isNeutral: existsSync(join(directory, 'tsconfig.neutral.json')),
        };
      });
  });
}
