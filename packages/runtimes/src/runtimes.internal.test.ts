import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { unpack } from './fetch-package.js';
import { findRuntime } from './find-runtime.js';
import { PINNED } from './pinned.js';
import { UnknownRuntimeError } from './unknown-runtime-error.js';

// Nothing is fetched here: `pnpm matrix` does that.

describe('findRuntime()', () => {
  it('findRuntime() gives the Node that runs this for node', async () => {
    assert.deepEqual(await findRuntime('node'), { name: 'node', file: process.execPath, args: [] });
  });

  it('findRuntime() refuses an unknown runtime by name', async () => {
    await assert.rejects(
      findRuntime('nod'),
      new UnknownRuntimeError(
        "Cannot use runtime 'nod': it is unknown (must be one of node, node20, node22, node24, node26, bun, deno)",
      ),
    );
  });
});

describe('PINNED', () => {
  it('PINNED names each runtime once, with an exact version and a digest', () => {
    assert.equal(new Set(PINNED.map(({ name }) => name)).size, PINNED.length);
    for (const { version, integrity } of PINNED) {
      assert.match(version, /^\d+\.\d+\.\d+$/);
      assert.match(integrity, /^sha512-[\w+/]{86}==$/);
    }
  });
});

describe('unpack()', () => {
  let folder: string;
  let tarball: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-runtimes-'));
    mkdirSync(join(folder, 'package'));
    writeFileSync(join(folder, 'package', 'program'), 'runs');
    tarball = join(folder, 'made-up.tgz');
    execFileSync('tar', ['-czf', tarball, '-C', folder, 'package']);
    rmSync(join(folder, 'package'), { recursive: true });
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  const wanted = (integrity: string) => ({ package: 'made-up', version: '1.0.0', integrity });

  it('unpack() refuses a tarball that is not the one that was pinned, and unpacks nothing of it', async () => {
    const other = `sha512-${createHash('sha512').update('something else').digest('base64')}`;
    await assert.rejects(unpack(wanted(other), tarball, folder), /^Error: Cannot use made-up@1\.0\.0: its digest is /);
    assert.ok(!existsSync(join(folder, 'package')));
  });

  it('unpack() unpacks the one that was pinned', async () => {
    const digest = createHash('sha512').update(readFileSync(tarball)).digest('base64');
    await unpack(wanted(`sha512-${digest}`), tarball, folder);
    assert.equal(readFileSync(join(folder, 'package', 'program'), 'utf8'), 'runs');
  });
});
