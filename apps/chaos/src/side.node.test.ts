import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runSide } from './side.js';

const folder = mkdtempSync(join(tmpdir(), 'millrace-chaos-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

let programs = 0;
function program(text: string): string {
  const path = join(folder, `program-${++programs}.mjs`);
  writeFileSync(path, text);
  return path;
}

const PATIENT = { patienceMs: 600_000 };
const END = 'process.stdout.write(\'{"open":[]}\');';
const HANG = 'setInterval(() => {}, 60_000);';

test('runSide() tells a program that ended from one that was killed and one that hangs, which it ends', async () => {
  expect(await runSide(program(END), [], PATIENT)).toEqual({ how: 'done', leaked: [] });
  expect(await runSide(program(HANG), [], { ...PATIENT, killMs: 1 })).toEqual({ how: 'killed', leaked: [] });
  expect(await runSide(program(HANG), [], { patienceMs: 1 })).toEqual({ how: 'hung', leaked: [] });
});

test('runSide() counts what the program says it has open, and the processes that outlive it', async () => {
  const open = program('process.stdout.write(\'{"open":["Timeout"]}\');');
  expect(await runSide(open, [], PATIENT)).toEqual({ how: 'done', leaked: ['Timeout'] });
  const parent = program(`import { spawn } from 'node:child_process';
spawn(process.execPath, [${JSON.stringify(program(HANG))}], { stdio: 'ignore' }).unref(); ${END}`);
  expect((await runSide(parent, [], PATIENT)).leaked).toEqual(['a process that the program had started']);
});

test('runSide() rejects where the program fails', async () => {
  await expect(runSide(program('process.exit(3);'), [], PATIENT)).rejects.toThrow('it ended with code 3');
});
