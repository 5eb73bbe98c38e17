import type { Stage } from '@millrace/core';
import { checkOptions, foreign } from '@millrace/core/authoring';
import type { BytePair, GzipOptions } from './gzip.js';

/**
 * Decompresses chunks of gzip, by the platform's `DecompressionStream`.
 *
 * Contract
 * - Order: kept; chunks are cut anew.
 * - Holds: what the platform's stream holds; `explain()` names it as not counted.
 * - Backpressure: that of the platform's stream, so that a few bytes that stand for many are unpacked as they are asked for.
 * - Failure: bytes that are not gzip, or end early, fail the run with the platform's error as `cause`.
 * - Cancel: cancels upstream with the same reason.
 *
 * @param options - `name`.
 * @returns A stage from bytes to bytes, for any number of runs.
 * @throws TypeError `ERR_CORE_ARGUMENT` for options that make no sense.
 * @remarks Elsewhere: RxJS –; Rust `GzipDecoder`; Akka `Compression.gunzip`; Node `createGunzip`.
 *
 * @example Records of a compressed body
 * ```ts
 * import { from } from '@millrace/core';
 * const body = new Blob(['{"id":1}\n{"id":2}\n']).stream().pipeThrough(new CompressionStream('gzip'));
 * const records = await from(body).pipeThrough(gunzip()).pipeThrough(ndjson.decode()).toArray();
 * assert.deepEqual(records, [{ id: 1 }, { id: 2 }]);
 * ```
 *
 * @see https://www.rfc-editor.org/rfc/rfc1952
 */
export function gunzip(options: GzipOptions = {}): Stage<Uint8Array, Uint8Array<ArrayBuffer>> {
  checkOptions('gunzip()', options, ['name']);
  const { name = 'gunzip' } = options;
  return foreign({ name, open: () => new DecompressionStream('gzip') as BytePair });
}
