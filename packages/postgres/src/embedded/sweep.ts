import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

/** What the folders begin with. */
export const PREFIX = 'millrace-pg-';

/** A server that listens on nothing yet may be about to start. */
const STARTING_MS = 120_000;

/** The file that says who made the folder. */
export const OWNER = 'owner';

/** What to write into it: a process id means something only where ids are counted alike, which containers do not. */
export function ownerMark(pid: number = process.pid): string {
  try {
    return `${pid} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return `${pid} this system`;
  }
}

/**
 * Removes what servers left behind whose guard was killed too. A folder is left alone while its starter lives, and also
 * where that can't be known, as of other containers with the same temporary folder, while its server answers or may start.
 */
export async function sweep(parent: string): Promise<void> {
  const names = readdirSync(parent).filter((name) => name.startsWith(PREFIX));
  await Promise.all(names.map((name) => sweepOne(join(parent, name))));
}

async function sweepOne(folder: string): Promise<void> {
  try {
    if (isOrphan(folder)) stopServer(folder);
    else {
      const name = readdirSync(folder).find((each) => /^\.s\.PGSQL\.\d+$/.test(each));
      const answer = name === undefined ? 'absent' : await knock(join(folder, name));
      if (answer === 'answers') return;
      if (answer === 'absent' && Date.now() - statSync(folder).mtimeMs < STARTING_MS) return;
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  } catch {
    // Of another account, or removed by another process at this moment.
  }
}

function isOrphan(folder: string): boolean {
  const path = join(folder, OWNER);
  if (!existsSync(path)) return false;
  const mark = readFileSync(path, 'utf8');
  const pid = Number.parseInt(mark, 10);
  return mark === ownerMark(pid) && !isAlive(pid);
}

function knock(path: string): Promise<'answers' | 'refuses' | 'absent'> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve('answers');
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ENOENT' ? 'absent' : 'refuses'));
  });
}

/** Whether there is such a process. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Stops the server of a folder at once; `false` where the process is not that server. */
export function stopServer(folder: string, data: string = join(folder, 'data')): boolean {
  try {
    const pid = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]);
    // The id may be another process's by now, or one of another container.
    if (!commandOf(pid).includes(data)) return false;
    process.kill(pid, 'SIGQUIT');
    return true;
  } catch {
    // No pid file, or no such process.
    return false;
  }
}

function commandOf(pid: number): string {
  if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
}
