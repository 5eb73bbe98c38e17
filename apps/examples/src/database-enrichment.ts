import { from } from '@millrace/core';
import { enrich, selectBy } from '@millrace/postgres';
import { startPostgres } from '@millrace/postgres/embedded';
import postgres, { type Sql } from 'postgres';
import { show } from './show.js';

// Technique 6, database enrichment: each event gets the name of its user. The lookups that wait go into one query, up to
// five queries at once, and each user is asked for once. Events keep their order. Who is not in the table is "Unknown";
// a database that is down does not stop the stream: then the fallback is given the error.

export interface Event {
  readonly id: number;
  readonly user: number;
}

const usersById = selectBy<{ id: number; name: string }>('users', 'id', ['name']);

export function named(sql: Sql, events: Iterable<Event>): Promise<string[]> {
  return from(events)
    .pipeThrough(
      enrich(sql, {
        key: (event) => event.user,
        query: usersById,
        fallback: (_event, error) => ({ name: error === undefined ? 'Unknown' : 'Unavailable' }),
        into: (event, { name }) => `${event.id} ${name}`,
        inFlight: 5,
      }),
    )
    .toArray();
}

await show(import.meta.url, async () => {
  await using server = await startPostgres(); // a real one, which ends with this program
  const sql = postgres(server.connection);
  await sql`create table users as select * from (values (1, 'Ada'), (2, 'Grace')) as u (id, name)`;
  const events = [1, 2, 3, 1].map((user, index) => ({ id: 101 + index, user }));
  return await named(sql, events).finally(() => sql.end());
});
