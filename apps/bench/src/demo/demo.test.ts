import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'vitest';
import { ownRow, ratioRow } from '../rows.js';
import { endedChildrenUs, familyOf, familySince } from './cpu-time.js';

const SPIN = 'const began = process.cpuUsage().user; while (process.cpuUsage().user - began < 200_000);';
const OF = { suite: 'demo', name: 'end-to-end', metric: 'cpu', options: '1 flight' } as const;

describe('the rows of the suite demo', () => {
  it('ratioRow() holds each figure against the one of its round', () => {
    const { speed, low, high, against, runs } = ratioRow(OF, 'hand job', [2, 6, 10], [4, 6, 2]);
    assert.deepEqual([speed, low, high, against, runs], [1, 0.5, 5, 'hand job', 3]);
  });

  it("ownRow() gives the median of Millrace's own figures", () => {
    const { speed, value, low, high, against, suite } = ownRow(OF, [3, 1, 2]);
    assert.deepEqual([speed, value, low, high, against, suite], [null, 2, 1, 3, '', 'demo']);
  });
});

describe.runIf(process.platform === 'linux')('CPU time', () => {
  it('endedChildrenUs() counts a child that has ended, with its threads', async () => {
    const before = endedChildrenUs();
    const code = `new (require('node:worker_threads').Worker)(${JSON.stringify(SPIN)}, { eval: true }); ${SPIN}`;
    await once(spawn(process.execPath, ['-e', code], { stdio: 'ignore' }), 'exit');
    assert.ok(endedChildrenUs() - before >= 380_000);
  });

  it('familyOf() counts a running process and its children, ended or not', async () => {
    const child = `require('node:child_process').spawnSync(process.execPath, ['-e', ${JSON.stringify(SPIN)}]);`;
    await withProcess(`${child} ${SPIN} process.send('spun'); setInterval(() => {}, 1000);`, async (family) => {
      await once(family, 'message');
      assert.ok(familyOf(family.pid as number).us >= 380_000);
    });
  });

  it('familySince() waits for the children that came since', async () => {
    const child = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(SPIN)}])`;
    await withProcess(`process.on('message', () => ${child}.on('spawn', () => process.send('')));`, async (family) => {
      const pid = family.pid as number;
      const before = familyOf(pid);
      family.send('');
      await once(family, 'message');
      assert.ok((await familySince(pid, before)) >= 190_000);
    });
  });

  it('familyOf() refuses a process that is not there', () => {
    assert.throws(() => familyOf(2 ** 30), /Cannot measure process 1073741824: it is not there/);
  });
});

async function withProcess(code: string, work: (family: ChildProcess) => Promise<void>): Promise<void> {
  const family = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  const ended = once(family, 'exit');
  try {
    await work(family);
  } finally {
    family.kill();
    await ended;
  }
}
