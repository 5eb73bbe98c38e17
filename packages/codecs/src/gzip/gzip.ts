import type { Stage } from '@millrace/core';
import { checkOptions, foreign } from '@millrace/core/authoring';

/** What the stages of gzip are called. */
export interface GzipOptions {
  /** What the stage is called in errors, plans and figures. Default: `'gzip'` or `'gunzip'`. */
  readonly name?: string | undefined;
}

/**
 * Compresses chunks of bytes with gzip, by the platform's `CompressionStream`.
 *
 * Contract
 * - Order: kept; chunks are cut anew.
 * - Holds: what the platform's stream holds; `explain()` names it as not counted.
 * - Backpressure: that of the platform's stream.
 * - Failure: an upstream error discards what is inside.
 * - Cancel: cancels upstream with the same reason.
 *
 * @param options - `name`.
 * @returns A stage from bytes to bytes, for any number of runs.
 * @throws TypeError `ERR_CORE_ARGUMENT` for options that make no sense.
 * @remarks Elsewhere: RxJS –; Rust `GzipEncoder`; Akka `Compression.gzip`; Node `createGzip`.
 *
 * @example There and back
 * ```ts
 * import { from } from '@millrace/core';
 * const bytes = new TextEncoder().encode('to and fro, '.repeat(100));
 * const chunks = await from([bytes]).pipeThrough(gzip()).pipeThrough(gunzip()).toArray();
 * assert.equal((await new Blob(chunks).text()).length, 1200);
 * ```
 *
 * @see https://www.rfc-editor.org/rfc/rfc1952
 */
export function gzip(options: GzipOptions = {}): Stage<Uint8Array, Uint8Array<ArrayBuffer>> {
  checkOptions('gzip()', options, ['name']);
  const { name = 'gzip' } = options;
  return foreign({ name, open: () => new CompressionStream('gzip') as BytePair });
}

/** A stream pair of the platform as it is: it takes bytes on any buffer and gives bytes of its own. */
export interface BytePair {
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly writable: WritableStream<Uint8Array>;
}
