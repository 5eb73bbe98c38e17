import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../dist/main.js', import.meta.url));

test('chaos loses nothing, doubles nothing outside the window, and leaves nothing behind, in three rounds', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, 'core', '--rounds', '3', '--json']);
  const { doubled, kills, ...outcome } = JSON.parse(stdout);
  expect(outcome).toEqual({ suite: 'core', rounds: 3, lost: 0, doubledOutsideWindow: 0, hung: 0, leaked: 0 });
  expect([typeof doubled, typeof kills]).toEqual(['number', 'number']);
});
