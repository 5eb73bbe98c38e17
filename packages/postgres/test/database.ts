import type { StageError } from '@millrace/core';
import { type EmbeddedPostgres, startPostgres } from '@millrace/postgres/embedded';
import postgres, { type Sql } from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';
import { FaultyLink } from './faulty-link.js';

/** What waits here waits for another process, on a machine that may be busy. */
const TIMEOUT_MS = 60_000;

/** The server of the test file. */
export let server: EmbeddedPostgres;
/** The user's client. */
export let sql: Sql;
/** A way to the server that can be broken. */
export let link: FaultyLink;

/**
 * Gives the test file a server of its own; after each test nothing may be left of its runs: no session, no transaction,
 * no exception that nobody caught.
 *
 * @param prepare - Makes the tables.
 */
export function useDatabase(prepare: () => Promise<void> = async () => {}): void {
  vi.setConfig({ testTimeout: TIMEOUT_MS, hookTimeout: TIMEOUT_MS, expect: { poll: { timeout: 20_000 } } });
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);

  beforeAll(async () => {
    server = await startPostgres();
    sql = postgres({ ...server.connection, max: 2, onnotice: () => {} });
    link = await FaultyLink.to(server.connection);
    await prepare();
    process.on('uncaughtException', note);
  }, TIMEOUT_MS);

  afterAll(async () => {
    await link.close();
    await sql.end();
    await server.stop();
    process.off('uncaughtException', note);
  });

  beforeEach(() => {
    link.onClient = () => 'pass';
  });

  afterEach(async () => {
    expect(unhandled.splice(0)).toEqual([]);
    await expect
      .poll(async () => [...(await sql`select 1 from pg_stat_activity where application_name like 'millrace%'`)])
      .toEqual([]);
  });
}

/** The error of a run that must fail. */
export async function failure(work: Promise<unknown>): Promise<StageError> {
  return (await work.then(
    () => expect.fail('the run did not fail'),
    (reason: unknown) => reason,
  )) as StageError;
}
