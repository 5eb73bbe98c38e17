import { type ChildProcess, spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** How a program ended, and what it left behind. */
export interface SideEnd {
  readonly how: 'done' | 'killed' | 'hung';
  /** What it said it had open at its end, and processes of its group that outlived it. */
  readonly leaked: readonly string[];
}

/** When a program is ended. */
export interface SideLimits {
  /** After how many milliseconds it is killed, as `kill -9` does. Default: never. */
  readonly killMs?: number;
  /** After how many milliseconds it hangs, and is killed for that. */
  readonly patienceMs: number;
}

/** Runs a program, in a process group of its own, until it ends, is killed, or hangs. */
export async function runSide(path: string, args: readonly string[], limits: SideLimits): Promise<SideEnd> {
  const child = spawn(process.execPath, [path, ...args], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  let isHung = false;
  const killer = limits.killMs === undefined ? undefined : setTimeout(() => killGroup(child), limits.killMs);
  const patience = setTimeout(() => {
    isHung = true;
    killGroup(child);
  }, limits.patienceMs);
  const said = text(child.stdout);
  const [code, signal] = await ended(child);
  clearTimeout(killer);
  clearTimeout(patience);
  // Those that are left would keep the pipe open.
  const left = killGroup(child) ? ['a process that the program had started'] : [];
  if (isHung) return { how: 'hung', leaked: left };
  if (signal === 'SIGKILL') return { how: 'killed', leaked: left };
  if (code !== 0) throw new Error(`Cannot run the program: it ended with ${signal ?? `code ${code}`} (must be 0)`);
  const { open } = JSON.parse(await said) as { open: readonly string[] };
  return { how: 'done', leaked: [...left, ...open] };
}

function ended(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve([code, signal]));
  });
}

/** Kills a program and all that it started; whether there was any of it. */
function killGroup({ pid }: ChildProcess): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // What has ended is what is wanted.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
