import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, it } from 'vitest';
import { type Database, startDatabase } from './database.js';
import { type FlightsJob, STAGES } from './flights-job.js';

const DEMO = fileURLToPath(new URL('../../../demo/dist/main.js', import.meta.url));
const SIDE = fileURLToPath(new URL('../../dist/flights-side.js', import.meta.url));
// Three row groups, so that airports are met in all of them; the impossible flights and repeats are among them.
const FLIGHTS = 600_000;
// It is real work, seconds on a quiet machine and minutes on a busy one.
const PATIENCE_MS = 300_000;

let database: Database;
beforeAll(async () => {
  database = await startDatabase();
  return () => database.stop();
});

async function run(args: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...process.env, ...database.env } });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
}

function side(what: FlightsJob['what'], limit: number): Promise<Record<string, unknown>> {
  return run([SIDE, JSON.stringify({ what, limit, serverPid: database.pid } satisfies FlightsJob)]);
}

describe('the suite demo', () => {
  it(
    'the job by hand stores the same rows as the demo',
    async () => {
      const { emitted, deadLettered, deduped } = await run([
        DEMO,
        '--limit',
        `${FLIGHTS}`,
        '--json',
        '--database',
        'postgres:///postgres',
      ]);
      assert.ok((deadLettered as number) > 0 && (deduped as number) > 0);
      const digest = await database.digest();
      assert.match(digest, new RegExp(`^${emitted} rows `));
      const { stored, rows } = await side('hand', FLIGHTS);
      assert.deepEqual([stored, rows], [emitted, emitted]);
      assert.equal(await database.digest(), digest);
      // Other flights, and the digest says so.
      await side('hand', 20_000);
      assert.notEqual(await database.digest(), digest);
    },
    PATIENCE_MS,
  );

  it.each(STAGES)('the stage "%s" runs alone', async (stage) => {
    const { cpu, rows } = await side(stage, 20_000);
    assert.ok((cpu as number) > 0);
    assert.equal(rows, stage === 'store' ? 20_000 : 0);
  });
});
