import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { from } from '@millrace/core';
import { copyInto, enrich, selectBy } from '@millrace/postgres';
import postgres, { type Options, type Sql } from 'postgres';
import { describe, expect, test } from 'vitest';
import { failure, server, sql, useDatabase } from '../../test/database.js';

useDatabase(async () => {
  await sql`create table item (id int4)`;
  await sql`create role guest login password 'right'`;
  const [row] = await sql<[{ hba_file: string }]>`show hba_file`;
  await sql.unsafe(`copy (values ('local all guest scram-sha-256'), ('local all all trust')) to '${row.hba_file}'`);
  await sql`select pg_reload_conf()`;
});

const STAGES: ReadonlyArray<readonly [name: string, run: (client: Sql) => Promise<unknown>]> = [
  [
    'enrich()',
    (client) =>
      from([1])
        .pipeThrough(
          enrich(client, { key: (id) => id, query: selectBy<{ id: number }>('item', 'id'), into: (id) => id }),
        )
        .toArray(),
  ],
  ['copyInto()', (client) => from([[{ id: 1 }]]).run(copyInto(client, 'item')).finished],
];

/** A server that is not PostgreSQL. */
async function other(serve: (socket: Socket) => void): Promise<{ port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const listening = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    serve(socket);
  }).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const close = (): void => {
    listening.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: (listening.address() as AddressInfo).port, close };
}

describe.each(STAGES)('%s', (_name, run) => {
  /** What it fails with, told by its own client that has options of `overrides`. */
  const refusal = async (overrides: Options<Record<string, never>>): Promise<Error> => {
    const client = postgres({ ...server.connection, ...overrides });
    const { cause } = await failure(run(client as unknown as Sql));
    expect(cause).toMatchObject({ code: 'ERR_POSTGRES_CONNECT', name: 'DatabaseError' });
    return cause as Error;
  };

  test('enrich() and copyInto() say that there is no server', async () => {
    const { port, close } = await other(() => {});
    close();
    const { message } = await refusal({ host: '127.0.0.1', port });
    expect(message).toBe(
      `Cannot connect to PostgreSQL at 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port} ` +
        '(there must be a server, and it must let user "postgres", database "postgres" in)',
    );
    expect((await refusal({ host: '/nowhere/at/all' })).message).toMatch(/at \/nowhere\/at\/all\S*: connect ENOENT/);
  });

  test('enrich() and copyInto() say that a password is wrong, without it, or that there is no such user or database', async () => {
    const guest = { user: 'guest', database: 'postgres' };
    // The server reads its rules anew a moment after it was told to.
    await expect
      .poll(() => {
        const client = postgres({ ...server.connection, ...guest, password: 'wrong', max: 1 });
        return client`select 1`
          .then(
            () => 'let in',
            (error: { code: string }) => error.code,
          )
          .finally(() => client.end());
      })
      .toBe('28P01');
    const wrong = await refusal({ ...guest, password: 'not this one' });
    expect(wrong).toMatchObject({ sqlState: '28P01' });
    expect(wrong.message).toContain('password authentication failed for user "guest" (there must be');
    expect(wrong.message).not.toContain('not this one');
    expect(await refusal({ user: 'stranger' })).toMatchObject({ sqlState: '28000' });
    expect(await refusal({ database: 'nothing' })).toMatchObject({ sqlState: '3D000' });
  });

  test('enrich() and copyInto() give up a server that says nothing, something else, or hangs up', async () => {
    const silent = await other(() => {});
    const web = await other((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const rude = await other((socket) => socket.destroy());
    const host = '127.0.0.1';
    expect((await refusal({ host, port: silent.port, connect_timeout: 0.2 })).message).toContain('CONNECT_TIMEOUT');
    await refusal({ host, port: web.port });
    expect((await refusal({ host, port: rude.port })).message).toContain('the connection was closed');
    for (const each of [silent, web, rude]) each.close();
  });
});
