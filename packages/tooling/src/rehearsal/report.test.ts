import { expect, test } from 'vitest';
import { createReport, StepError } from './report.js';

const fail = async (): Promise<void> => {
  throw new StepError('broken');
};

test('createReport() skips what follows a failed step, in its chain and in those after it', async () => {
  const lines: string[] = [];
  const report = createReport(new AbortController().signal, (line) => lines.push(line.replace(/ \(.* s\)$/, '')));
  const release = report.chain('release');
  await release.step('builds', async () => 'all');
  await release.step('publishes', fail);
  await release.step('publishes again', fail);
  await report.chain('core', release).check('installs', fail);
  expect(lines).toEqual([
    'ok    release builds: all',
    'FAIL  release publishes\nbroken',
    'skip  release publishes again: a step before it failed',
    'skip  core installs: a step before it failed',
  ]);
  expect(report.closingLine()).toBe('1 passed, 1 failed, 2 skipped');
});

test('createReport() goes on after a failed check', async () => {
  const report = createReport(new AbortController().signal, () => {});
  const chain = report.chain('core');
  await chain.check('type-checks', fail);
  await chain.step('runs', async () => {});
  expect([report.failed, chain.isBroken, report.closingLine()]).toEqual([1, false, '1 passed, 1 failed, 0 skipped']);
});

test('createReport() throws the reason of an abort and does not count the step', async () => {
  const stop = new AbortController();
  const report = createReport(stop.signal, () => {});
  const step = report.chain('core').step('installs', async () => {
    stop.abort('SIGINT');
    return fail();
  });
  await expect(step).rejects.toBe('SIGINT');
  expect(report.closingLine()).toBe('0 passed, 0 failed, 0 skipped');
});
