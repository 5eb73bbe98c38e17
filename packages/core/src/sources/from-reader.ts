import { readerSource } from '../engine/reader-source.js';
import type { SourceReader } from '../engine/spec.js';
import { PipelineError } from '../errors.js';
import { checkCount, checkOptions, wrongType } from '../internal/arguments.js';
import { Pipeline } from '../pipeline.js';
import { type ItemReader, type ReadResult, StreamReader } from './stream-reader.js';

export type { ItemReader, ReadResult };

/** How a reader is read. */
export interface FromReaderOptions {
  /** What the source is called in errors, plans and figures. Default: `'reader'`. */
  readonly name?: string;
  /** The most bytes in a chunk of a reader of mode `'byob'`, 1 or more. Default: 65,536. */
  readonly chunkBytes?: number;
}

/**
 * Begins a pipeline with what is left to read of a stream that has a reader already, or with a reader of one's own.
 *
 * For streams whose beginning is read by hand: a header, a first line. A whole stream is given to `from()`. A reader serves
 * one run, which cancels it where it ends early, and releases its lock. One of mode `'byob'` reads into a new buffer each
 * time, which is the item's own.
 *
 * Contract
 * - Order: kept.
 * - Holds: nothing.
 * - Backpressure: reads one item when one is asked for.
 * - Failure: what `read()` throws or rejects with fails the pipeline; the reader is released, not cancelled.
 * - Cancel: calls `cancel()` with the same reason, then `releaseLock()`, where the reader has them.
 *
 * @typeParam T - The items.
 * @param reader - A `ReadableStreamDefaultReader`, a `ReadableStreamBYOBReader`, or anything with a `read()` like theirs.
 * @param options - `name` (default `'reader'`), `chunkBytes` for a reader of mode `'byob'` (default 65,536).
 * @returns A pipeline of the items.
 * @throws TypeError or RangeError `ERR_CORE_ARGUMENT` when an argument is wrong.
 * @remarks Elsewhere: RxJS –; Rust `unfold`; Akka `Source.unfoldResourceAsync`; Node `Readable.fromWeb`.
 *
 * @example The lines behind a header
 * ```ts
 * const stream = from(['name,miles', 'SFO,337', 'BOS,187']).toReadableStream();
 * const reader = stream.getReader();
 * const { value: header } = await reader.read();
 * assert.equal(header, 'name,miles');
 * assert.deepEqual(await fromReader(reader).toArray(), ['SFO,337', 'BOS,187']);
 * assert.equal(stream.locked, false);
 * ```
 *
 * @example Chunks of at most 4 bytes
 * ```ts
 * const reader = new Blob(['abcdef']).stream().getReader({ mode: 'byob' });
 * const sizes = fromReader(reader, { chunkBytes: 4 }).pipeThrough(map((chunk) => chunk.length));
 * assert.deepEqual(await sizes.toArray(), [4, 2]);
 * ```
 */
export function fromReader(
  reader: ReadableStreamBYOBReader,
  options?: FromReaderOptions,
): Pipeline<Uint8Array<ArrayBuffer>>;
export function fromReader<T>(reader: ItemReader<T>, options?: FromReaderOptions): Pipeline<T>;
export function fromReader(
  reader: ItemReader<unknown> | ReadableStreamBYOBReader,
  options: FromReaderOptions = {},
): Pipeline<unknown> {
  checkOptions('fromReader()', options, ['name', 'chunkBytes']);
  if (typeof reader?.read !== 'function') throw wrongType('fromReader()', 'reader', reader, 'an object with read()');
  const { name = 'reader', chunkBytes = 65_536 } = options;
  checkCount('fromReader()', 'chunkBytes', chunkBytes, 1);
  const items = isByob(reader) ? intoBuffers(reader, chunkBytes) : reader;
  let isUsed = false;
  const open = (): SourceReader<unknown> => {
    if (isUsed) throw new PipelineError('ERR_CORE_SOURCE_USED', USED);
    isUsed = true;
    return new StreamReader(items);
  };
  return new Pipeline(readerSource(name, open));
}

const USED = 'Cannot read from the reader: a run has read from it (must be another reader; one serves one run)';

function isByob(reader: object): reader is ReadableStreamBYOBReader {
  return typeof ReadableStreamBYOBReader === 'function' && reader instanceof ReadableStreamBYOBReader;
}

function intoBuffers(reader: ReadableStreamBYOBReader, chunkBytes: number): ItemReader<Uint8Array> {
  return {
    read: () => reader.read(new Uint8Array(chunkBytes)),
    cancel: (reason) => reader.cancel(reason),
    releaseLock: () => reader.releaseLock(),
  };
}
