import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync } from 'hyparquet';
import { CodecError } from '../codec-error.js';

// Magic, an empty footer's length, the footer's own length, magic.
const SHORTEST_FILE_BYTES = 12;

/** A file whose own failures can be told from those of its decoding. */
export interface GuardedFile {
  readonly buffer: AsyncBuffer;
  /** Waits; an error of the file or of the signal comes as it is, any other as "broken", with the cause. */
  during<T>(work: Promise<T>, action: string): Promise<T>;
}

/** Watches a file: checks that all bytes asked for come, and keeps what it or the signal threw. */
export function guard(file: AsyncBuffer, signal: AbortSignal | undefined): GuardedFile {
  let thrown: { readonly error: unknown } | undefined;

  async function slice(start: number, end: number): Promise<ArrayBuffer> {
    try {
      signal?.throwIfAborted();
      const bytes = await file.slice(start, end);
      signal?.throwIfAborted();
      if (!(bytes.byteLength >= end - start)) {
        throw broken(
          'Cannot read a Parquet file',
          `${bytes.byteLength} of ${end - start} bytes came from byte ${start}`,
        );
      }
      return bytes;
    } catch (error) {
      thrown ??= { error };
      throw error;
    }
  }
  const { byteLength } = file;
  return {
    buffer: { byteLength, slice: (start, end = byteLength) => slice(start, end) },
    async during(work, action) {
      try {
        return await work;
      } catch (cause) {
        if (thrown !== undefined) throw thrown.error;
        if (cause instanceof CodecError) throw cause;
        throw broken(action, 'its bytes make no sense', { cause });
      }
    },
  };
}

/** Reads the footer, which says where the row groups and columns are. */
export async function readMetadata(file: GuardedFile): Promise<FileMetaData> {
  const { byteLength } = file.buffer;
  const action = 'Cannot read a Parquet file';
  if (!(byteLength >= SHORTEST_FILE_BYTES)) throw broken(action, `it has ${byteLength} bytes`);
  const tail = new Uint8Array(await file.buffer.slice(byteLength - 4, byteLength), 0, 4);
  const mark = String.fromCharCode(...tail);
  if (mark === 'PARE') throw broken(action, 'its footer is encrypted');
  if (mark !== 'PAR1') throw broken(action, 'it does not end with "PAR1"');
  return file.during(parquetMetadataAsync(file.buffer, { geoparquet: false }), action);
}

function broken(action: string, what: string, options?: ErrorOptions): CodecError {
  return new CodecError(
    'ERR_CODECS_PARQUET',
    `${action}: ${what} (the file must be complete and unencrypted Parquet)`,
    options,
  );
}
