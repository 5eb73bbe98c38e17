import { decode } from './decode.js';
import { encode } from './encode.js';

/**
 * Newline-delimited JSON: one record a line.
 *
 * @example There and back
 * ```ts
 * import { from } from '@millrace/core';
 * const records = [{ id: 1 }, { id: 2 }];
 * assert.deepEqual(await from(records).pipeThrough(ndjson.encode()).pipeThrough(ndjson.decode()).toArray(), records);
 * ```
 *
 * @see https://github.com/ndjson/ndjson-spec
 */
export const ndjson: { readonly decode: typeof decode; readonly encode: typeof encode } = { decode, encode };
