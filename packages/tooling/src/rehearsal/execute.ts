import { type ChildProcess, spawn } from 'node:child_process';
import type { CommandResult } from '../command.js';

/** How a program is run. */
export interface ExecuteOptions {
  readonly directory: string;
  /** Default: the environment of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Ends the program and all that it started; the promise then rejects with its reason. */
  readonly signal: AbortSignal;
  /** After it the program is ended, and has failed. Default: 5 minutes. */
  readonly timeoutMs?: number;
}

const GRACE_MS = 2_000;

/**
 * Runs a program in a process group of its own and collects what it prints. What it leaves in the group, such as a
 * process in the background, ends with it.
 */
export async function execute(
  program: string,
  args: readonly string[],
  { directory, env = process.env, signal, timeoutMs = 300_000 }: ExecuteOptions,
): Promise<CommandResult> {
  signal.throwIfAborted();
  const child = spawn(program, [...args], { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let output = '';
  child.stdout.on('data', (data) => (output += String(data)));
  child.stderr.on('data', (data) => (output += String(data)));
  const timers: NodeJS.Timeout[] = [];
  const end = (): void => {
    endGroup(child, 'SIGTERM');
    timers.push(setTimeout(() => endGroup(child, 'SIGKILL'), GRACE_MS));
  };
  timers.push(
    setTimeout(() => {
      output += `\nEnded: it took more than ${timeoutMs / 1_000} s`;
      end();
    }, timeoutMs),
  );
  signal.addEventListener('abort', end, { once: true });
  try {
    const code = await exitOf(child);
    signal.throwIfAborted();
    return { ok: code === 0, output };
  } finally {
    signal.removeEventListener('abort', end);
    for (const timer of timers) clearTimeout(timer);
  }
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    // What it left behind holds the pipes open: it ends before the pipes can close.
    child.on('exit', () => endGroup(child, 'SIGKILL'));
    child.on('close', resolve);
  });
}

function endGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is empty.
  }
}
