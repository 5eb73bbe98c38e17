import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startPostgres } from '@millrace/postgres/embedded';
import postgres from 'postgres';
import { afterEach, expect, test, vi } from 'vitest';

// On a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });

const folders: string[] = [];
function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  folders.push(folder);
  return folder;
}

afterEach(() => {
  vi.unstubAllEnvs();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

test('startPostgres() starts the programs from npm, without their install script, and leaves nothing', async () => {
  const server = await startPostgres({ binDirectory: 'packaged', port: 0, settings: { work_mem: '5MB' } });
  const sql = postgres(server.url as string, { max: 1 });
  const [row] =
    await sql`select current_setting('work_mem') as "workMem", current_setting('server_version') as version`;
  expect(row).toEqual({ workMem: '5MB', version: '18.4' });
  await sql.end();
  await Promise.all([server.stop(), server.stop()]);
  expect(existsSync(dirname(server.dataDirectory))).toBe(false);
  expect(server.log()).toContain('ready to accept connections');
});

test('startPostgres() keeps the data in a dataDirectory, with their password', async () => {
  const parent = temporary();
  chmodSync(parent, 0o755);
  const dataDirectory = join(parent, 'kept');
  const first = await startPostgres({ dataDirectory, port: 0 });
  const before = postgres(first.url as string, { max: 1 });
  await before`create table kept as select 42 as answer`;
  await before.end();
  await first.stop();
  await using second = await startPostgres({ dataDirectory, port: 0 });
  const after = postgres(second.url as string, { max: 1 });
  expect([...(await after`select * from kept`)]).toEqual([{ answer: 42 }]);
  await after.end();
  expect(second.connection.password).toBe(first.connection.password);
});

test('startPostgres() says where it looked for programs', async () => {
  const empty = temporary();
  await expect(startPostgres({ binDirectory: empty })).rejects.toMatchObject({
    code: 'ERR_POSTGRES_BINARIES',
    message: expect.stringContaining(`is in ${empty} (install PostgreSQL, set PG_BIN_DIR`),
  });
  vi.stubEnv('PG_BIN_DIR', join(empty, 'none'));
  await expect(startPostgres()).rejects.toThrow(`is in ${join(empty, 'none')}`);
});

test('startPostgres() reports what the programs printed when they end', async () => {
  const fake = temporary();
  chmodSync(fake, 0o755);
  for (const name of ['initdb', 'postgres'])
    writeFileSync(join(fake, name), '#!/bin/sh\necho "could not find a locale"\nexit 3\n', { mode: 0o755 });
  await expect(startPostgres({ binDirectory: fake })).rejects.toMatchObject({
    code: 'ERR_POSTGRES_START',
    message: expect.stringMatching(/its programs ended\. What they printed:\ncould not find a locale/),
  });
});

test('startPostgres() gives up, and leaves nothing, when the server is not ready in time', async () => {
  const fake = temporary();
  chmodSync(fake, 0o755);
  for (const name of ['initdb', 'postgres'])
    writeFileSync(join(fake, name), '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 });
  vi.stubEnv('TMPDIR', temporary());
  chmodSync(tmpdir(), 0o777);
  await expect(startPostgres({ binDirectory: fake, startTimeoutMs: 100 })).rejects.toThrow(
    'it is not ready after 100 ms',
  );
  expect(readdirSync(tmpdir())).toEqual([]);
});

test('startPostgres() refuses a port that is taken, and options it does not know', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  await expect(startPostgres({ port })).rejects.toThrow(`Cannot start PostgreSQL: port ${port} of 127.0.0.1 is taken`);
  taken.close();
  await expect(startPostgres({ ports: 1 } as object)).rejects.toThrow('option "ports" is unknown');
  await expect(startPostgres({ port: 70_000 })).rejects.toThrow('port is 70000 (must be at most 65535)');
  await expect(startPostgres({ binDirectory: '' })).rejects.toThrow('binDirectory is ""');
});

test('startPostgres() passes over a "postgres" without initdb, and a TMPDIR too long for a socket', async () => {
  const fake = temporary();
  writeFileSync(join(fake, 'postgres'), '#!/bin/sh\nexit 3\n', { mode: 0o755 });
  vi.stubEnv('PATH', `${fake}:${process.env['PATH']}`);
  vi.stubEnv('TMPDIR', join(fake, 'x'.repeat(100)));
  mkdirSync(tmpdir());
  await using server = await startPostgres();
  expect(server.binDirectory).not.toBe(fake);
  expect(server.connection.host).toMatch(/^\/tmp\//);
});
