import { type FailedItem, fallback, from, type Pipeline } from '@millrace/core';
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

test('enrich() takes a fallback() that gives what into() gives, and tells `fallback` which item it is', () => {
  const into = (code: string, airport: Airport | undefined): string => airport?.city ?? code;
  const stage = enrich(sql, {
    key,
    query,
    into,
    retry: { attempts: 3 },
    onError: fallback((_error, code: string) => code),
  });
  expectTypeOf(from(['SFO']).pipeThrough(stage)).toEqualTypeOf<Pipeline<string>>();
  enrich(sql, { key, query, into, onError: fallback(async (_error, code: string) => code) });
  // @ts-expect-error it gives something else
  enrich(sql, { key, query, into, onError: fallback(() => 0) });
  // @ts-expect-error the items are others
  enrich(sql, { key, query, into, onError: fallback((_error, code: number) => String(code)) });
  const told = (_code: string, _error: unknown, context: FailedItem): string => String(context.attempts);
  enrich(sql, { key, query, fallback: told, into: (_: string, airport) => airport });
});
