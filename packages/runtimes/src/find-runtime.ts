import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fetchPackage } from './fetch-package.js';
import { PINNED, type PinnedRuntime } from './pinned.js';
import { UnknownRuntimeError } from './unknown-runtime-error.js';

/** A program that runs modules: `file ...args module.js ...`. */
export interface Runtime {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
}

/** The platform whose packages are pinned. */
const PLATFORM = 'linux-x64';

/**
 * Finds a runtime: `node` is the one that runs this; the others are pinned, and fetched from npm into the user's cache
 * (`XDG_CACHE_HOME`, or `.cache` in the home folder) when they are first asked for, about 50 MB each.
 *
 * @param name - `node`, or the name of one that is pinned.
 * @throws {@link UnknownRuntimeError} when there is none of that name, or none for this platform.
 */
export async function findRuntime(name: string): Promise<Runtime> {
  if (name === 'node') return { name, file: process.execPath, args: [] };
  const pinned = PINNED.find((each) => each.name === name);
  if (pinned === undefined) {
    const names = ['node', ...PINNED.map((each) => each.name)].join(', ');
    throw new UnknownRuntimeError(`Cannot use runtime '${name}': it is unknown (must be one of ${names})`);
  }
  const platform = `${process.platform}-${process.arch}`;
  if (platform !== PLATFORM) {
    throw new UnknownRuntimeError(`Cannot use runtime '${name}': the platform is ${platform} (must be ${PLATFORM})`);
  }
  return { name, file: await fetched(pinned), args: pinned.args };
}

async function fetched(pinned: PinnedRuntime): Promise<string> {
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'millrace', 'runtimes');
  const folder = join(cache, `${pinned.package.replaceAll('/', '+')}-${pinned.version}`);
  if (!existsSync(folder)) await fetchPackage(pinned, folder);
  return join(folder, pinned.program);
}
