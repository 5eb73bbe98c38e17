import { from, type Pipeline } from '@millrace/core';
import { enrich, rowCache, type SqlClient, selectBy } from '@millrace/postgres';
import { expectTypeOf, test } from 'vitest';

interface Airport {
  code: string;
  city: string;
}
declare const sql: SqlClient;
const query = selectBy<Airport>('airport', 'code');
const key = (code: string): string => code;

test('enrich() gives into() a row that may be missing, and with a fallback one that is there', () => {
  const maybe = enrich(sql, { key, query, into: (_: string, airport) => airport });
  expectTypeOf(from(['SFO']).pipeThrough(maybe)).toEqualTypeOf<Pipeline<Airport | undefined>>();
  const sure = enrich(sql, { key, query, fallback: () => null, into: (_: string, airport) => airport });
  expectTypeOf(from(['SFO']).pipeThrough(sure)).toEqualTypeOf<Pipeline<Airport | null>>();
});

test('enrich() refuses a cache of other rows', () => {
  enrich(sql, { key, query, into: key, cache: rowCache<Airport>() });
  // @ts-expect-error the cache has rows of another kind
  enrich(sql, { key, query, into: key, cache: rowCache<{ id: number }>() });
});
