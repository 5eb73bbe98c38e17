import type { Sql } from 'postgres';
import { DatabaseError } from '../errors.js';
import { type Encoder, encoderFor, SUPPORTED } from './encoders.js';

/** A column of the COPY. */
export interface Column {
  readonly name: string;
  /** Its name in PostgreSQL's catalog. */
  readonly type: string;
  readonly encode: Encoder;
}

/** What a COPY into a table needs. */
export interface Target {
  /** The table, as it was named. */
  readonly table: string;
  readonly columns: readonly Column[];
  /** The statement. */
  readonly copy: string;
}

type Attribute = readonly [name: string, type: string, kind: string, isGenerated: boolean];

const CATALOG = `
  select a.attname, b.typname, b.typtype, a.attgenerated <> '' or a.attidentity = 'a'
  from pg_catalog.pg_attribute a
  join pg_catalog.pg_type t on t.oid = a.atttypid
  join pg_catalog.pg_type b on b.oid = case t.typtype when 'd' then t.typbasetype else t.oid end
  where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped
  order by a.attnum`;

const RESOLVE = `
  select c.oid::text, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.oid = pg_catalog.to_regclass($1)`;

/** Reads the types of a table's columns, and makes the COPY for those that are wanted. */
export async function readTarget(sql: Sql, table: string, wanted: readonly string[]): Promise<Target> {
  // As postgres.js writes names: case counts, and a dot divides schema and table.
  const name = table.split('.').map(quoted).join('.');
  const [found] = await sql.unsafe(RESOLVE, [name]).values();
  if (found === undefined) {
    const why = 'there is no such table (must exist, with its schema in the search path or in the name)';
    throw new DatabaseError('ERR_POSTGRES_TABLE', `Cannot write to table "${table}": ${why}`, { table });
  }
  const [oid, qualified] = found as unknown as readonly [string, string];
  const attributes = (await sql.unsafe(CATALOG, [oid]).values()) as unknown as readonly Attribute[];
  const columns = wanted.map((name) => columnOf(table, name, attributes));
  const list = columns.map((column) => quoted(column.name)).join(', ');
  return { table, columns, copy: `begin; copy ${qualified} (${list}) from stdin (format binary)` };
}

function columnOf(table: string, name: string, attributes: readonly Attribute[]): Column {
  const attribute = attributes.find(([each]) => each === name);
  const details = { table, column: name };
  const place = `Cannot write column "${name}" of table "${table}"`;
  if (attribute === undefined) {
    const all = attributes.map(([each]) => `"${each}"`).join(', ');
    throw new DatabaseError(
      'ERR_POSTGRES_COLUMN',
      `${place}: there is no such column (must be one of ${all})`,
      details,
    );
  }
  const [, type, kind, isGenerated] = attribute;
  if (isGenerated) {
    const why = 'the server generates it (must be left out of the columns)';
    throw new DatabaseError('ERR_POSTGRES_COLUMN', `${place}: ${why}`, details);
  }
  const encode = encoderFor(type, kind === 'e');
  if (encode !== undefined) return { name, type, encode };
  throw new DatabaseError('ERR_POSTGRES_TYPE', `${place}: its type is ${type} (must be ${SUPPORTED})`, details);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
