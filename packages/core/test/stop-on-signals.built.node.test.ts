import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const cwd = fileURLToPath(new URL('..', import.meta.url));

/** Runs a program whose sink answers `answer`, sends it signals once it works, and gives what became of it. */
async function ended(answer: string, signals: readonly NodeJS.Signals[]): Promise<unknown[]> {
  const program = `
    import { generate, stopOnSignals, systemClock } from '@millrace/core';
    let at = 0;
    const clock = { ...systemClock, now: () => at };
    process.on('SIGUSR2', () => { at += 1000; console.log('later'); });
    const stay = setInterval(() => {}, 1000);
    const run = generate((n) => n).run((n) => { if (n === 1) console.log('works'); return ${answer}; });
    const stopping = stopOnSignals({
      drain(options) { console.log('drains'); return run.drain(options); },
      abort: (reason) => run.abort(reason),
    }, { clock });
    await run.finished.then(({ balanced }) => console.log(balanced ? 'drained' : 'lost'), ({ message }) => console.log(message));
    if (${signals.length} === 3) await new Promise(() => {});
    stopping.release();
    clearInterval(stay);
    process.exitCode = stopping.exitCode;
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  const lines: string[] = [];
  let text = '';
  const next = async (): Promise<void> => {
    while (!text.includes('\n')) text += (await once(child.stdout, 'data'))[0];
    const end = text.indexOf('\n');
    lines.push(text.slice(0, end));
    text = text.slice(end + 1);
  };
  await next();
  for (const [nth, signal] of signals.entries()) {
    if (nth > 0) {
      child.kill('SIGUSR2');
      await next();
    }
    child.kill(signal);
    // What comes of one is awaited before the next is sent: two that wait for a process may come in any order.
    if (nth < 2) await next();
  }
  if (signals.length === 1) await next();
  const [code, killed] = await exit;
  return [...lines.filter((line) => !['works', 'drains', 'later'].includes(line)), code ?? killed];
}

test.runIf(process.platform !== 'win32')('stopOnSignals() ends real processes', async () => {
  expect(await ended('undefined', ['SIGTERM'])).toEqual(['drained', 143]);
  const twice = 'Cannot finish the run: it was told twice to stop';
  const hangs = 'n === 1 ? new Promise(() => {}) : undefined';
  expect(await ended(hangs, ['SIGINT', 'SIGINT'])).toEqual([twice, 130]);
  expect(await ended(hangs, ['SIGINT', 'SIGTERM', 'SIGTERM'])).toEqual([twice, 'SIGTERM']);
});
