import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DatabaseError } from '../errors.js';
import { type Account, canReach, canWrite } from './account.js';
import { type Binaries, linkLibraries } from './binaries.js';
import { OWNER, ownerMark, PREFIX, sweep } from './sweep.js';

const LONGEST_SOCKET = '.s.PGSQL.65535';
/** What the kernel takes as the path of a unix socket, in bytes. */
const LONGEST_SOCKET_PATH = process.platform === 'linux' ? 107 : 103;

/** Makes the error for a server that does not start. */
export function failedStart(why: string, cause?: unknown): DatabaseError {
  return new DatabaseError(
    'ERR_POSTGRES_START',
    `Cannot start PostgreSQL: ${why}`,
    cause === undefined ? {} : { cause },
  );
}

/** Makes the folder of this server, where the server's account gets to it and the path of its socket fits. */
export async function makeFolder(account: Account | undefined): Promise<string> {
  const parents = [...new Set([tmpdir(), '/tmp'])];
  const fits = (parent: string): boolean =>
    Buffer.byteLength(join(parent, `${PREFIX}${process.pid}-XXXXXX`, LONGEST_SOCKET)) <= LONGEST_SOCKET_PATH;
  // The guard removes the folder under the server's account, which must be allowed to.
  const isOpen = (parent: string): boolean => canReach(parent, account) && canWrite(parent, account);
  const parent = parents.find((each) => existsSync(each) && fits(each) && isOpen(each));
  if (parent === undefined) {
    throw failedStart(
      `the path of its socket would be too long, or closed to its account, in ${parents.join(' and ')} ` +
        `(TMPDIR must be a folder that every account may enter and write to, short enough for ${LONGEST_SOCKET_PATH} bytes in all)`,
    );
  }
  await sweep(parent);
  const folder = mkdtempSync(join(parent, `${PREFIX}${process.pid}-`));
  chmodSync(folder, 0o700);
  writeFileSync(join(folder, OWNER), ownerMark());
  own(folder, account);
  return folder;
}

/** Where the programs are, and what they need to run. */
export interface Programs {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Puts programs where the server's account gets to them, with the links their libraries need. */
export function reachable({ directory, packaged }: Binaries, folder: string, account: Account | undefined): Programs {
  const isReachable = canReach(directory, account);
  if (packaged === undefined) {
    if (isReachable) return { directory, env: {} };
    throw failedStart(
      `the account that it must run as (uid ${account?.uid}) can't enter ${directory} (PG_BIN_DIR must be a folder that it can)`,
    );
  }
  let native = join(packaged, 'native');
  if (!isReachable) {
    cpSync(native, join(folder, 'native'), { recursive: true });
    native = join(folder, 'native');
    // The guard removes them, under that account.
    for (const each of readdirSync(native, { recursive: true, encoding: 'utf8' })) own(join(native, each), account);
    own(native, account);
  }
  const links = join(folder, 'lib');
  mkdirSync(links, { mode: 0o755 });
  own(links, account);
  const search = linkLibraries(packaged, native, links);
  const name = process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH';
  return { directory: join(native, 'bin'), env: { [name]: search } };
}

/** Says where the data are, and the password: one of its own for each database, kept beside the data. */
export function prepareData(
  dataDirectory: string | undefined,
  folder: string,
  account: Account | undefined,
): { data: string; password: string } {
  const data = dataDirectory === undefined ? join(folder, 'data') : resolve(dataDirectory);
  const kept = `${data}.password`;
  let password = randomBytes(18).toString('base64url');
  if (dataDirectory !== undefined) {
    mkdirSync(data, { recursive: true, mode: 0o700 });
    own(data, account);
    if (!canReach(data, account))
      throw failedStart(
        `the account that it must run as (uid ${account?.uid}) can't enter ${data} (must be a folder that it can)`,
      );
    if (existsSync(join(data, 'PG_VERSION')) && existsSync(kept)) password = readFileSync(kept, 'utf8').trim();
    else writeFileSync(kept, password, { mode: 0o600 });
  }
  const file = join(folder, 'password');
  writeFileSync(file, password, { mode: 0o600 });
  own(file, account);
  return { data, password };
}

function own(path: string, account: Account | undefined): void {
  if (account !== undefined) chownSync(path, account.uid, account.gid);
}
