import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { startPostgres } from '@millrace/postgres/embedded';
import { expect, test, vi } from 'vitest';

/** Starts a process of its own group that starts a server; runs `then` when that is ready. */
function starter(then: string): ChildProcess {
  const program = `
    import { readFileSync } from 'node:fs';
    import { startPostgres } from '@millrace/postgres/embedded';
    console.log('starting');
    const server = await startPostgres();
    console.log(server.dataDirectory);
    console.log(readFileSync(server.dataDirectory + '/postmaster.pid', 'utf8').split('\\n')[0]);
    ${then}`;
  return spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: join(import.meta.dirname, '../..'),
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

interface Started {
  readonly process: ChildProcess & { pid: number };
  readonly folder: string;
  readonly server: number;
}

async function started(then = 'process.stdin.resume();'): Promise<Started> {
  const process = starter(then) as Started['process'];
  const lines = createInterface({ input: process.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  await lines.next();
  const data = (await lines.next()).value as string;
  // Told by the process itself: when it ends at once, the file is soon gone.
  const server = Number((await lines.next()).value);
  return { process, folder: dirname(data), server };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // Where nobody waits for it, an ended process keeps its number.
    return process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function expectNothingLeft({ folder, server }: Started): Promise<void> {
  await vi.waitFor(
    () => {
      expect(isAlive(server)).toBe(false);
      expect(existsSync(folder)).toBe(false);
    },
    { timeout: 20_000, interval: 20 },
  );
}

function parentOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]);
}

// On a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });

test.concurrent.each([
  ['SIGTERM', 'the process', (pid: number) => process.kill(pid, 'SIGTERM')],
  ['kill -9', 'the process', (pid: number) => process.kill(pid, 'SIGKILL')],
  ['Ctrl-C', 'its group', (pid: number) => process.kill(-pid, 'SIGINT')],
  ['kill -9', 'its group', (pid: number) => process.kill(-pid, 'SIGKILL')],
])('startPostgres() leaves nothing after %s of %s', async (_how, _whom, kill) => {
  const all = await started();
  kill(all.process.pid);
  await expectNothingLeft(all);
});

test('startPostgres() does not keep its process alive, and leaves nothing at its end', async () => {
  const all = await started('');
  if (all.process.exitCode === null) await once(all.process, 'exit');
  expect(all.process.exitCode).toBe(0);
  await expectNothingLeft(all);
});

test('startPostgres() leaves nothing after kill -9 while the database is made', async () => {
  const process = starter('') as Started['process'];
  // A private TMPDIR is no place for a server that runs under another account.
  const mine = (): string[] =>
    [...new Set([tmpdir(), '/tmp'])].flatMap((parent) =>
      readdirSync(parent)
        .filter((name) => name.startsWith(`millrace-pg-${process.pid}-`))
        .map((name) => join(parent, name)),
    );
  await vi.waitFor(() => expect(existsSync(join(mine()[0] ?? '/none', 'data/base'))).toBe(true), {
    timeout: 20_000,
    interval: 5,
  });
  process.kill('SIGKILL');
  await vi.waitFor(() => expect(mine()).toEqual([]), { timeout: 20_000, interval: 20 });
});

test.runIf(process.platform === 'linux')(
  'startPostgres() stops the server when its guard was killed first, and the next start removes the folder',
  async () => {
    const all = await started();
    process.kill(parentOf(all.server), 'SIGKILL');
    process.kill(all.process.pid, 'SIGKILL');
    await vi.waitFor(() => expect(isAlive(all.server)).toBe(false), { timeout: 20_000, interval: 20 });
    expect(existsSync(all.folder)).toBe(true);
    const old = join(dirname(all.folder), 'millrace-pg-1-oldest');
    mkdirSync(old, { recursive: true });
    utimesSync(old, 0, 0);
    await using _server = await startPostgres();
    expect(existsSync(all.folder)).toBe(false);
    expect(existsSync(old)).toBe(false);
  },
);

test.runIf(process.platform === 'linux')('stop() ends the server also when its guard was killed', async () => {
  const all = await started(`process.stdin.once('data', () => server.stop().then(() => process.exit(7)));`);
  process.kill(parentOf(all.server), 'SIGKILL');
  all.process.stdin?.write('stop\n');
  const [code] = await once(all.process, 'exit');
  expect(code).toBe(7);
  await expectNothingLeft(all);
});
