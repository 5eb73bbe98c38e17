import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Which package, and the digest of what the registry must send. */
export interface Wanted {
  readonly package: string;
  readonly version: string;
  readonly integrity: string;
}

/**
 * Fetches a package from the registry that npm is set to, checks its digest and unpacks it as `folder`, which is there
 * whole or not at all. None of its scripts is run.
 */
export async function fetchPackage(wanted: Wanted, folder: string): Promise<void> {
  const { package: name, version } = wanted;
  mkdirSync(dirname(folder), { recursive: true });
  const temporary = mkdtempSync(`${folder}-`);
  try {
    await run('npm', ['pack', '--silent', `${name}@${version}`], { cwd: temporary });
    const [tarball = ''] = readdirSync(temporary);
    await unpack(wanted, join(temporary, tarball), temporary);
    keep(join(temporary, 'package'), folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Unpacks a tarball of npm into `folder`, if it is what is wanted. */
export async function unpack(
  { package: name, version, integrity }: Wanted,
  tarball: string,
  folder: string,
): Promise<void> {
  const found = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`;
  if (found !== integrity) {
    throw new Error(`Cannot use ${name}@${version}: its digest is ${found} (must be ${integrity})`);
  }
  await run('tar', ['-xzf', tarball, '-C', folder]);
}

/** Another process may have been quicker: then its folder, with the same in it, stays. */
function keep(unpacked: string, folder: string): void {
  try {
    renameSync(unpacked, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  }
}
