import { decode } from './decode.js';
import { encode } from './encode.js';

/**
 * Sequences of CBOR items: one record an item.
 *
 * @example There and back
 * ```ts
 * import { from } from '@millrace/core';
 * const records = [{ id: 1, at: new Date(0) }, { id: 2n ** 70n, blob: Uint8Array.of(1) }];
 * assert.deepEqual(await from(records).pipeThrough(cbor.encode()).pipeThrough(cbor.decode()).toArray(), records);
 * ```
 *
 * @see https://www.rfc-editor.org/rfc/rfc8742
 */
export const cbor: { readonly decode: typeof decode; readonly encode: typeof encode } = { decode, encode };
