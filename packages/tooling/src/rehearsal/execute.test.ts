import { expect, test } from 'vitest';
import { execute } from './execute.js';

const directory = process.cwd();
const waits = 'setInterval(() => {}, 1_000)';
/** Starts a process that goes on and holds the pipes open, so that nothing resolves before it has ended. */
const withChild = (last: string): string =>
  `require('node:child_process').spawn(process.execPath, ['-e', '${waits}'], { stdio: 'inherit' });
   console.log('started'); ${last}`;

test('execute() collects both outputs and says whether the program succeeded', async () => {
  const { signal } = new AbortController();
  const ok = await execute('node', ['-e', 'console.log(1); console.error(2)'], { directory, signal });
  expect([ok.ok, [...ok.output.trim().split('\n')].sort()]).toEqual([true, ['1', '2']]);
  expect((await execute('node', ['-e', 'process.exit(3)'], { directory, signal })).ok).toBe(false);
});

test('execute() ends what a program leaves running', async () => {
  const { signal } = new AbortController();
  const { ok, output } = await execute('node', ['-e', withChild('process.exit(0)')], { directory, signal });
  expect([ok, output]).toEqual([true, 'started\n']);
});

test('execute() fails when the program takes too long, and ends it with all that it started', async () => {
  const { signal } = new AbortController();
  const { ok, output } = await execute('node', ['-e', withChild('')], { directory, signal, timeoutMs: 1_000 });
  expect(ok).toBe(false);
  expect(output).toContain('Ended: it took more than 1 s');
});

test('execute() ends the program and rejects with the reason when the signal is aborted', async () => {
  const stop = new AbortController();
  const finished = execute('node', ['-e', waits], { directory, signal: stop.signal });
  stop.abort('SIGTERM');
  await expect(finished).rejects.toBe('SIGTERM');
  await expect(execute('node', ['-e', waits], { directory, signal: stop.signal })).rejects.toBe('SIGTERM');
});
