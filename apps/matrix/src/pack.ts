import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execute } from './execute.js';

const PACKAGES = ['core', 'testkit'];
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * Makes a project outside the workspace that has the packages as they are published, and the checks; gives the file to
 * run.
 */
export async function makeProject(folder: string): Promise<string> {
  for (const name of PACKAGES) {
    const tarballs = join(folder, 'tarballs', name);
    mkdirSync(tarballs, { recursive: true });
    await execute('pnpm', ['pack', '--pack-destination', tarballs], join(ROOT, 'packages', name));
    const [tarball = ''] = readdirSync(tarballs);
    const target = join(folder, 'node_modules', '@millrace', name);
    mkdirSync(target, { recursive: true });
    await execute('tar', ['-xzf', join(tarballs, tarball), '-C', target, '--strip-components=1'], folder);
  }
  const dependencies = Object.fromEntries(PACKAGES.map((name) => [`@millrace/${name}`, '*']));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }));
  cpSync(dirname(fileURLToPath(import.meta.url)), join(folder, 'checks'), { recursive: true });
  return join(folder, 'checks', 'smoke-side.js');
}
